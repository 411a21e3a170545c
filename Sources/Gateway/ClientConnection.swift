// A client's connection: between requests only this, while one is served with an exchange.

import Admission
import Bytes
import Configuration
import HTTPWire
import OpenSSLKit
import Reactor

final class ClientConnection: SocketStream, TimerHandler {
    private enum Phase {
        /// Accepted by a listener that takes the PROXY protocol, and its header has not come whole.
        case awaitingProxyHeader
        /// Accepted by a listener that speaks TLS, and not agreed on anything yet.
        case shakingHands
        /// Accepted, and nothing has come yet.
        case fresh
        case idle
        case serving
        /// The response is out and our side is shut: what the client still sends is thrown away for a while, since
        /// closing on unread bytes would send a reset, which can destroy the response on its way.
        case lingering
    }

    /// For how long a client may go on sending what nobody will read: most have to send all of a body before they
    /// look at the response.
    private static let lingerNanoseconds: Int64 = 5_000_000_000
    /// For how long a drain waits for a new connection's first request: whoever has connected is about to send it, and
    /// cannot know that nobody would read it.
    private static let drainGraceNanoseconds: Int64 = 3_000_000_000

    private let worker: Worker
    /// The listener that it came by.
    let entrance: Entrance
    /// What the listener showed and asked for when it came; nil: it speaks in clear.
    private let context: TLSServerContext?
    /// Its listener has begun or ceased to speak TLS, or asks for other certificates than it asked this client for: who is
    /// not let in any more must not stay in either.
    private var isOutdated = false
    /// By which configuration it is trusted or not.
    private var generationNumber: Int
    /// Whose word it brings.
    private var speaker: Speaker
    /// Whom it speaks for, if nobody else is named; nil: nobody who could be told from others.
    var address: IPAddress? { speaker.address }
    /// The address for the log.
    private(set) var addressText: [UInt8] = []
    /// The address for `X-Forwarded-For`: empty for a Unix socket.
    private(set) var forwardedAddress: [UInt8] = []
    /// Whether that address is a trusted proxy's.
    private(set) var isTrusted = false
    /// The certificate that the client has proved to be its own; nil: it has shown none, or was not asked.
    private(set) var certificate: ClientCertificate?
    /// What the log calls the version of TLS; empty: in clear.
    private(set) var tlsVersion: [UInt8] = []
    /// Place in the worker's table.
    let index: Int
    /// It waits for its turn to go on with the handshake.
    var awaitsHandshake = false
    var exchange: Exchange?
    private var phase: Phase
    /// What it waited for when it began to be served.
    private var waitingPhase = Phase.fresh
    /// What has come of the PROXY header.
    private var proxyHeader: ByteBuffer?
    private var timer: TimerID?

    /// - Parameter peer: nil: a Unix socket.
    init(
        worker: Worker, socket: consuming Socket, from peer: IPAddress?, by entrance: Entrance, index: Int
    ) throws(SystemError) {
        self.worker = worker
        self.entrance = entrance
        context = entrance.policy.tls
        self.index = index
        generationNumber = worker.generation.number
        speaker = .peer(peer)
        phase = entrance.policy.takesProxyHeader ? .awaitingProxyHeader : context != nil ? .shakingHands : .fresh
        try super.init(loop: worker.loop, socket: socket)
        identify(as: .peer(peer))
        timer = loop.addTimer(self)
        awaitFirstRequest()
    }

    private var isLeaving: Bool { worker.isDraining || entrance.isClosed || isOutdated }

    private func awaitFirstRequest() {
        let bound = worker.generation.settings.timeouts.clientHeader * 1_000_000
        schedule(at: loop.now + (isLeaving ? min(bound, ClientConnection.drainGraceNanoseconds) : bound))
    }

    /// It serves no request after the one at hand.
    var closesAfterResponse: Bool {
        isLeaving || worker.generation.settings.timeouts.keepalive == 0
    }

    /// The listener goes by another policy, or is gone.
    func entranceChanged() {
        let tls = entrance.policy.tls
        isOutdated = (tls == nil) != (context == nil) || tls?.clientCertificates != context?.clientCertificates
        if isLeaving { drain() }
    }

    /// It leaves: no request is waited for any more, but for the first one of a new connection. One that has arrived and
    /// was not read yet is served.
    func drain() {
        switch phase {
        case .awaitingProxyHeader, .shakingHands, .fresh: awaitFirstRequest()
        case .idle where !hasUnreadInput: close()
        case .idle, .serving, .lingering: break
        }
    }

    override func ready() {
        switch phase {
        case .awaitingProxyHeader:
            readProxyHeader()
        case .shakingHands:
            worker.shakeHands(with: self)
        case .fresh, .idle:
            if canRead {
                serve()
            } else if hasFailed {
                close()
            }
        case .serving:
            exchange?.advance()
        case .lingering:
            linger()
        }
    }

    /// - Parameter input: what has been read of the request already.
    private func serve(_ input: ByteBuffer? = nil) {
        waitingPhase = phase
        phase = .serving
        let exchange = worker.beginExchange(for: self)
        self.exchange = exchange
        if let input { exchange.clientInput.append(input.readable) }
        exchange.advance()
    }

    private func identify(as speaker: Speaker) {
        self.speaker = speaker
        let text = speaker.address?.description
        addressText = Array((text ?? "unix").utf8)
        forwardedAddress = Array((text ?? "").utf8)
        isTrusted = speaker.isTrusted(by: worker.generation.settings.trustedProxies)
    }

    /// A request begins to be served by this generation, which may trust others than the one before.
    func goBy(_ newest: Generation) {
        if generationNumber == newest.number { return }
        generationNumber = newest.number
        isTrusted = speaker.isTrusted(by: newest.settings.trustedProxies)
    }

    // MARK: The PROXY protocol

    private func readProxyHeader() {
        let input = proxyHeader ?? ByteBuffer(capacity: ProxyHeader.byteCountMax)
        proxyHeader = input
        while true {
            input.reserve(1)
            switch fill(input) {
            case .moved:
                do throws(ProxyHeaderError) {
                    guard let header = try ProxyHeader(parsing: input.readable) else { continue }
                    input.consume(header.byteCount)
                    takeProxyHeader(header, before: input)
                } catch {
                    refuseProxyHeader()
                }
                return
            case .blocked:
                if hasFailed { close() }
                return
            case .ended where input.isEmpty:
                // How balancers see whether a port is open.
                close()
                return
            case .ended, .failed:
                refuseProxyHeader()
                return
            }
        }
    }

    private func takeProxyHeader(_ header: ProxyHeader, before input: ByteBuffer) {
        proxyHeader = nil
        switch header.client {
        case .peer:
            break
        case .address(let address):
            identify(as: .client(address))
        case .unixSocket:
            // On the proxy's machine: the socket files that are trusted here are others.
            identify(as: .nobody)
        }
        if context != nil {
            phase = .shakingHands
            beginTLS(early: input.readable)
            if isOpen { worker.shakeHands(with: self) }
            return
        }
        if !input.isEmpty {
            serve(input)
            return
        }
        phase = .fresh
        awaitFirstRequest()
        ready()
    }

    /// Closes without an answer: what the peer speaks is not known.
    private func refuseProxyHeader() {
        worker.metrics.arrivals.count(.noProxyHeader)
        worker.turnedAway.log("client \(String(decoding: addressText, as: UTF8.self)): closed: it sent no PROXY header")
        close()
    }

    // MARK: TLS

    var isShakingHands: Bool { isOpen && phase == .shakingHands }

    /// Goes on with the handshake, which is as much work as a hundred requests: the worker says when.
    func continueHandshake() {
        guard isShakingHands else { return }
        // A connection that says nothing needs no more than its socket.
        if !isEncrypted {
            guard canRead else { return }
            beginTLS()
        }
        switch tls?.handshake() {
        case .done:
            takeHandshake()
        case .blocked:
            if hasFailed { giveUpHandshake(as: .closed) }
        case .failed(let failure):
            refuseHandshake(failure)
        case nil:
            break
        }
    }

    /// - Parameter early: what was read before the handshake.
    private func beginTLS(early: Span<UInt8> = Span()) {
        do throws(OpenSSLError) {
            try accept(by: context!, early: early)
        } catch {
            worker.log.log(.error, "client \(String(decoding: addressText, as: UTF8.self)): closed: \(error)")
            close()
        }
    }

    private func takeHandshake() {
        tlsVersion = Array(tls!.version.utf8)
        if context!.asksForCertificates, let shown = tls!.peerCertificate {
            // A session that is taken up again has been verified when it began.
            guard shown.notBefore <= loop.unixSeconds, loop.unixSeconds <= shown.notAfter else {
                refuseHandshake(.certificate("certificate has expired, or is not valid yet"))
                return
            }
            certificate = ClientCertificate(
                sha256: shown.sha256.bytes, subject: shown.subject, issuer: shown.issuer, serialNumber: shown.serialNumber)
        }
        worker.metrics.arrivals.countHandshake(resumed: tls!.isResumed)
        phase = .fresh
        // The client's first request may have come with its last word.
        if tls!.mayRead { ready() }
    }

    /// Closes without a word to the client, or to the log.
    private func giveUpHandshake(as failure: HandshakeFailure) {
        // How balancers see whether a port is open is no failure.
        if tls?.hasReceived == true { worker.metrics.arrivals.count(failure) }
        close()
    }

    private func refuseHandshake(_ failure: TLSFailure) {
        if failure == .truncated, tls?.hasReceived == false {
            giveUpHandshake(as: .closed)
            return
        }
        worker.metrics.arrivals.count(HandshakeFailure(failure))
        worker.turnedAway.log(
            "client \(String(decoding: addressText, as: UTF8.self)): no TLS connection: \(failure.reason)")
        // OpenSSL has sent its alert. It must not be destroyed by a reset, and what follows is not TLS any more.
        abandonTLS()
        if failure == .plainHTTP {
            phase = .serving
            let exchange = worker.beginExchange(for: self)
            self.exchange = exchange
            exchange.refuse(.clearOverTLS)
            exchange.advance()
        } else {
            closeAfterResponse(lingers: true)
        }
    }

    func timerFired(_ timer: TimerID) {
        switch phase {
        case .awaitingProxyHeader: refuseProxyHeader()
        case .shakingHands: giveUpHandshake(as: .timeout)
        case .fresh, .idle, .lingering: close()
        case .serving: exchange?.timedOut()
        }
    }

    func schedule(at deadline: Int64) {
        if let timer { loop.schedule(timer, at: deadline) }
    }

    /// The exchange has let go without a byte of a request: what came was TLS's own, or a part of a record. The wait goes
    /// on as it was.
    func waitOn() {
        phase = waitingPhase
        if isLeaving { drain() }
    }

    /// The exchange is over and has let go: wait for the next request.
    func idle() {
        if closesAfterResponse {
            close()
            return
        }
        phase = .idle
        schedule(at: loop.now + worker.generation.settings.timeouts.keepalive * 1_000_000)
    }

    /// The exchange is over and has let go: close, once the client has what was sent.
    func closeAfterResponse(lingers: Bool) {
        let hasAll = !lingers && !canRead
        if hasAll && !isEncrypted {
            close()
            return
        }
        finishWriting()
        if hasAll && !isFinishing {
            close()
            return
        }
        phase = .lingering
        schedule(at: loop.now + ClientConnection.lingerNanoseconds)
        linger()
    }

    private func linger() {
        let discarded = worker.discarded
        for _ in 0..<Exchange.turnsMax {
            discarded.removeAll()
            discarded.reserve(1)
            switch fill(discarded) {
            case .moved:
                continue
            case .blocked:
                if hasFailed { close() }
                return
            case .ended, .failed:
                close()
                return
            }
        }
        // There is more: after the others have had their turn.
        let continued = loop.bind(self)
        loop.mailbox.post { continued.unwrapped.ready() }
    }

    override func close(reset: Bool = false) {
        guard isOpen else { return }
        if let held = timer {
            timer = nil
            loop.removeTimer(held)
        }
        super.close(reset: reset)
        worker.clientClosed(self)
    }
}
