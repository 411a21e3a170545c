// One request's way through the proxy, from its first byte to the last byte of its response.
//
//   read the head            HTTPWire/RequestHeadParser
//   frame the body           HTTPWire/RequestHeadParser, the route's limit
//   choose the route         ServedRoutes, Admission/RouteTable: a location, its method
//   decide                   Admission/Route, Authenticator: admit, refuse, or wait for the issuer's keys
//   forward the head         Admission/UpstreamRequestHead, on a pooled or a new upstream connection
//   relay the request body   BodyRelay, while the response may come already
//   relay the response       HTTPWire/ResponseHeadParser, Admission/DownstreamResponseHead, BodyRelay
//   tunnel                   after a 101: Exchange+Tunnel, Tunnel
//   finish                   log, give the upstream connection back, serve the next request or close
//
// Two phases hold the state, one for each direction, and nothing else does: `advance` looks at them after every
// event and carries on until neither can. Each direction holds at most one input buffer and one output buffer;
// a direction whose output is full stops reading, which is all there is to backpressure.

import Admission
import Bytes
import HTTPWire
import Observability
import Reactor

final class Exchange {
    enum RequestPhase {
        case readingHead
        case awaitingKeys
        case relayingBody
        case tunnelling
        /// All of the request has been taken from the client, or what is left of it never will be.
        case complete
    }

    enum ResponsePhase {
        /// No final head has been written to the client yet: a refusal is still possible.
        case awaitingHead
        case relayingBody
        case tunnelling
        /// All of the response is in `clientOutput`.
        case complete
    }

    /// What one read brings at most, to begin with.
    static let inputBytes = 16 * 1024
    /// What one read brings at most once a body has filled what there was: fewer system calls for a long one.
    static let bulkInputBytes = 256 * 1024
    /// An output that holds this much stops its source.
    static let outputBytesMax = 64 * 1024
    /// Interim responses passed on for one request, at most: an upstream could send them for ever.
    static let interimResponsesMax = 16
    /// How often a request may wait for keys before it is judged with what there is.
    static let keyWaitsMax = 3
    /// The longest that a tunnel's timer is set for: ten years.
    static let tunnelSecondsMax: Int64 = 10 * 365 * 86_400
    /// Turns of a relay, and of both directions after each other, before others get theirs: at most 4 MiB.
    static let turnsMax = 4

    /// Held, though the worker holds us: what is unowned would be counted at every use, of which a request has dozens.
    let worker: Worker
    /// What the request is served by: the worker's at the moment that its head was complete.
    private(set) var generation: Generation
    var client: ClientConnection?
    var upstream: UpstreamConnection?

    // Their storages are the worker's, while they hold nothing: of the four, one or none does most of the time.
    let clientInput: ByteBuffer
    let clientOutput: ByteBuffer
    let upstreamInput: ByteBuffer
    let upstreamOutput: ByteBuffer
    var logged = LoggedRequest()

    var request = RequestPhase.readingHead
    var response = ResponsePhase.awaitingHead
    var requestParser: RequestHeadParser
    var responseParser: ResponseHeadParser
    /// The parsers'.
    let requestHead: RequestHead
    let responseHead: ResponseHead
    var requestRelay = BodyRelay()
    var responseRelay = BodyRelay()
    var tunnelUp = TunnelDirection()
    var tunnelDown = TunnelDirection()

    /// That of what lies in no location, until the head is read.
    var route: ServedRoute
    private(set) var admittance: Admittance?
    /// Whom the request speaks for; nil: nobody knows, or it is not admitted.
    private(set) var identity: Identity?
    var requestID = RequestID()
    /// The protocol that the backend is offered to switch to, in the head's bytes.
    var upgrade: ByteRange?
    /// No shared cache may keep the response.
    var hasTokenInURL = false
    /// The client's address by the word of a trusted proxy; nil: the peer's own is all that is known.
    var claimedAddress: IPAddress?
    /// The head is still at the front of `clientInput`, because the request may have to be sent a second time.
    var holdsHead = false
    var hasHead = false
    var keyWaits = 0
    /// The issuer whose keys are awaited.
    var awaitedIssuer: Int?
    /// The server that the request goes to or went to last; nil before it is forwarded.
    var server: UpstreamServer?
    var serversTried = ServerSet()
    /// When `server` was chosen.
    var serverChosenAt: Int64 = 0
    /// The server's name is being looked up.
    var awaitsAddresses = false
    /// Where among the server's addresses this exchange started: others move the worker's place meanwhile.
    var firstAddress = 0
    var addressesTried = 0
    var connectFailure = ""
    var connectTimedOut = false
    var interimResponses = 0
    /// A byte of the response has arrived.
    var hasResponseBytes = false
    var upstreamWriteFailed = false
    /// What the request says of the response's coding.
    var codingPreference = CodingPreference()
    /// How the response's body goes to the client.
    var responseFraming = BodyFraming.none
    var closesClient = false
    /// Unread bytes of the client's are to be thrown away before its connection closes.
    var lingersAtClose = false

    var startedAt: Int64 = 0
    var upstreamStartedAt: Int64 = 0
    /// When bytes last moved in any direction.
    var progressedAt: Int64 = 0
    var record = AccessRecord()
    var refusalCode: RefusalCode?
    /// The issuer whose rules refused the request.
    var refusalIssuer: Int?

    /// It has served a request of the connection at hand.
    private(set) var hasServed = false
    private var isAdvancing = false
    private var mustAdvanceAgain = false

    init(worker: Worker) {
        self.worker = worker
        clientInput = ByteBuffer(from: worker.storages)
        clientOutput = ByteBuffer(from: worker.storages)
        upstreamInput = ByteBuffer(from: worker.storages)
        upstreamOutput = ByteBuffer(from: worker.storages)
        generation = worker.generation
        route = generation.routes.main
        requestParser = RequestHeadParser(headBytesMax: generation.settings.limits.headerBytes)
        responseParser = ResponseHeadParser(headBytesMax: Worker.responseHeadBytesMax)
        requestHead = requestParser.head
        responseHead = responseParser.head
    }

    var isActive: Bool { client != nil }

    var now: Instant {
        Instant(monotonicNanoseconds: worker.loop.now, unixSeconds: worker.loop.unixSeconds)
    }

    /// Takes over a connection that has something to read.
    func begin(for client: ClientConnection) {
        self.client = client
        hasServed = false
        startedAt = worker.loop.now
        progressedAt = startedAt
        requestID = RequestID(using: &worker.requestIDs)
    }

    func admit(_ admittance: Admittance) {
        self.admittance = admittance
        identity = admittance.identity
    }

    /// What is decided of the request is decided by the newest configuration; from then on it goes by that one.
    func goByNewestGeneration() {
        if generation === worker.generation { return }
        generation = worker.generation
        route = generation.routes.main
    }

    /// Something happened to one of the two connections, or a wait is over.
    func advance() {
        if isAdvancing {
            mustAdvanceAgain = true
            return
        }
        guard let client else { return }
        // Both directions of a tunnel may have ended, which looks the same: there the reads and writes tell.
        if client.hasFailed, response != .tunnelling {
            abandon()
            return
        }
        isAdvancing = true
        var turns = 0
        repeat {
            mustAdvanceAgain = advanceRequest()
            if isActive, advanceResponse() { mustAdvanceAgain = true }
            turns += 1
            if turns == Exchange.turnsMax, mustAdvanceAgain, isActive {
                // A fast sender and a fast reader could go on like this for ever.
                let continued = worker.loop.bind(self)
                worker.loop.mailbox.post { continued.unwrapped.advance() }
                break
            }
        } while mustAdvanceAgain && isActive
        isAdvancing = false
        if isActive { armTimer() }
    }

    private func advanceRequest() -> Bool {
        switch request {
        case .readingHead: readHead()
        case .relayingBody: relayRequestBody()
        case .tunnelling: carryToUpstream()
        case .awaitingKeys, .complete: false
        }
    }

    private func advanceResponse() -> Bool {
        switch response {
        case .awaitingHead: awaitResponseHead()
        case .relayingBody: relayResponseBody()
        case .tunnelling: carryToClient()
        case .complete: flushToEnd()
        }
    }

    /// Reads what has come, into an input that has room for more of it.
    func fill(_ input: ByteBuffer, from stream: SocketStream) -> SocketStream.Fill {
        guard stream.canRead else { return .blocked }
        if input.writableCount == 0 { input.reserve(1) }
        let outcome = stream.fill(input)
        if input.isEmpty { input.giveBack() }
        return outcome
    }

    /// Reads more of a body. A second read in one go means that the first one filled its buffer, and more room pays.
    func fillBody(_ input: ByteBuffer, from stream: SocketStream, turn: Int) -> SocketStream.Fill {
        guard stream.canRead else {
            if input.isEmpty { input.giveBack() }
            return .blocked
        }
        // What an output grew to for the rest of an earlier read comes back when the two are traded: without this, each
        // trade could double it.
        if input.isEmpty, input.capacity > Exchange.bulkInputBytes { input.removeStorage() }
        if turn > 0, input.isEmpty, input.capacity < Exchange.bulkInputBytes {
            input.reserve(Exchange.bulkInputBytes)
        } else if input.writableCount == 0 {
            input.reserve(1)
        }
        return stream.fill(input)
    }

    /// Sends what is left of the response; then the exchange is over.
    private func flushToEnd() -> Bool {
        guard flushClient(), clientOutput.isEmpty else { return false }
        finish()
        return isActive
    }

    // MARK: The end

    /// The whole response is on its way: the connection serves the next request, idles, or closes.
    private func finish() {
        recordEnd()
        let client = client!
        if closesClient || request != .complete {
            let lingers = lingersAtClose || request != .complete
            release()
            client.closeAfterResponse(lingers: lingers)
            return
        }
        if clientInput.isEmpty && !client.canRead {
            release()
            client.idle()
        } else {
            reset()
            hasServed = true
            startedAt = worker.loop.now
            progressedAt = startedAt
            requestID = RequestID(using: &worker.requestIDs)
        }
    }

    /// The client is gone, or can no longer be told the truth: both connections end here.
    ///
    /// - Parameter status: what the log says where no response was sent: 499 is nginx's for a client that did not wait.
    func abandon(reset: Bool = true, status: Int = 499) {
        guard let client else { return }
        dropUpstream()
        if hasHead {
            if response == .awaitingHead { record.status = status }
            recordEnd()
        }
        release()
        client.close(reset: reset)
    }

    /// The response has begun and cannot be completed: the connection is cut, so that a part does not pass as the whole.
    func truncate(_ code: RefusalCode, _ reason: String) {
        warnOfUpstream("response cut short: \(reason)")
        note(code)
        // What has arrived is still worth having where its framing shows that it is a part; a body that ends with
        // the connection needs a reset to show it.
        responseRelay.flush(to: clientOutput)
        _ = client!.flush(clientOutput)
        abandon(reset: responseFraming == .untilClose)
    }

    func dropUpstream() {
        guard let connection = upstream else { return }
        record.upstreamNanoseconds = worker.loop.now - upstreamStartedAt
        upstream = nil
        connection.leave()
        connection.close()
    }

    /// Lets go of the connection, which lives on or is closed by the caller.
    func release() {
        worker.forgetWaiting(self)
        let connection = client
        client = nil
        connection?.exchange = nil
        reset()
        clientInput.removeAll()
        clientInput.removeStorage()
        clientOutput.removeStorage()
        upstreamInput.removeStorage()
        upstreamOutput.removeStorage()
        worker.exchangeEnded(self)
    }

    /// Ready for the next request on the same connection: what is in `clientInput` stays.
    private func reset() {
        clientOutput.removeAll()
        upstreamInput.removeAll()
        upstreamOutput.removeAll()
        request = .readingHead
        response = .awaitingHead
        requestParser.reset()
        if generation !== worker.generation {
            generation = worker.generation
            requestParser.headBytesMax = generation.settings.limits.headerBytes
        }
        responseParser.reset()
        requestRelay = BodyRelay()
        releaseCompressor()
        responseRelay = BodyRelay()
        tunnelUp = TunnelDirection()
        tunnelDown = TunnelDirection()
        responseFraming = .none
        route = generation.routes.main
        admittance = nil
        identity = nil
        upgrade = nil
        hasTokenInURL = false
        claimedAddress = nil
        holdsHead = false
        hasHead = false
        keyWaits = 0
        server = nil
        serversTried = ServerSet()
        addressesTried = 0
        connectFailure = ""
        connectTimedOut = false
        interimResponses = 0
        hasResponseBytes = false
        upstreamWriteFailed = false
        closesClient = false
        lingersAtClose = false
        upstreamStartedAt = 0
        logged.clear()
        record = AccessRecord()
        refusalCode = nil
        refusalIssuer = nil
    }
}
