// What the admin pages are about: the whole process, at one moment.

import Configuration
import Observability
import Reactor

/// The sources of what is shown. Confined to the control loop.
final class AdminSite {
    let workers: [RollCall<WorkerSnapshot>.Question]
    var isDraining = false
    var reloads = ReloadFigures()
    private var process: ProcessFacts
    private let loop: EventLoop
    private let keys: KeyService
    /// Of each of the configuration's `upstreams`.
    private var watches: [WatchLease]
    private var limits: [CountedLimit]
    let ledger: QueueBound<MigrationLedger>
    private let losses: LogLosses

    init(
        _ process: ProcessFacts, loop: EventLoop, keys: KeyService, watches: [WatchLease], limits: [CountedLimit],
        ledger: QueueBound<MigrationLedger>, losses: LogLosses, workers: [RollCall<WorkerSnapshot>.Question]
    ) {
        self.process = process
        self.loop = loop
        self.keys = keys
        self.watches = watches
        self.limits = limits
        self.ledger = ledger
        self.losses = losses
        self.workers = workers
    }

    /// Another configuration is served, at these addresses.
    func become(_ served: ServedConfiguration, _ listeners: [Endpoint], isReload: Bool) {
        process.generation = served.number
        process.settings = served.settings
        process.names = served.places.names
        process.listeners = listeners
        watches = served.watches
        limits = CountedLimit.all(of: served)
        guard isReload else { return }
        process.configuredAtWall = Clock.wallNanoseconds()
        reloads.succeeded += 1
    }

    var hosts: AdminHosts { AdminHosts(process.settings.adminHosts) }

    var readiness: Readiness {
        Readiness(issuers: keys.statuses, upstreams: upstreams, isDraining: isDraining)
    }

    private var upstreams: [UpstreamHealth] {
        zip(process.settings.upstreams, watches).map { policy, lease in
            UpstreamHealth(policy: policy, serversShownUp: lease.watch.unwrapped.serversShownUp)
        }
    }

    /// Who still uses the legacy audiences, as far as the ledger knows.
    func migration(withSketches: Bool) -> AdminResponse {
        .json(.ok) { json in
            json.object { json in
                json.member("version", 1)
                json.member("instance", process.instance)
                ledger.unwrapped.writeMembers(into: &json, withSketches: withSketches)
            }
        }
    }

    /// - Parameter workers: every worker's figures.
    func status(_ workers: [WorkerSnapshot]) -> ProcessStatus {
        ProcessStatus(
            process: process, isDraining: isDraining, reloads: reloads, now: loop.now,
            issuers: keys.statuses, upstreams: upstreams,
            limits: limits.map { ($0, $0.figures(at: loop.now)) }, logLosses: losses, workers: workers,
            total: .merged(workers, upstreams: process.settings.upstreams, ofGeneration: process.generation))
    }
}

/// A backend, and what its health checks have shown.
struct UpstreamHealth {
    var policy: UpstreamPolicy
    /// Of each server; nil: there are no checks.
    var serversShownUp: [Bool]?
}

/// A limit as it is counted: by the place where it stands, and by what it says. Where the same line stands twice in one
/// place, both are one.
struct CountedLimit {
    let route: String
    let limit: String
    private var limiters: [RateLimiter] = []

    private init(_ route: String, _ limit: String) {
        self.route = route
        self.limit = limit
    }

    static func all(of served: ServedConfiguration) -> [CountedLimit] {
        let settings = served.settings
        return served.rateLimiters.enumerated().reduce(into: []) { all, numbered in
            let (index, limiter) = numbered
            // What a location inherits stands at the top level.
            let isMain = settings.route.rateLimits.contains { $0.index == index }
            let location = settings.locations.first { $0.route.rateLimits.contains { $0.index == index } }
            let route = isMain ? MetricsPage.mainRoute : location?.path.description ?? MetricsPage.mainRoute
            let name = limiter.limit.description
            let place = all.firstIndex { $0.route == route && $0.limit == name } ?? all.endIndex
            if place == all.endIndex { all.append(CountedLimit(route, name)) }
            all[place].limiters.append(limiter)
        }
    }

    func figures(at now: Int64) -> RateLimiterFigures {
        limiters.reduce(into: RateLimiterFigures()) { $0.merge($1.figures(at: now)) }
    }
}

/// How often another configuration was to be served.
struct ReloadFigures: Sendable, Equatable {
    var succeeded: UInt64 = 0
    var refused: UInt64 = 0
}

/// What does not change while the process runs, but with another configuration.
struct ProcessFacts: Sendable {
    var version: String
    /// Counts the configurations, from 1.
    var generation = 1
    var settings: ProxyConfiguration
    /// What is counted apart.
    var names: CountedNames
    /// Where it listens, with the ports that the system chose.
    var listeners: [Endpoint]
    /// Of the wall clock, in nanoseconds since 1970.
    var startedAtWall: Int64
    /// Monotonic nanoseconds.
    var startedAt: Int64
    /// When the configuration at hand came to be served, as `startedAtWall`.
    var configuredAtWall: Int64
    /// What no other process is called: whoever reaches it by two names can tell that it is one.
    var instance = String(UInt64.random(in: .min ... .max), radix: 16)
}

/// The process at one moment: what `/metrics` and `/status` are made of.
struct ProcessStatus {
    var process: ProcessFacts
    var isDraining: Bool
    var reloads: ReloadFigures
    /// Monotonic nanoseconds.
    var now: Int64
    var issuers: [IssuerStatus]
    /// In the order of the configuration's.
    var upstreams: [UpstreamHealth]
    var limits: [(limit: CountedLimit, figures: RateLimiterFigures)]
    var logLosses: LogLosses
    var workers: [WorkerSnapshot]
    /// All workers as one.
    var total: WorkerSnapshot
}
