// A server's name, looked up again and again, with a name server that says what the test wants.

import Configuration
import Foundation
import Observability
import Synchronization
import Testing

@testable import Gateway
@testable import Reactor

@Suite struct UpstreamResolverTests {
    private static let name = Endpoint.tcp(host: "backend.example", port: 80)

    private final class Record: Sendable {
        let news = Mutex<[UpstreamNews]>([])
        let lookUps = Mutex(0)
    }

    /// A watch on a loop of its own, of one server.
    private final class Watched {
        let record = Record()
        private let loop: EventLoop
        private let log: EventLog
        private let logFile = FileManager.default.temporaryDirectory.appending(path: "antechamber-\(UUID().uuidString).log")
        private let watch: QueueBound<UpstreamWatch>

        /// Look-ups end as `answers` say, one after the other; the last one is repeated.
        init(_ endpoint: Endpoint = UpstreamResolverTests.name, answers: [NameResolver.Outcome]) throws {
            loop = try EventLoop(label: "test.control", lingerMilliseconds: 0)
            log = EventLog(try LogFile(appendingTo: logFile.path, lossNote: EventLog.lossNote), level: .notice)
            let policy = UpstreamPolicy(servers: [.init(endpoint)], resolveMilliseconds: 20)
            let record = record
            let watch = UpstreamWatch(
                policy, loop: loop, log: log,
                resolve: { host, port, completion in
                    #expect(host == "backend.example" && port == 80)
                    let place = record.lookUps.withLock { count in
                        defer { count += 1 }
                        return count
                    }
                    DispatchQueue.global().async { completion(answers[min(place, answers.count - 1)]) }
                },
                publish: { news, index in
                    #expect(index == 0)
                    record.news.withLock { $0.append(news) }
                })
            let bound = loop.bind(watch)
            self.watch = bound
            loop.resume()
            loop.mailbox.post { bound.unwrapped.start() }
        }

        /// Ends it, and returns what it has logged.
        func stop() throws -> String {
            let ended = DispatchSemaphore(value: 0)
            let bound = watch
            let loop = loop.bind(loop)
            self.loop.mailbox.post {
                bound.unwrapped.stop()
                loop.unwrapped.close()
                ended.signal()
            }
            ended.wait()
            log.flush(timeoutMilliseconds: 30_000)
            defer { try? FileManager.default.removeItem(at: logFile) }
            return try String(contentsOf: logFile, encoding: .utf8)
        }

        func awaitNews(_ count: Int) -> [UpstreamNews] {
            while true {
                let news = record.news.withLock { $0 }
                if news.count >= count { return Array(news.prefix(count)) }
                usleep(1000)
            }
        }
    }

    private func address(_ last: Int) throws -> SocketAddress {
        try #require(SocketAddress(numericHost: "192.0.2.\(last)", port: 80))
    }

    @Test("a name is looked up again and again, and what has changed is told")
    func again() async throws {
        let (one, two) = try (address(1), address(2))
        let watched = try Watched(answers: [.success([one]), .success([one, two]), .success([two])])
        #expect(
            watched.awaitNews(3)
                == [.addresses(.known([one])), .addresses(.known([one, two])), .addresses(.known([two]))])
        #expect(try watched.stop() == "")
    }

    @Test("a name server that fails is logged once, and once when it answers again")
    func failing() async throws {
        let one = try address(1)
        let failure = NameResolver.Outcome.failure(.init(reason: "no such name"))
        let watched = try Watched(answers: [.success([one]), failure, failure, .success([one])])
        let unknown = UpstreamNews.addresses(.unknown(reason: "no such name"))
        #expect(watched.awaitNews(4) == [.addresses(.known([one])), unknown, unknown, .addresses(.known([one]))])
        let lines = try watched.stop().split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.contains("the name cannot be resolved: no such name; the addresses it had serve on") == true)
        #expect(lines.last?.contains("the name resolves again") == true)
    }

    @Test("of a name with very many addresses so many are used, and no more")
    func bounded() async throws {
        let many = try (0..<200).map(address)
        let watched = try Watched(answers: [.success(many)])
        #expect(watched.awaitNews(1) == [.addresses(.known(Array(many.prefix(UpstreamResolver.addressesMax))))])
        _ = try watched.stop()
    }

    @Test("numeric addresses and socket files are never looked up", arguments: [
        Endpoint.tcp(host: "192.0.2.1", port: 80), .tcp(host: "2001:db8::1", port: 80), .unix(path: "/run/a.sock"),
    ])
    func numeric(endpoint: Endpoint) async throws {
        let watched = try Watched(endpoint, answers: [.failure(.init(reason: "never asked"))])
        #expect(try watched.stop() == "")
        #expect(watched.record.lookUps.withLock { $0 } == 0)
    }

    @Test("what a look-up changes: the set counts, not its order, and failing ones take nothing away")
    func installing() async throws {
        let (one, two, three) = try (address(1), address(2), address(3))
        let loop = try EventLoop(label: "test.worker", lingerMilliseconds: 0)
        let log = EventLog(try LogFile(appendingTo: "/dev/null", lossNote: EventLog.lossNote), level: .error)
        let group = UpstreamGroup(UpstreamPolicy(servers: [.init(Self.name)]), loop: loop, log: log)
        let server = group.servers[0]
        #expect(server.addresses == .resolving)
        #expect(server.install(.unknown(reason: "no such name")))
        #expect(server.install(.known([one, two])))
        server.goodAddress = 1
        #expect(!server.install(.known([two, one])))
        #expect(!server.install(.unknown(reason: "no such name")))
        #expect(server.addresses == .known([one, two]))
        #expect(server.install(.known([two, three])))
        #expect(server.goodAddress == 0, "where the address that worked has moved to")
        #expect(!server.isAt(one) && server.isAt(two) && server.isAt(three))
        #expect(server.install(.known([three])))
        #expect(server.goodAddress == 0)
    }
}
