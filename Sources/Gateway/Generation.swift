// What one configuration comes to in one worker: the rules, bounds and backends that requests are served by.
//
// A reload makes a new one. Nothing of an old one changes then: an exchange goes by the generation under which it was
// decided, to its end, and an old one is gone with the last of its exchanges.

import Admission
import Configuration
import Observability
import Reactor

final class Generation {
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

    init(_ settings: ProxyConfiguration, at places: Places, loop: EventLoop, log: EventLog) {
        self.settings = settings
        self.places = places
        hygiene = HeaderHygiene(policy: settings.admission)
        tokens = TokenPlaces(settings.admission.tokenSources)
        metadata = ResourceMetadata(settings.admission)
        documents = [metadata?.document, .mintKeys(settings.admission)].compactMap(\.self)
        upgrades = UpgradeRule(settings.tunnels.protocols)
        upstreams = settings.upstreams.map { UpstreamGroup($0, loop: loop, log: log) }
        routes = ServedRoutes(settings, at: places, groups: upstreams)
        compressors = CompressorPool(level: settings.gzip.level)
    }

    /// How long a request waits for keys: a fetch with its discovery step, and a moment.
    var keyWaitMilliseconds: Int64 {
        let slowest = settings.admission.issuers.map(\.keys.timeoutMilliseconds).max() ?? 0
        return 2 * slowest + 1000
    }
}
