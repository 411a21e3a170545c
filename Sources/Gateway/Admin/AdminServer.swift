// The admin listener: health, readiness, metrics and status over HTTP, on the control loop, and a page that draws them.
//
// It cannot disturb what it watches. Workers are asked by mailbox and answer with a copy of their figures; one that does
// not answer in time is what the response says, and nothing waits for it. Connections are bounded in number, time and
// bytes; where all are taken, the oldest gives way, so that clients that only connect cannot keep a health check out.

import Bytes
import Configuration
import HTTPWire
import Observability
import Reactor

final class AdminServer: ListenerHandler {
    static let connectionsMax = 64
    /// How long a connection may last: a scrape takes milliseconds.
    static let connectionMilliseconds: Int64 = 10_000
    /// How long workers may take to answer: below the second that Kubernetes gives a probe.
    static let answerMilliseconds: Int64 = 800

    private enum Page: String, CaseIterable {
        case drawing = "/"
        case health = "/healthz"
        case readiness = "/readyz"
        case metrics = "/metrics"
        case status = "/status"
        case migration = "/migration"
    }

    private let site: AdminSite
    private let statusPage: StatusPage
    private let loop: EventLoop
    private let log: EventLog
    private let connectionMilliseconds: Int64
    private var listener: Listener?
    /// In the order in which they came.
    private var connections: [AdminConnection] = []

    /// Listens from the moment that the loop runs.
    init(
        _ site: AdminSite, on bound: BoundSocket, loop: EventLoop, log: EventLog,
        connectionMilliseconds: Int64 = AdminServer.connectionMilliseconds
    ) throws {
        self.site = site
        statusPage = StatusPage()
        self.connectionMilliseconds = connectionMilliseconds
        self.loop = loop
        self.log = log
        listener = try Listener(on: loop, bound: bound, handler: self)
    }

    /// From now on it is not ready, and answers until `stop`.
    func drain() {
        site.isDraining = true
    }

    func stop() {
        listener?.stop()
        listener = nil
        for connection in connections { connection.close() }
    }

    // MARK: Connections

    var mayAccept: Bool { true }

    func accepted(_ socket: consuming Socket, from peer: SocketAddress) {
        if connections.count == AdminServer.connectionsMax { connections[0].close() }
        do throws(SystemError) {
            connections.append(
                try AdminConnection(
                    server: self, socket: socket, loop: loop, lifetimeMilliseconds: connectionMilliseconds))
        } catch {
            log.log(.error, "cannot serve a connection to the admin address: \(error)")
        }
    }

    func cannotAccept(_ error: SystemError) {
        log.log(.error, "connections to the admin address are not accepted and wait: \(error)")
    }

    func closed(_ connection: AdminConnection) {
        connections.removeAll { $0 === connection }
    }

    // MARK: Requests

    /// Calls `respond` once, at once or later; it may never be called once the server has stopped.
    ///
    /// - Parameter authority: what the request names as `host[:port]`.
    func answer(
        _ method: Method, _ authority: String?, _ path: Span<UInt8>, query: String?,
        _ respond: @escaping (AdminResponse) -> Void
    ) {
        guard site.hosts.include(authority) else {
            return respond(
                .text(
                    .misdirected,
                    "Nothing is told under this name, which a web site could have made lead here: use an IP address or "
                        + "localhost, or give the name to 'admin', as in 'admin 127.0.0.1:9090 host=name.example.com;'."))
        }
        guard let page = Page(rawValue: path.text()) else {
            let pages = Page.allCases.map(\.rawValue).joined(separator: ", ")
            return respond(.text(.notFound, "There is nothing here; there is something at \(pages)."))
        }
        guard method == .get || method == .head else {
            return respond(.text(.methodNotAllowed, "Only GET and HEAD are answered here."))
        }
        switch page {
        case .drawing:
            respond(.page(statusPage))
        case .readiness:
            respond(site.readiness.response)
        case .migration:
            catchUp(respond, withSketches: query != "sketches=off")
        case .health:
            askWorkers(respond) { _ in .text(.ok, "ok") }
        case .metrics:
            askWorkers(respond) { [site] workers in
                let status = site.status(workers)
                return .metrics { MetricsPage(status, usage: .current).write(to: $0) }
            }
        case .status:
            askWorkers(respond) { [site] workers in
                let status = site.status(workers)
                return .json(.ok) { StatusDocument(status).write(to: &$0) }
            }
        }
    }

    /// Responds with what `page` makes of all workers' figures, or with 503 where some do not come.
    private func askWorkers(
        _ respond: @escaping (AdminResponse) -> Void, _ page: @escaping ([WorkerSnapshot]) -> AdminResponse
    ) {
        RollCall.take(on: loop, site.workers, withinMilliseconds: AdminServer.answerMilliseconds) { answers in
            let workers = answers.compactMap { $0 }
            respond(
                workers.count == answers.count
                    ? page(workers) : Self.silence(of: answers.count - workers.count, among: answers.count))
        }
    }

    /// Responds with the ledger up to this moment, or with 503: what it does not know would look like what was not used.
    private func catchUp(_ respond: @escaping (AdminResponse) -> Void, withSketches: Bool) {
        site.ledger.unwrapped.catchUp(withinMilliseconds: AdminServer.answerMilliseconds) { [site] silence in
            switch silence {
            case nil: respond(site.migration(withSketches: withSketches))
            case .workers(let count): respond(Self.silence(of: count, among: site.workers.count))
            case .reading: respond(.text(.unavailable, "What state_dir knows of this is still being read."))
            }
        }
    }

    private static func silence(of count: Int, among workers: Int) -> AdminResponse {
        .text(
            .unavailable,
            "\(count) of \(workers) workers did not answer within \(AdminServer.answerMilliseconds) ms.")
    }
}
