import Admission
import Configuration
import Observability
import Testing

@testable import Gateway

@Suite("A worker's figures")
struct WorkerMetricsTests {
    private static let policy = AdmissionPolicy(issuers: [
        IssuerPolicy(identifier: "a", audiences: ["x"]),
        IssuerPolicy(
            identifier: "b", audiences: ["x"],
            legacyAudiences: [LegacyAudience(audience: "1", name: "web"), LegacyAudience(audience: "2", name: "cli")]),
    ])

    /// What is counted apart: main and two locations, nobody and two issuers, and two legacy audiences.
    private static let names = {
        let locations = ["/a", "/b"].compactMap { try? LocationPath(parsing: $0, isExact: false) }
        let settings = ProxyConfiguration(
            upstream: nil, locations: locations.map { LocationPolicy(path: $0, route: RoutePolicy()) }, admission: policy)
        return (try? Places(of: settings))?.names ?? CountedNames()
    }()

    private func request(status: Int = 200, _ change: (inout WorkerMetrics.Request) -> Void = { _ in })
        -> WorkerMetrics.Request
    {
        var request = WorkerMetrics.Request(
            route: 0, verdict: .verified, status: status, durationNanoseconds: 5_000_000, upstreamNanoseconds: 4_000_000)
        change(&request)
        return request
    }

    @Test("A refusal counts for the issuer whose rules made it, or for none")
    func refusals() {
        var metrics = WorkerMetrics(Self.names)
        metrics.count(request(status: 401) { ($0.verdict, $0.refusal, $0.issuer) = (.refused, .tokenExpired, 2) })
        metrics.count(request(status: 401) { ($0.verdict, $0.refusal) = (.refused, .missingToken) })
        #expect(metrics.refusals == [[.missingToken: 1], [:], [.tokenExpired: 1]])
    }

    @Test("A legacy audience counts at its own place")
    func legacy() {
        var metrics = WorkerMetrics(Self.names)
        metrics.count(request { ($0.issuer, $0.legacyAudience) = (2, 1) })
        metrics.count(request { $0.issuer = 2 })
        #expect(metrics.legacyRequests == [0, 1])
    }

    @Test("Each route and verdict counts at its own place")
    func routes() {
        var metrics = WorkerMetrics(Self.names)
        for (index, verdict) in AccessRecord.Verdict.allCases.enumerated() {
            #expect(verdict.index == index)
            metrics.count(request { ($0.route, $0.verdict) = (2, verdict) })
            #expect(metrics.requests[2][index].total == 1)
        }
        #expect(metrics.requestCount == 4)
        #expect(metrics.requests[0].allSatisfy { $0.total == 0 })
    }

    @Test("A tunnel is a request, and says nothing of how long requests take")
    func tunnel() {
        var metrics = WorkerMetrics(Self.names)
        metrics.count(request(status: 101))
        #expect(metrics.requestCount == 1)
        #expect(metrics.duration.count == 0 && metrics.upstreamDuration.count == 0)
    }

    @Test("What the backend has not answered has no time there")
    func noAnswer() {
        var metrics = WorkerMetrics(Self.names)
        metrics.count(request(status: 502) { $0.upstreamNanoseconds = nil })
        #expect(metrics.duration.count == 1 && metrics.upstreamDuration.count == 0)
    }

    @Test("Merged, workers have counted what each has")
    func merge() {
        let requests = [
            request(), request(status: 404) { ($0.issuer, $0.legacyAudience) = (2, 0) },
            request(status: 401) { ($0.verdict, $0.refusal, $0.issuer) = (.refused, .badSignature, 1) },
            request(status: 401) { ($0.verdict, $0.refusal, $0.issuer) = (.refused, .badSignature, 1) },
            request(status: 0) { $0.refusal = .badRequest },
        ]
        var one = WorkerMetrics(Self.names)
        var other = one
        var both = one
        for (index, request) in requests.enumerated() {
            if index % 2 == 0 { one.count(request) } else { other.count(request) }
            both.count(request)
        }
        one.arrivals.count(.alert)
        one.arrivals.countHandshake(resumed: true)
        for _ in 0..<2 { other.arrivals.count(.alert) }
        other.arrivals.count(.noProxyHeader)
        other.arrivals.countHandshake(resumed: false)
        one.merge(other)
        #expect(one.arrivals.handshakes == 2 && one.arrivals.resumedHandshakes == 1)
        #expect(one.arrivals.handshakeFailures == [.alert: 3] && one.arrivals.proxyHeaderFailures == [.noProxyHeader: 1])
        #expect(one.requests == both.requests)
        #expect(one.refusals == both.refusals)
        #expect(one.legacyRequests == both.legacyRequests)
        #expect(one.duration == both.duration)
        #expect(one.upstreamDuration == both.upstreamDuration)
        #expect(one.requestCount == 5)
        #expect(one.refusalCount == 3)
    }
}
