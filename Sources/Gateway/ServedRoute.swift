// A location, or all that lies in none, as a worker serves it: its rules, its backend and its bounds in one place.

import Admission
import Bytes
import Configuration
import HTTPWire

final class ServedRoute {
    /// 0 of what lies in no location, 1 of the first location.
    let index: Int
    let rules: Route
    let authorization: AuthorizationPolicy
    let group: UpstreamGroup
    let readTimeoutMilliseconds: Int64
    /// 0 sets no bound.
    let bodyBytesMax: UInt64
    /// The location as it is configured, the inside of a JSON string; empty for what lies in none.
    let nameJSON: [UInt8]

    fileprivate init(
        _ policy: RoutePolicy, at index: Int, under rules: [AccessRules], group: UpstreamGroup,
        readTimeoutMilliseconds: Int64, bodyBytesMax: UInt64, name: String
    ) {
        self.index = index
        self.rules = Route(policy)
        authorization = rules[policy.rulesIndex].authorization
        self.group = group
        self.readTimeoutMilliseconds = readTimeoutMilliseconds
        self.bodyBytesMax = bodyBytesMax
        // A location's path is of characters that stand for themselves in JSON too.
        nameJSON = Array(name.utf8)
    }
}

/// All routes of a worker, and the way to the one that a request takes.
struct ServedRoutes {
    /// Of what lies in no location.
    let main: ServedRoute
    private let locations: [ServedRoute]
    private let table: RouteTable

    /// - Parameter groups: one for each of the configuration's `upstreams`.
    init(_ settings: ProxyConfiguration, groups: [UpstreamGroup]) {
        let rules = settings.admission.rules
        main = ServedRoute(
            settings.route, at: 0, under: rules, group: groups[0], readTimeoutMilliseconds: settings.timeouts.proxyRead,
            bodyBytesMax: settings.limits.bodyBytes, name: "")
        let upstreams = settings.upstreams
        locations = settings.locations.enumerated().map { index, location in
            let place = location.upstream.flatMap { upstreams.firstIndex(of: $0) } ?? 0
            return ServedRoute(
                location.route, at: index + 1, under: rules, group: groups[place],
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
        if table.isEmpty { return main }
        // An absolute-form target without a path asks for the root, or, as `*` does, for the server as a whole.
        if head.path.isEmpty {
            if head.method == .options, head.query == nil { return main }
            let root: [1 of UInt8] = [UInt8(ascii: "/")]
            return try table.place(of: root.span).map { locations[$0] } ?? main
        }
        let path = bytes.slice(head.path)
        if path.equals("*") { return main }
        return try table.place(of: path).map { locations[$0] } ?? main
    }
}
