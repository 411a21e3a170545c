// Watches a group's servers from the control loop, one for all workers: where they are, and whether they are up.

import Configuration
import Observability
import Reactor

final class UpstreamWatch {
    typealias Publish = @Sendable (_ news: UpstreamNews, _ serverIndex: Int) -> Void

    let policy: UpstreamPolicy
    private let loop: EventLoop
    private let resolvers: [UpstreamResolver]
    private let checkers: [HealthChecker]
    private let intervalMilliseconds: Int64

    /// - Parameter former: watches over groups that this one may share servers with: what they know of those, it knows.
    init(
        _ policy: UpstreamPolicy, loop: EventLoop, log: EventLog, after former: [UpstreamWatch] = [],
        resolve: @escaping UpstreamResolver.LookUp = NameResolver.resolve, publish: @escaping Publish
    ) {
        self.policy = policy
        self.loop = loop
        var resolvers: [UpstreamResolver] = []
        var checkers: [HealthChecker] = []
        for (index, server) in policy.servers.enumerated() {
            let resolver = UpstreamResolver(
                server.endpoint, refreshMilliseconds: policy.resolveMilliseconds, loop: loop, log: log,
                after: former.lazy.compactMap { $0.resolver(of: server.endpoint) }.first, resolve: resolve)
            resolver.publish = { publish(.addresses($0), index) }
            resolvers.append(resolver)
            guard let check = policy.healthCheck else { continue }
            let checker = HealthChecker(
                check, of: server, at: resolver, loop: loop, log: log,
                after: former.lazy.compactMap { $0.checker(of: server, check) }.first)
            checker.publish = { publish(.health(isHealthy: $0), index) }
            checkers.append(checker)
        }
        self.resolvers = resolvers
        self.checkers = checkers
        intervalMilliseconds = policy.healthCheck?.intervalMilliseconds ?? 0
    }

    /// Begins to watch, on the loop. The first checks are spread over an interval, and so all that follow.
    func start() {
        for resolver in resolvers { resolver.start() }
        for (index, checker) in checkers.enumerated() {
            checker.start(afterMilliseconds: intervalMilliseconds * Int64(index) / Int64(checkers.count))
        }
    }

    /// Whether health checks have shown each server to be up, in their order; nil: there are no checks.
    var serversShownUp: [Bool]? { checkers.isEmpty ? nil : checkers.map(\.isShownUp) }

    private func resolver(of endpoint: Endpoint) -> UpstreamResolver? {
        policy.servers.firstIndex { $0.endpoint == endpoint }.map { resolvers[$0] }
    }

    private func checker(of server: UpstreamPolicy.Server, _ check: UpstreamPolicy.HealthCheck) -> HealthChecker? {
        guard policy.healthCheck == check else { return nil }
        return policy.servers.firstIndex { $0.isSamePlace(as: server) }.map { checkers[$0] }
    }

    func stop() {
        for checker in checkers { checker.stop() }
        for resolver in resolvers { resolver.stop() }
    }
}
