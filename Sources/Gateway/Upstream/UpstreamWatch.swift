// Watches a group's servers from the control loop, one for all workers: where they are, and whether they are up.

import Configuration
import Observability
import Reactor

final class UpstreamWatch {
    typealias Publish = @Sendable (_ news: UpstreamNews, _ serverIndex: Int) -> Void

    private let loop: EventLoop
    private let resolvers: [UpstreamResolver]
    private let checkers: [HealthChecker]
    private let intervalMilliseconds: Int64

    init(
        _ policy: UpstreamPolicy, loop: EventLoop, log: EventLog,
        resolve: @escaping UpstreamResolver.LookUp = NameResolver.resolve, publish: @escaping Publish
    ) {
        self.loop = loop
        var resolvers: [UpstreamResolver] = []
        var checkers: [HealthChecker] = []
        for (index, server) in policy.servers.enumerated() {
            let resolver = UpstreamResolver(
                server.endpoint, refreshMilliseconds: policy.resolveMilliseconds, loop: loop, log: log,
                resolve: resolve)
            resolver.publish = { publish(.addresses($0), index) }
            resolvers.append(resolver)
            guard let check = policy.healthCheck else { continue }
            let checker = HealthChecker(check, of: server.endpoint, at: resolver, loop: loop, log: log)
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

    func stop() {
        for checker in checkers { checker.stop() }
        for resolver in resolvers { resolver.stop() }
    }
}
