// The proxy and the backend read the same requests. Thousands of mutated inputs go through the proxy to Node's own
// HTTP server, which tells what it understood; what it should have understood is read off the sent bytes by a third
// reader. A request is smuggled where any two of the three disagree, so none may.

import Foundation
import Synchronization
import Testing

@Suite("Requests, as the proxy and as Node read them", .scenario)
struct RequestDifferentialTests {
    @Test("Whatever the proxy lets through, Node reads as it was sent, and Node reads nothing else")
    func mutatedRequests() throws {
        let run = DifferentialRun(seed: 0x5EED, count: 5000)
        try withTemporaryFolder { folder in
            let node = try RecordingNode(in: folder)
            try Scene.play(main: "access_log off;", upstream: "127.0.0.1:\(node.proxiedPort)") { scene throws in
                let mutation = RequestMutation(seed: run.seed, authorization: "Bearer \(scene.token())")
                let results = Mutex<[CaseResult]>([])
                DispatchQueue.concurrentPerform(iterations: 4) { thread in
                    for index in run.indices where index % 4 == thread {
                        let result = CaseResult(index, of: mutation, through: scene.proxy.port, beside: node.directPort)
                        results.withLock { $0.append(result) }
                    }
                }
                // Nothing is on its way to Node any more once the proxy has ended, and Node has read to every end.
                scene.proxy.child.signal(SIGTERM)
                #expect(try scene.proxy.child.waitForEnd() == .exited(0))
                judge(results.withLock { $0 }, try node.finalReport(), run, mutation)
            }
        }
    }

    private func judge(
        _ results: [CaseResult], _ report: RecordingNode.Report, _ run: DifferentialRun, _ mutation: RequestMutation
    ) {
        var disagreements: [(index: Int, what: String)] = []
        var answered = Set<Int>()
        var requests = (admitted: 0, refused: 0)
        var inputs = (admitted: 0, refused: 0)
        var nodeAlone = (reads: 0, otherwise: 0)
        for result in results {
            let found = result.disagreements(with: report.proxied.seen, answered: &answered)
            disagreements += found.map { (result.index, $0) }
            let admitted = result.answers.count { $0.serial != nil }
            let refused = result.answers.count { $0.isRefusal }
            requests.admitted += admitted
            requests.refused += refused
            inputs.admitted += admitted == result.reading.whole.count && refused == 0 ? 1 : 0
            inputs.refused += refused > 0 ? 1 : 0
            let seenDirectly = result.directSerials.map { report.direct.seen[$0] }
            nodeAlone.reads += seenDirectly.count
            nodeAlone.otherwise += isPrefix(seenDirectly, of: result.reading.whole) ? 0 : 1
        }
        // Of a request that was refused, Node may have heard the beginning. Never the end.
        for (serial, request) in report.proxied.seen.enumerated()
        where request.isComplete && !answered.contains(serial) {
            disagreements.append((-1, "Node read \(request.method) \(request.target), which nobody was answered"))
        }
        // Where Node gives up, the request was cut off, or is of a method that it does not know.
        for complaint in report.proxied.complaints
        where !(["HPE_INVALID_EOF_STATE", "ECONNRESET"] + CaseResult.methodErrors).contains(complaint) {
            disagreements.append((-1, "Node complained: \(complaint)"))
        }
        for (index, what) in disagreements.prefix(5) {
            let input = index < 0 ? "" : "\nagain with \(run.replay(index))\n\(mutation.text(ofCase: index))"
            Issue.record("seed \(run.seed), case \(index): \(what)\(input)")
        }
        print(
            """
            Requests through the proxy: \(results.count) inputs, \(inputs.admitted) admitted whole, \(inputs.refused) \
            with a refusal; \(requests.admitted) requests admitted, \(requests.refused) refused, \
            \(answered.count) read by Node; \(disagreements.count) disagreements. \
            Node alone: \(nodeAlone.reads) requests, \(nodeAlone.otherwise) inputs read otherwise than as sent.
            """)
        #expect(disagreements.count == 0)
        guard run.indices.count > 1000 else { return }
        #expect(inputs.admitted * 100 > results.count * 15 && inputs.refused * 100 > results.count * 15)
    }
}

/// The requests, without what the third reader does not know, are the first ones of `whole`.
private func isPrefix(_ seen: [RecordingNode.Request], of whole: [WireRequest]) -> Bool {
    seen.count <= whole.count
        && zip(seen, whole).allSatisfy { $0.method == $1.method && $0.target == $1.target && Array($0.body) == $1.body }
}

/// What became of one input.
private struct CaseResult {
    /// A final response, as far as it says whose it is.
    struct Answer {
        var status: Int
        /// Node answered, and calls the request by this number.
        var serial: Int?
        /// Node refused it, with this error.
        var nodeError: String?
        var isRefusal: Bool { serial == nil && nodeError == nil }
    }

    let index: Int
    let reading: (whole: [WireRequest], end: (Misread, WireRequest)?)
    private(set) var answers: [Answer] = []
    private(set) var directSerials: [Int] = []
    /// The proxy's bytes after the last response that can be read.
    private var unreadable: ArraySlice<UInt8> = []

    init(_ index: Int, of mutation: RequestMutation, through proxyPort: UInt16, beside nodePort: UInt16) {
        self.index = index
        let bytes = mutation.bytes(ofCase: index)
        reading = StrictReading.requests(of: bytes)
        let cuts = mutation.cuts(ofCase: index, count: bytes.count)
        (answers, unreadable) = exchange(bytes, cutAt: cuts, with: proxyPort)
        directSerials = exchange(bytes, cutAt: [], with: nodePort).answers.compactMap { $0.serial }
    }

    /// Sends the bytes and the end of the stream, and reads to the end of the answers.
    private func exchange(
        _ bytes: [UInt8], cutAt cuts: [Int], with port: UInt16
    ) -> (answers: [Answer], unreadable: ArraySlice<UInt8>) {
        var received: [UInt8] = []
        do {
            let socket = try Socket.connect(port: port)
            for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
                // It may have been refused by now, and need not be taken to its end.
                try? socket.send(bytes[start..<end])
            }
            socket.finishSending()
            while case let piece = try socket.receive(), !piece.isEmpty { received += piece }
        } catch {}
        return responses(of: received)
    }

    /// The n-th response answers the n-th request.
    private func responses(of bytes: [UInt8]) -> (answers: [Answer], unreadable: ArraySlice<UInt8>) {
        var stream = StrictReading(bytes)
        var answers: [Answer] = []
        while !stream.isAtEnd {
            let rest = stream.rest
            guard let (response, _) = try? stream.response(to: method(at: answers.count), ended: true) else {
                return (answers, rest)
            }
            let answer = Answer(
                status: response.status, serial: response.fields.values(of: "x-serial").first.flatMap { Int($0) },
                nodeError: response.fields.values(of: "x-refused-by-node").first)
            answers.append(answer)
            // A head that was refused has no method yet: the body of that answer is the connection's last word.
            if answer.isRefusal, stream.rest.first == UInt8(ascii: "{") { return (answers, []) }
        }
        return (answers, [])
    }

    private func method(at place: Int) -> String {
        place < reading.whole.count ? reading.whole[place].method : reading.end?.1.method ?? ""
    }

    /// Everything in which the proxy's answers, Node's record and the third reader differ.
    func disagreements(with seen: [RecordingNode.Request], answered: inout Set<Int>) -> [String] {
        var found: [String] = []
        if !unreadable.isEmpty {
            found.append("the client got what is no response: \(latin1Text(unreadable).debugDescription)")
        }
        if answers.count > reading.whole.count + (reading.end == nil ? 0 : 1) {
            found.append("\(answers.count) responses to \(reading.whole.count) requests")
        }
        let serials = answers.compactMap { $0.serial }
        if serials != serials.sorted() { found.append("Node read the requests in another order: \(serials)") }
        for (place, answer) in answers.enumerated() {
            if let serial = answer.serial {
                if !answered.insert(serial).inserted { found.append("Node's answer \(serial) was given twice") }
                guard place < reading.whole.count else {
                    found.append("request \(place) was let through, and is none: Node read \(seen[serial])")
                    continue
                }
                let expected = ForwardedRequest(reading.whole[place])
                let got = ForwardedRequest(seen[serial])
                if expected != got { found.append("request \(place): sent\n\(expected)\nread by Node\n\(got)") }
            } else if let error = answer.nodeError {
                // Methods are an open set (RFC 9110 §9.1), of which Node takes those that it knows. It says so to the
                // client, and nothing that follows is read.
                let isUnknown = Self.methodErrors.contains(error) && !Self.commonMethods.contains(method(at: place))
                if !isUnknown { found.append("Node refused request \(place): \(error)") }
            } else if !Self.refusals.contains(answer.status) {
                found.append("request \(place) was answered with \(answer.status)")
            }
        }
        return found
    }

    private static let commonMethods: Set = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    /// The second is for a method of RTSP, which Node's parser speaks elsewhere.
    static let methodErrors = ["HPE_INVALID_METHOD", "HPE_INVALID_CONSTANT"]
    private static let refusals: Set = [400, 401, 405, 414, 417, 431, 501, 505]
}

/// A request as the backend has to get it, the two ways of knowing it brought to one form.
private struct ForwardedRequest: Equatable, CustomStringConvertible {
    var line: String
    var host: String
    /// Fields that are passed on, in their order.
    var passedOn: [WireField]
    /// Fields that are the proxy's own to set: the names alone, as their values differ from run to run.
    var ownNames: [String]
    var framing: [WireField]
    var body: [UInt8]
    var trailers: [WireField]

    /// As it has to arrive.
    init(_ sent: WireRequest) {
        var target = Substring(sent.target)
        host = sent.fields.values(of: "host").first ?? ""
        if let absolute = target.firstMatch(of: /^[A-Za-z]+:\/\/([^\/?]*)/) {
            host = String(absolute.1)
            target = target[absolute.range.upperBound...]
            if target.isEmpty { target = sent.method == "OPTIONS" ? "*" : "/" }
            if target.hasPrefix("?") { target = "/" + target }
        }
        line = "\(sent.method) \(target) HTTP/1.1"
        passedOn = sent.fields.endToEnd.without(Self.writtenAnew).filter { !isReserved($0.name) }
        if sent.framing != .chunked { passedOn = passedOn.without(["trailer"]) }
        // That trailers are taken is said anew; what else TE lists is for the next hop alone.
        if sent.version == "HTTP/1.1", sent.fields.listed(in: "te").contains("trailers") {
            passedOn += [WireField("Connection", "TE"), WireField("TE", "trailers")]
        }
        ownNames = Self.alwaysSet + (host.isEmpty ? [] : ["x-forwarded-host"])
        body = sent.body
        switch sent.framing {
        case .absent, .untilClose: framing = []
        case .length: framing = [WireField("Content-Length", "\(sent.body.count)")]
        case .chunked: framing = [WireField("Transfer-Encoding", "chunked")]
        }
        // Where Connection names fields, no trailer goes on: they might be among them.
        trailers =
            sent.fields.listed(in: "connection").isSubset(of: ["", "keep-alive", "close", "te", "upgrade"])
            ? sent.trailers.without(Self.neverInTrailers).filter { !isReserved($0.name) } : []
        ownNames.sort()
    }

    /// As it has arrived.
    init(_ seen: RecordingNode.Request) {
        let fields = pairs(seen.fields)
        line = "\(seen.method) \(seen.target) HTTP/\(seen.version)"
        host = fields.values(of: "host").joined(separator: " and ")
        if fields.values(of: "x-forwarded-host").isEmpty { host = "" }
        passedOn = fields.without(Self.writtenAnew).filter { !isReserved($0.name) && !$0.isNamed("transfer-encoding") }
        ownNames = fields.filter { isReserved($0.name) }.map { $0.name.lowercased() }.sorted()
        if fields.contains(where: { isReserved($0.name) && $0.value.contains("mallory") }) {
            ownNames.append("mallory")
        }
        framing = fields.filter { $0.isNamed("content-length") || $0.isNamed("transfer-encoding") }
        body = Array(seen.body)
        trailers = pairs(seen.trailers)
    }

    private static let writtenAnew: Set = ["host", "content-length", "expect"]
    /// RFC 9110 §6.5.1, as far as the mutations bring them about.
    private static let neverInTrailers: Set = [
        "host", "content-length", "transfer-encoding", "connection", "authorization", "cookie", "expect", "accept", "te",
        "trailer", "upgrade", "keep-alive", "content-type", "set-cookie",
    ]
    private static let alwaysSet = [
        "forwarded", "traceparent", "x-auth-audience", "x-auth-client", "x-auth-expires", "x-auth-issuer", "x-auth-scope",
        "x-auth-status", "x-auth-subject", "x-forwarded-for", "x-forwarded-proto", "x-request-id",
    ]

    var description: String {
        let fields = (framing + passedOn + trailers).map { "\($0.name): \($0.value)" }
        return "\(line) \(host) \(fields) \(ownNames) \(latin1Text(body).debugDescription)"
    }
}

private func pairs(_ list: [String]) -> [WireField] {
    stride(from: 0, to: list.count - 1, by: 2).map { WireField(list[$0], list[$0 + 1]) }
}

/// Whether a backend may take the name for one that only the proxy sets, or that none may set: case and punctuation count for nothing there.
private func isReserved(_ name: String) -> Bool {
    let folded = name.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    return folded.hasPrefix("xauth") || folded.hasPrefix("xforwarded")
        || ["forwarded", "xrequestid", "traceparent", "tracestate", "xoriginalurl"].contains(folded)
}
