// A backend's servers as one worker knows them: which is next, where they are, the idle connections to them, and the
// exchanges that wait for an address.
//
// What the control loop learns (addresses, health) arrives as news through the worker's mailbox. What requests show is
// each worker's own, so nothing is shared and nothing locked. A server's coming and going is logged when it turns, and
// not with each request.

import Configuration
import Observability
import Reactor

/// What has been found out about one server of a group, away from any request.
enum UpstreamNews: Sendable, Equatable {
    case addresses(UpstreamAddresses)
    case health(isHealthy: Bool)
}

final class UpstreamGroup {
    let policy: UpstreamPolicy
    private(set) var servers: [UpstreamServer] = []
    let pool: UpstreamPool
    private let loop: EventLoop
    private let log: EventLog
    /// Keeps the news coming; nil: there is nobody to bring any.
    private let lease: WatchLease?
    private var balancer: Balancer
    // An exchange leaves when it is released: it may serve another client by the time that addresses arrive.
    private var awaitingAddresses: [ObjectIdentifier: Exchange] = [:]

    /// - Parameter former: groups that this one may share servers with: what they know of those, it knows.
    init(
        _ policy: UpstreamPolicy, loop: EventLoop, log: EventLog, lease: WatchLease? = nil, after former: [UpstreamGroup] = []
    ) {
        self.policy = policy
        self.loop = loop
        self.log = log
        self.lease = lease
        balancer = Balancer(policy)
        pool = UpstreamPool(loop: loop, idleMax: policy.keepalive, serverCount: policy.servers.count)
        servers = policy.servers.enumerated().map { index, server in UpstreamServer(server, in: self, at: index) }
        for server in servers {
            if case .known = server.addresses { balancer.setHasAddress(server.index, true) }
            adopt(server, from: former)
        }
    }

    private func adopt(_ server: UpstreamServer, from former: [UpstreamGroup]) {
        let own = policy.servers[server.index]
        for group in former {
            guard let index = group.policy.servers.firstIndex(where: { $0.isSamePlace(as: own) }) else { continue }
            _ = server.install(group.servers[index].addresses)
            let sharesChecks = policy.healthCheck == group.policy.healthCheck
            balancer.adopt(server.index, from: group.balancer, at: index, sharesChecks: sharesChecks)
            return
        }
    }

    /// What its watch is known by.
    var watchID: Int? { lease?.id }

    /// No more requests come: idle connections are closed, and those in use when they are given back.
    func retire() { pool.retire() }

    /// The server to try next; nil where all were tried.
    func next(except tried: ServerSet) -> UpstreamServer? {
        balancer.choose(except: tried, at: loop.now).map { servers[$0] }
    }

    func requestStarted(at server: UpstreamServer) { balancer.requestStarted(at: server.index) }
    func requestEnded(at server: UpstreamServer) { balancer.requestEnded(at: server.index) }

    /// None of its addresses took a connection, or a new one ended without an answer.
    func failed(_ server: UpstreamServer, _ reason: String) {
        guard balancer.failed(server.index, at: loop.now) else { return }
        log.log(.warn, "upstream \(server.name): \(reason)\(servers.count > 1 ? "; passed over for a while" : "")")
    }

    /// The first bytes of an answer to a request that was given to it at `start`.
    func answered(_ server: UpstreamServer, to start: Int64) {
        guard balancer.answered(server.index, to: start) else { return }
        log.log(.notice, "upstream \(server.name): answers again")
    }

    /// The servers as this worker sees them, in their order.
    var figures: [UpstreamServerFigures] {
        servers.map { server in
            UpstreamServerFigures(
                standings: [balancer.standing(of: server.index, at: loop.now): 1],
                requestsUnderWay: balancer.requestsUnderWay(at: server.index),
                idleConnections: pool.idleConnections(to: server))
        }
    }

    func install(_ news: UpstreamNews, forServerAt index: Int) {
        switch news {
        case .health(let isHealthy):
            balancer.setHealthy(index, isHealthy)
        case .addresses(let addresses):
            let server = servers[index]
            guard server.install(addresses) else { return }
            if case .known = addresses { balancer.setHasAddress(index, true) }
            pool.dropConnectionsElsewhere(of: server)
            for exchange in awaitingAddresses.values {
                exchange.addressesArrived()
                exchange.advance()
            }
        }
    }

    func awaitAddresses(_ exchange: Exchange) {
        awaitingAddresses[ObjectIdentifier(exchange)] = exchange
    }

    func forgetWaiting(_ exchange: Exchange) {
        awaitingAddresses[ObjectIdentifier(exchange)] = nil
    }
}
