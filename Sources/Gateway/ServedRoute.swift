// A location, or all that lies in none, as a worker serves it: its rules, its backend and its bounds in one place.

import Admission
import Bytes
import Configuration
import HTTPWire

/// A limit of a route, and its callers.
struct ServedLimit {
    let policy: RateLimit
    let limiter: RateLimiter
}

final class ServedRoute {
    /// Where admitted requests go.
    enum Destination {
        case backend(UpstreamGroup)
        /// Nowhere: whoever asks is told the verdict.
        case verify
        /// Nowhere, as there is no backend.
        case none
    }

    /// Where it is counted.
    let place: Int
    let rules: Route
    let authorization: AuthorizationPolicy
    let destination: Destination
    /// Looked at before the token is.
    let addressLimits: [ServedLimit]
    /// Looked at once it is known who calls.
    let callerLimits: [ServedLimit]
    let readTimeoutMilliseconds: Int64
    /// 0 sets no bound.
    let bodyBytesMax: UInt64
    /// The location as it is configured, the inside of a JSON string; empty for what lies in none.
    let nameJSON: [UInt8]

    fileprivate init(
        _ policy: RoutePolicy, at place: Int, under rules: [AccessRules], to destination: Destination,
        limiters: [RateLimiter], readTimeoutMilliseconds: Int64, bodyBytesMax: UInt64, name: String
    ) {
        self.place = place
        self.rules = Route(policy)
        authorization = rules[policy.rulesIndex].authorization
        self.destination = destination
        let limits = policy.rateLimits.map { ServedLimit(policy: $0, limiter: limiters[$0.index]) }
        addressLimits = limits.filter { $0.policy.key == .address }
        callerLimits = limits.filter { $0.policy.key != .address }
        self.readTimeoutMilliseconds = readTimeoutMilliseconds
        self.bodyBytesMax = bodyBytesMax
        // A location's path is of characters that stand for themselves in JSON too.
        nameJSON = Array(name.utf8)
    }
}

/// All routes of a worker, and the way to the one that a request takes.
final class ServedRoutes {
    /// Of what lies in no location.
    let main: ServedRoute
    private let locations: [ServedRoute]
    private let table: RouteTable

    /// - Parameters:
    ///   - groups: one for each of the configuration's `upstreams`.
    ///   - limiters: one for each of its `rateLimits`.
    init(_ settings: ProxyConfiguration, at places: Places, groups: [UpstreamGroup], limiters: [RateLimiter]) {
        let rules = settings.admission.rules
        let upstreams = settings.upstreams
        func backend(_ policy: UpstreamPolicy?) -> ServedRoute.Destination {
            policy.flatMap { upstreams.firstIndex(of: $0) }.map { .backend(groups[$0]) } ?? .none
        }
        main = ServedRoute(
            settings.route, at: Places.mainRoute, under: rules, to: backend(settings.upstream), limiters: limiters,
            readTimeoutMilliseconds: settings.timeouts.proxyRead, bodyBytesMax: settings.limits.bodyBytes, name: "")
        locations = settings.locations.enumerated().map { index, location in
            ServedRoute(
                location.route, at: places.locations[index], under: rules,
                to: location.isVerify ? .verify : backend(location.upstream ?? settings.upstream), limiters: limiters,
                readTimeoutMilliseconds: location.readTimeoutMilliseconds, bodyBytesMax: location.bodyBytesMax,
                name: location.path.description)
        }
        table = RouteTable(
            settings.locations.map { location in
                RouteTable.Location(
                    location.path, isPublic: location.route.isPublic, asksForNothing: location.route.asksForNothing)
            })
    }

    /// The route that a request takes.
    ///
    /// - Throws: the refusal of a path that a backend could take for one of another route.
    func route(of head: borrowing RequestHead, in bytes: Span<UInt8>) throws(Refusal) -> ServedRoute {
        try table.place(of: head, in: bytes).map { locations[$0] } ?? main
    }
}
