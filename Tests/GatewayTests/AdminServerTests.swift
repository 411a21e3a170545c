// The admin pages where a worker does not answer, which no scenario can make it do.

import Admission
import Bytes
import Configuration
import Foundation
import Migration
import Observability
import Reactor
import Testing

@testable import Gateway

@Suite("The admin pages")
struct AdminServerTests {
    /// Plays `scenario` with the address of admin pages of a proxy with these workers.
    ///
    /// - Parameters:
    ///   - legacyWorkers: the same ones, asked for what they have counted of the one legacy audience; nil: there is none.
    ///   - stateDirectory: where its ledger lies, which is never read.
    private func serve<Result>(
        workers: [RollCall<WorkerSnapshot>.Question], legacyWorkers: [RollCall<LegacyTallies.Taken>.Question]? = nil,
        stateDirectory: StateDirectory? = nil, connectionMilliseconds: Int64 = AdminServer.connectionMilliseconds,
        _ scenario: (SocketAddress) throws -> Result
    ) throws -> Result {
        let loop = try EventLoop(label: "test.control", lingerMilliseconds: 0)
        let logFile = FileManager.default.temporaryDirectory.appending(path: "antechamber-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(at: logFile) }
        let log = EventLog(try LogFile(appendingTo: logFile.path, lossNote: EventLog.lossNote), level: .warn)
        let upstream = UpstreamPolicy(servers: [.init(.tcp(host: "127.0.0.1", port: 9))])
        let issuers = legacyWorkers == nil ? [] : [Self.issuer]
        let settings = ProxyConfiguration(upstream: upstream, admission: AdmissionPolicy(issuers: issuers))
        let places = try Places(of: settings)
        let facts = ProcessFacts(
            version: "1", settings: settings, names: places.names, listeners: [], startedAtWall: 0, startedAt: 0,
            configuredAtWall: 0)
        let site = AdminSite(
            facts, loop: loop, keys: try KeyService(policies: [], loop: loop) { _, _ in },
            watches: [WatchLease(UpstreamWatch(upstream, loop: loop, log: log) { _, _ in }, id: 1, on: loop)],
            limits: [],
            ledger: loop.bind(
                MigrationLedger(
                    issuers, places, in: stateDirectory, loop: loop, workers: legacyWorkers ?? []
                ) { _, _ in }),
            losses: LogLosses(), workers: workers)
        let socket = try BoundSocket(endpoint: .tcp(host: "127.0.0.1", port: 0), sharesPort: false)
        let server = loop.bind(
            try AdminServer(site, on: socket, loop: loop, log: log, connectionMilliseconds: connectionMilliseconds))
        loop.resume()
        let bound = loop.bind(loop)
        defer {
            loop.mailbox.post {
                server.unwrapped.stop()
                bound.unwrapped.close()
            }
        }
        return try scenario(socket.address)
    }

    private static func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n" }

    /// What a GET of `path` gets there.
    private func response(
        to path: String, workers: [RollCall<WorkerSnapshot>.Question],
        legacyWorkers: [RollCall<LegacyTallies.Taken>.Question]? = nil, stateDirectory: StateDirectory? = nil
    ) throws -> String {
        try serve(workers: workers, legacyWorkers: legacyWorkers, stateDirectory: stateDirectory) { address in
            try RunningWorker.Client(address, Self.get(path)).response()
        }
    }

    private static let answering: RollCall<WorkerSnapshot>.Question = { answer in
        let policy = AdmissionPolicy(issuers: [], tokenCacheEntries: 0)
        answer(
            WorkerSnapshot(
                generation: 1, metrics: WorkerMetrics(CountedNames()),
                tokens: Authenticator(policy: policy).counters, rememberedTokens: 0, connections: ConnectionFigures(),
                upstreams: [[UpstreamServerFigures(standings: [:], requestsUnderWay: 0, idleConnections: 0)]]))
    }

    @Test("A worker that does not answer makes a page 503, in words, and not a wait", arguments: [
        "/healthz", "/metrics", "/status",
    ])
    func silentWorker(path: String) throws {
        let response = try response(to: path, workers: [Self.answering, { _ in }])
        #expect(response.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(response.hasSuffix("\r\n\r\n1 of 2 workers did not answer within 800 ms.\n"))
    }

    private static let issuer = IssuerPolicy(
        identifier: "https://issuer.example/", audiences: ["x"],
        legacyAudiences: [LegacyAudience(audience: "old", name: "web")])

    /// Answers that one request was seen.
    private static let counting: RollCall<LegacyTallies.Taken>.Question = { answer in
        var tally = LegacyTally(routeCount: 1)
        tally.record(at: 1_799_971_200, subject: nil, issuedAt: nil, route: 0, userAgent: [UInt8]().span)
        answer([(0, tally)])
    }

    @Test("The migration page has what workers have counted up to the moment it is asked for")
    func migration() throws {
        let page = try response(
            to: "/migration", workers: [Self.answering, Self.answering],
            legacyWorkers: [Self.counting, Self.counting])
        #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(page.contains("\"requests\":2,\"first_seen\":\"2027-01-15T00:00:00Z\""), "\(page)")
        #expect(page.contains("\"sketch\":"))
        let bare = try response(
            to: "/migration?sketches=off", workers: [Self.answering], legacyWorkers: [Self.counting, Self.counting])
        #expect(bare.contains("\"days\":[{\"day\":\"2027-01-15\",\"requests\":2,\"subjects\":0}]"), "\(bare)")
        let none = try response(to: "/migration", workers: [])
        #expect(none.contains("\"legacy_audiences\":[]}"))
    }

    @Test("A worker that does not say what it has counted makes the migration page 503: unknown use is not none")
    func silentMigration() throws {
        let page = try response(
            to: "/migration", workers: [Self.answering, Self.answering], legacyWorkers: [Self.counting, { _ in }])
        #expect(page.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(page.hasSuffix("\r\n\r\n1 of 2 workers did not answer within 800 ms.\n"))
    }

    @Test("While state_dir is being read the migration page is 503: what lies there is not nothing")
    func unreadMigration() throws {
        let page = try response(
            to: "/migration", workers: [Self.answering], legacyWorkers: [Self.counting],
            stateDirectory: StateDirectory(FileManager.default.temporaryDirectory.path))
        #expect(page.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(page.hasSuffix("\r\n\r\nWhat state_dir knows of this is still being read.\n"))
    }

    @Test("Whether it is ready does not hang on the workers")
    func readiness() throws {
        #expect(try response(to: "/readyz", workers: [{ _ in }]).hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test("With every worker's answer, each page is there", arguments: ["/healthz", "/metrics", "/status"])
    func answered(path: String) throws {
        #expect(try response(to: path, workers: [Self.answering, Self.answering]).hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test("Where all connections are taken the oldest gives way, and no other", arguments: [63, 64, 65, 200])
    func crowd(idle count: Int) throws {
        // So long that no connection ends by itself.
        try serve(workers: [Self.answering], connectionMilliseconds: 3_600_000) { address in
            let idlers = try (0..<count).map { _ in try RunningWorker.Client(address) }
            #expect(try RunningWorker.Client(address, Self.get("/healthz")).response().hasSuffix("\r\n\r\nok\n"))
            // With the request there was one more.
            let displaced = max(0, count + 1 - AdminServer.connectionsMax)
            for idler in idlers[..<displaced] { #expect(try idler.response() == "") }
            for idler in idlers[displaced...] {
                idler.send(Self.get("/healthz"))
                #expect(try idler.response().hasPrefix("HTTP/1.1 200 OK\r\n"))
            }
        }
    }
}
