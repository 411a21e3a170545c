// What a client gets is what the backend sent, or is visibly not the whole of it. Thousands of mutated responses come
// through the proxy; what each of them comes to is read off the origin's bytes by another reader, and after each
// the client asks again: the next answer has to be the next answer.

import Foundation
import Synchronization
import Testing

@Suite("Responses, as the origin sent them and as the client gets them", .scenario)
struct ResponseDifferentialTests {
    @Test("A response arrives as it was sent, or visibly broken, and none of it in the next one's place")
    func mutatedResponses() throws {
        let run = DifferentialRun(seed: 0xBACC, count: 2500)
        let mutation = ResponseMutation(seed: run.seed)
        let origin = try MutatingOrigin(mutation)
        defer { origin.end() }
        let main = "access_log off; proxy_read_timeout 5s;"
        try Scene.play(main: main, upstream: "127.0.0.1:\(origin.port)") { scene throws in
            let token = scene.token()
            let results = Mutex<[(index: Int, outcome: ExchangeOutcome)]>([])
            DispatchQueue.concurrentPerform(iterations: 4) { thread in
                var client = ResponseClient(port: scene.proxy.port, token: token)
                for index in run.indices where index % 4 == thread {
                    let outcome = client.play(index, mutation.exchange(index))
                    results.withLock { $0.append((index, outcome)) }
                }
            }
            var counts: [String: Int] = [:]
            var disagreements = 0
            for (index, outcome) in results.withLock({ $0 }) {
                let exchange = mutation.exchange(index)
                counts[outcome.got.name, default: 0] += 1
                guard let disagreement = outcome.disagreement(with: exchange) else { continue }
                disagreements += 1
                if disagreements > 5 { continue }
                Issue.record(
                    """
                    seed \(run.seed), case \(index): \(disagreement)
                    again with \(run.replay(index))
                    \(exchange.method) of an \(exchange.version) client, origin \(exchange.ending) after
                    \(latin1Text(exchange.bytes).debugDescription)
                    got \(outcome.got)
                    """)
            }
            print("Responses through the proxy: \(run.indices.count), \(counts), \(disagreements) disagreements")
            #expect(disagreements == 0)
            guard run.indices.count > 1000 else { return }
            for (name, percent) in ["whole": 15, "refused": 15, "cut short": 2] {
                #expect(counts[name, default: 0] * 100 > run.indices.count * percent, "\(name)")
            }
        }
    }
}

/// What a client got for one request.
private struct ExchangeOutcome {
    enum Got {
        case whole(WireResponse, interim: Int)
        /// The proxy's own answer in the backend's place, by its code.
        case refused(status: Int)
        /// A final response that does not reach the end its head announced.
        case cutShort
        /// No final response.
        case nothing(Misread)

        var name: String {
            switch self {
            case .whole: "whole"
            case .refused: "refused"
            case .cutShort: "cut short"
            case .nothing: "nothing"
            }
        }
    }

    var got: Got
    /// The answer to the request that followed.
    var next: String
    var nextExpected: String

    func disagreement(with exchange: ResponseCase) -> String? {
        if next != nextExpected { return "the next request got \(next.debugDescription)" }
        switch (got, exchange.reading) {
        case (.nothing, _): return "no final response"
        case (.refused(502), .failure), (.cutShort, .failure): return nil
        // The proxy may refuse what a reader can make sense of, but not what nobody could object to.
        case (.refused(502), .success), (.cutShort, .success):
            return exchange.isPlain ? "a good response was refused" : nil
        case (.refused(let status), _): return "refused with \(status)"
        case (.whole, .failure(let misread)): return "passed on as whole, which it is not: \(misread)"
        case (.whole(let response, let interim), .success(let sent)):
            if response.status != sent.response.status { return "another status" }
            if response.body != sent.response.body { return "another body" }
            if interim != (exchange.version == "HTTP/1.1" ? sent.interim : 0) { return "\(interim) interim responses" }
            var anew: Set = ["date", "content-length"]
            // Trailers are announced where both framings have a place for them.
            if sent.response.framing != .chunked || response.framing != .chunked { anew.insert("trailer") }
            // A response that the origin gave no name gets one.
            if sent.response.fields.values(of: "x-request-id").isEmpty {
                if response.fields.values(of: "x-request-id").count != 1 { return "not one name" }
                anew.insert("x-request-id")
            }
            let fields = [response, sent.response].map { $0.fields.endToEnd.without(anew) }
            if fields[0] != fields[1] { return "other fields" }
            // Without a body the length is what another request would have got (RFC 9110 §8.6), and is passed on.
            let isTold = response.status == 304 || (exchange.method == "HEAD" && response.status != 204)
            let lengths = [response, sent.response].map { $0.fields.values(of: "content-length") }
            return isTold && lengths[0] != lengths[1] ? "another length" : nil
        }
    }
}

/// A client that reads strictly, on one connection for as long as that lasts.
private struct ResponseClient {
    let port: UInt16
    let token: String
    private var socket: Socket?
    /// Received on that connection, and part of no response yet.
    private var pending: [UInt8] = []

    init(port: UInt16, token: String) {
        self.port = port
        self.token = token
    }

    mutating func play(_ index: Int, _ exchange: ResponseCase) -> ExchangeOutcome {
        let got = ask(exchange.method, "/\(index)", exchange.version)
        let nextExpected = "next of \(index)"
        guard case .whole(let next, _) = ask("GET", "/\(index)/next", "HTTP/1.1") else {
            return ExchangeOutcome(got: got, next: "no response", nextExpected: nextExpected)
        }
        return ExchangeOutcome(got: got, next: latin1Text(next.body), nextExpected: nextExpected)
    }

    private mutating func ask(_ method: String, _ path: String, _ version: String) -> ExchangeOutcome.Got {
        do {
            let socket = try self.socket ?? Socket.connect(port: port)
            self.socket = socket
            let keep = version == "HTTP/1.0" ? "Connection: keep-alive\r\n" : ""
            let fields = "Host: api.example.com\r\nAuthorization: Bearer \(token)\r\n\(keep)"
            try socket.send(latin1Bytes("\(method) \(path) \(version)\r\n\(fields)\r\n"))
            return receive(from: socket, method, version)
        } catch {
            self.socket = nil
            return .nothing(.cutShort)
        }
    }

    private mutating func receive(from socket: Socket, _ method: String, _ version: String) -> ExchangeOutcome.Got {
        while true {
            var stream = StrictReading(pending)
            do throws(Misread) {
                let (response, interim) = try stream.response(to: method, ended: false)
                pending = Array(stream.rest)
                let connection = response.fields.values(of: "connection").first
                if connection.map({ $0 != "keep-alive" }) ?? (version == "HTTP/1.0") { leave() }
                return outcome(response, interim)
            } catch {
                if error == .malformed { return broken(method, ended: false) }
            }
            do {
                let piece = try socket.receive()
                if piece.isEmpty { return broken(method, ended: true) }
                pending += piece
            } catch {
                return broken(method, ended: false)
            }
        }
    }

    /// The connection is over, or cannot be read any further.
    private mutating func broken(_ method: String, ended: Bool) -> ExchangeOutcome.Got {
        var stream = StrictReading(pending)
        defer { leave() }
        do throws(Misread) {
            let (response, interim) = try stream.response(to: method, ended: ended)
            return outcome(response, interim)
        } catch {
            // Whether at least a final head was read.
            var head = StrictReading(pending)
            let hasHead = (try? head.response(to: "HEAD", ended: true)) != nil
            return hasHead ? .cutShort : .nothing(error)
        }
    }

    private mutating func leave() {
        socket = nil
        pending = []
    }

    private func outcome(_ response: WireResponse, _ interim: Int) -> ExchangeOutcome.Got {
        let isOwn = response.fields.values(of: "content-type") == ["application/problem+json"]
        return isOwn ? .refused(status: response.status) : .whole(response, interim: interim)
    }
}

/// Answers a request for `/N` as case N says, and one for `/N/next` as it should be.
private final class MutatingOrigin: Sendable {
    let port: UInt16
    private let listener: Socket
    private let mutation: ResponseMutation
    private let sockets = Mutex<[ObjectIdentifier: Socket]>([:])

    init(_ mutation: ResponseMutation) throws {
        listener = try Socket.boundToLoopback()
        try listener.startListening()
        port = try listener.port()
        self.mutation = mutation
        Thread.detachNewThread { [self] in
            while let socket = listener.accept() {
                sockets.withLock { $0[ObjectIdentifier(socket)] = socket }
                Thread.detachNewThread { [self] in
                    try? serve(socket)
                    sockets.withLock { $0[ObjectIdentifier(socket)] = nil }
                }
            }
        }
    }

    func end() {
        listener.shutDown()
        for socket in sockets.withLock({ Array($0.values) }) { socket.shutDown() }
    }

    private func serve(_ socket: Socket) throws {
        let reader = MessageReader(socket)
        while let request = try reader.request(by: Deadline(seconds: 120)) {
            let target = request.startLine.split(separator: " ")[1].dropFirst().split(separator: "/")
            guard let index = target.first.flatMap({ Int($0) }) else { return }
            if target.count == 2 {
                let body = "next of \(index)"
                try socket.send(latin1Bytes("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"))
                continue
            }
            let exchange = mutation.exchange(index)
            for (start, end) in zip([0] + exchange.cuts, exchange.cuts + [exchange.bytes.count]) {
                try socket.send(exchange.bytes[start..<end])
            }
            switch exchange.ending {
            case .keeps: continue
            case .closes: return
            case .resets: return socket.reset()
            }
        }
    }
}
