// A worker on a loop of its own, whose backend has the addresses that a test gives it.

import Admission
import Bytes
import Configuration
import Foundation
import JOSE
import Observability
import Reactor
import Testing

@testable import Gateway

final class RunningWorker {
    private static let issuer = "https://issuer.example/"

    private let loop: EventLoop
    private let worker: QueueBound<Worker>
    private let address: SocketAddress
    private let log: EventLog
    private let logFile = FileManager.default.temporaryDirectory.appending(path: "antechamber-\(UUID().uuidString).log")
    private let token: String
    private var isStopped = false

    init(upstream ports: [UInt16], connectMilliseconds: Int64 = 30_000) throws {
        let signer = try TokenSigner(generating: .es256, keyID: "key")
        let now = Int(Date().timeIntervalSince1970)
        token = try signer.sign(
            claims: """
                {"iss":"\(Self.issuer)","aud":"x","sub":"alice","client_id":"cli","iat":\(now),"exp":\(now + 3600)}
                """)
        let keys = try KeySet(parsing: Array("{\"keys\":[\(signer.publicJWK)]}".utf8).span)

        log = EventLog(try LogFile(appendingTo: logFile.path, lossNote: EventLog.lossNote), level: .warn)
        let policy = IssuerPolicy(identifier: Self.issuer, audiences: ["x"])
        let settings = ProxyConfiguration(
            upstream: UpstreamPolicy(servers: [.init(.tcp(host: "backend.example", port: 80))]),
            admission: AdmissionPolicy(issuers: [policy]),
            timeouts: Timeouts(proxyConnect: connectMilliseconds))
        let shared = Worker.Shared(log: log, connections: ConnectionCount(maximum: 0)) { _, _, _ in }
        let served = ServedConfiguration(
            number: 1, settings: settings, places: try Places(of: settings), accessLog: nil, watches: [])

        loop = try EventLoop(label: "test.worker", lingerMilliseconds: 0)
        let worker = Worker(loop: loop, shared: shared, serving: served)
        let listener = try BoundSocket(endpoint: .tcp(host: "127.0.0.1", port: 0), sharesPort: false)
        address = listener.address
        try worker.listen(on: listener, as: ListenerPolicy(endpoint: .tcp(host: "127.0.0.1", port: 0)))
        worker.install(KeyMaterial(state: .usable(keys), forcedRefreshAllowedAt: 0), forIssuerAt: 0)
        worker.generation.upstreams[0].install(.addresses(Self.found(ports)), forServerAt: 0)
        self.worker = loop.bind(worker)
        loop.resume()
    }

    deinit {
        if !isStopped { _ = try? stop() }
    }

    /// Ends it, and returns what it has logged.
    func stop() throws -> String {
        isStopped = true
        let ended = DispatchSemaphore(value: 0)
        let worker = worker
        loop.mailbox.post {
            worker.unwrapped.stop()
            ended.signal()
        }
        ended.wait()
        log.flush(timeoutMilliseconds: 30_000)
        defer { try? FileManager.default.removeItem(at: logFile) }
        return try String(contentsOf: logFile, encoding: .utf8)
    }

    /// The backend's name leads to these addresses from now on; nil: it leads nowhere.
    func moveUpstream(to ports: [UInt16]?) {
        let worker = worker
        let addresses = ports.map(Self.found) ?? .unknown(reason: "no such name")
        loop.mailbox.post { worker.unwrapped.generation.upstreams[0].install(.addresses(addresses), forServerAt: 0) }
    }

    private static func found(_ ports: [UInt16]) -> UpstreamAddresses {
        .known(ports.compactMap { SocketAddress(numericHost: "127.0.0.1", port: $0) })
    }

    /// The worker learns of all that happens in `body` in one go, after it.
    func atOnce<Result>(_ body: () throws -> Result) rethrows -> Result {
        let isOver = DispatchSemaphore(value: 0)
        loop.mailbox.post { isOver.wait() }
        defer { isOver.signal() }
        return try body()
    }

    /// Sends a good GET over a connection of its own.
    func send() throws -> Client {
        try Client(
            address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \(token)\r\n\r\n")
    }

    final class Client {
        private let socket: Reactor.Socket

        /// - Parameter request: nil sends nothing yet.
        init(_ address: SocketAddress, _ request: String? = nil) throws {
            socket = try Socket.connecting(to: address)
            let connected = socket.wait(for: .write, timeoutMilliseconds: 30_000)
            try #require(connected)
            if let request { send(request) }
        }

        func send(_ text: String) {
            let bytes = ByteBuffer(capacity: 1024)
            bytes.append(Array(text.utf8))
            // A connection that has sent little takes it in one piece.
            let outcome = socket.write(from: bytes)
            #expect(outcome == .moved(text.utf8.count))
        }

        /// All that comes until the proxy closes.
        func response() throws -> String {
            let received = ByteBuffer(capacity: 1024)
            while true {
                let answered = socket.wait(for: .read, timeoutMilliseconds: 30_000)
                try #require(answered)
                if received.writableCount == 0 { received.reserve(1) }
                switch socket.read(into: received) {
                case .moved, .wouldBlock: continue
                case .endOfStream: return received.readable.text()
                case .failed(let error): throw error
                }
            }
        }
    }
}
