// What one worker has counted. Confined to its loop, so these are plain numbers; whoever wants to see them gets a copy.
//
// Every label is a place in a table that configurations have made (Places.swift), or of a closed set: no request and no
// token can add one. At steady state counting allocates nothing.

import Admission
import Configuration
import Observability

struct WorkerMetrics: Sendable {
    /// A request that is over, as it is counted.
    struct Request {
        /// Place of its route.
        var route: Int
        var verdict: AccessRecord.Verdict
        /// 0: none was sent.
        var status: Int
        var durationNanoseconds: Int64
        /// From its first byte upstream to the response's last byte from there; nil: the backend has not answered.
        var upstreamNanoseconds: Int64?
        /// Why it was refused, or cut short.
        var refusal: RefusalCode?
        /// Place of whose token it had, as far as that was found out.
        var issuer = Places.noIssuer
        /// Place of the legacy audience it was admitted for.
        var legacyAudience: Int?

        /// A connection that switched protocols lasts as long as its peers like, which says nothing of how fast
        /// requests are answered.
        var isTunnel: Bool { status == 101 }
    }

    /// By route, and for each by verdict.
    private(set) var requests: [[StatusCounts]]
    /// By issuer.
    private(set) var refusals: [[RefusalCode: UInt64]]
    /// By legacy audience.
    private(set) var legacyRequests: [UInt64]
    private(set) var duration = DurationHistogram()
    private(set) var upstreamDuration = DurationHistogram()
    var arrivals = ArrivalCounts()

    init(_ names: CountedNames) {
        requests = []
        refusals = []
        legacyRequests = []
        makeRoom(for: names)
    }

    /// There are names that were not counted before; those that were keep their places.
    mutating func makeRoom(for names: CountedNames) {
        makeRoom(routes: names.routes.count, issuers: names.issuers.count, audiences: names.audiences.count)
    }

    private mutating func makeRoom(routes: Int, issuers: Int, audiences: Int) {
        let verdicts = [StatusCounts](repeating: StatusCounts(), count: AccessRecord.Verdict.allCases.count)
        requests += Array(repeating: verdicts, count: max(0, routes - requests.count))
        refusals += Array(repeating: [:], count: max(0, issuers - refusals.count))
        legacyRequests += Array(repeating: 0, count: max(0, audiences - legacyRequests.count))
    }

    mutating func count(_ request: Request) {
        requests[request.route][request.verdict.index].add(request.status)
        if let code = request.refusal { refusals[request.issuer][code, default: 0] &+= 1 }
        if let audience = request.legacyAudience { legacyRequests[audience] &+= 1 }
        if request.isTunnel { return }
        duration.record(nanoseconds: request.durationNanoseconds)
        if let upstream = request.upstreamNanoseconds { upstreamDuration.record(nanoseconds: upstream) }
    }

    /// Adds what another worker has counted, which may know of fewer or of more names.
    mutating func merge(_ other: WorkerMetrics) {
        makeRoom(
            routes: other.requests.count, issuers: other.refusals.count, audiences: other.legacyRequests.count)
        for route in other.requests.indices {
            for verdict in requests[route].indices { requests[route][verdict].merge(other.requests[route][verdict]) }
        }
        for issuer in other.refusals.indices { refusals[issuer].merge(other.refusals[issuer], uniquingKeysWith: &+) }
        for audience in other.legacyRequests.indices { legacyRequests[audience] &+= other.legacyRequests[audience] }
        duration.merge(other.duration)
        upstreamDuration.merge(other.upstreamDuration)
        arrivals.merge(other.arrivals)
    }

    var requestCount: UInt64 { requests.joined().reduce(0) { $0 &+ $1.total } }

    func requestCount(_ verdict: AccessRecord.Verdict) -> UInt64 {
        requests.reduce(0) { $0 &+ $1[verdict.index].total }
    }

    /// Over all issuers, of each code that there was any of.
    var refusalCounts: [(code: RefusalCode, count: UInt64)] {
        RefusalCode.allCases.compactMap { code in
            let count = refusals.reduce(0) { $0 &+ ($1[code] ?? 0) }
            return count == 0 ? nil : (code, count)
        }
    }

    var refusalCount: UInt64 { refusals.reduce(0) { $0 &+ $1.values.reduce(0, &+) } }
}

/// A worker's figures at one moment.
struct WorkerSnapshot: Sendable {
    /// The number of the configuration that it serves.
    var generation: Int
    var metrics: WorkerMetrics
    var tokens: Authenticator.Counters
    var rememberedTokens: Int
    var connections: ConnectionFigures
    /// Each backend's servers in their order, as this worker sees them.
    var upstreams: [[UpstreamServerFigures]]

    /// All workers as one, and what they see of the backends of this generation: in the moment of a reload, workers differ.
    /// `snapshots` is not empty.
    static func merged(_ snapshots: [WorkerSnapshot], upstreams backends: [UpstreamPolicy], ofGeneration number: Int)
        -> WorkerSnapshot
    {
        var none = snapshots[0]
        none.generation = number
        none.upstreams = backends.map { $0.servers.map { _ in UpstreamServerFigures() } }
        let first = snapshots[0].generation == number ? snapshots[0] : none
        return snapshots.dropFirst().reduce(into: first) { all, one in
            all.metrics.merge(one.metrics)
            all.tokens.merge(one.tokens)
            all.rememberedTokens += one.rememberedTokens
            all.connections.merge(one.connections)
            guard one.generation == number else { return }
            for group in all.upstreams.indices {
                for index in all.upstreams[group].indices {
                    all.upstreams[group][index].merge(one.upstreams[group][index])
                }
            }
        }
    }
}

/// Connections that are open.
struct ConnectionFigures: Sendable, Equatable {
    /// With a request under way, or a tunnel.
    var clientActive = 0
    /// Between requests, before the first one, or about to close.
    var clientIdle = 0
    /// Before TLS is agreed on.
    var clientHandshaking = 0
    /// With a request under way, those that are being made included.
    var upstreamActive = 0
    /// Kept for requests to come.
    var upstreamIdle = 0

    mutating func merge(_ other: ConnectionFigures) {
        clientActive += other.clientActive
        clientIdle += other.clientIdle
        clientHandshaking += other.clientHandshaking
        upstreamActive += other.upstreamActive
        upstreamIdle += other.upstreamIdle
    }
}

/// One of the backend's servers, as workers see it.
struct UpstreamServerFigures: Sendable, Equatable {
    /// How many workers see it so.
    var standings: [Balancer.Standing: Int] = [:]
    var requestsUnderWay = 0
    var idleConnections = 0

    mutating func merge(_ other: UpstreamServerFigures) {
        standings.merge(other.standings, uniquingKeysWith: +)
        requestsUnderWay += other.requestsUnderWay
        idleConnections += other.idleConnections
    }
}

extension Authenticator.Counters {
    mutating func merge(_ other: Authenticator.Counters) {
        cacheHits &+= other.cacheHits
        cacheMisses &+= other.cacheMisses
        cacheEvictions &+= other.cacheEvictions
        minted &+= other.minted
        verifications.merge(other.verifications, uniquingKeysWith: &+)
    }
}
