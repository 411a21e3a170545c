// What one configuration comes to in one worker: the rules, bounds and backends that requests are served by.
//
// A reload makes a new one. Nothing of an old one changes then: an exchange goes by the generation under which it was
// decided, to its end, and an old one is gone with the last of its exchanges.

import Admission
import Configuration
import Observability
import Reactor

/// A configuration with all that it takes to serve it, for all workers: what can fail has been done by the time that there
/// is one.
struct ServedConfiguration: Sendable {
    /// Counts the configurations of this process, from 1.
    let number: Int
    let settings: ProxyConfiguration
    let places: Places
    let accessLog: LogFile?
    /// Of each of the configuration's `upstreams`.
    let watches: [WatchLease]
    /// Of each of its `rateLimits`.
    let rateLimiters: [RateLimiter]

    /// - Parameter former: the one before; limits that stay as they are go on with what they have counted.
    init(
        number: Int, settings: ProxyConfiguration, places: Places, accessLog: LogFile?, watches: [WatchLease],
        after former: ServedConfiguration? = nil
    ) {
        self.number = number
        self.settings = settings
        self.places = places
        self.accessLog = accessLog
        self.watches = watches
        // Others may stand in front of it by now: of those that are alike, the first goes on as the first.
        var left = former?.rateLimiters ?? []
        rateLimiters = settings.rateLimits.map { limit in
            guard let place = left.firstIndex(where: { $0.limit.isAlike(limit) }) else { return RateLimiter(limit) }
            return left.remove(at: place)
        }
    }
}

final class Generation {
    /// Of the configuration, in this process.
    let number: Int
    let settings: ProxyConfiguration
    let places: Places
    let hygiene: HeaderHygiene
    let tokens: TokenPlaces
    let metadata: ResourceMetadata?
    /// What is answered here, and not by the backend.
    let documents: [PublicDocument]
    let upgrades: UpgradeRule
    /// One for each of the configuration's `upstreams`.
    let upstreams: [UpstreamGroup]
    let routes: ServedRoutes
    let compressors: CompressorPool

    /// - Parameter former: the one before; backends that stay as they are go on with what they have.
    init(_ served: ServedConfiguration, loop: EventLoop, log: EventLog, after former: Generation? = nil) {
        let settings = served.settings
        number = served.number
        self.settings = settings
        places = served.places
        hygiene = HeaderHygiene(policy: settings.admission)
        tokens = TokenPlaces(settings.admission.tokenSources)
        metadata = ResourceMetadata(settings.admission)
        documents = [metadata?.document, .mintKeys(settings.admission)].compactMap(\.self)
        upgrades = UpgradeRule(settings.tunnels.protocols)
        let formerGroups = former?.upstreams ?? []
        upstreams = settings.upstreams.enumerated().map { index, policy in
            let lease = served.watches.indices.contains(index) ? served.watches[index] : nil
            if let lease, let same = formerGroups.first(where: { $0.watchID == lease.id }) { return same }
            return UpstreamGroup(policy, loop: loop, log: log, lease: lease, after: formerGroups)
        }
        routes = ServedRoutes(settings, at: places, groups: upstreams, limiters: served.rateLimiters)
        compressors = CompressorPool(level: settings.gzip.level)
    }

    /// Another one has taken its place, with some of its backends.
    func retire(for next: Generation) {
        for group in upstreams where !next.upstreams.contains(where: { $0 === group }) { group.retire() }
    }

    /// How long a request waits for keys: a fetch with its discovery step, and a moment.
    var keyWaitMilliseconds: Int64 {
        let slowest = settings.admission.issuers.map(\.keys.timeoutMilliseconds).max() ?? 0
        return 2 * slowest + 1000
    }
}
