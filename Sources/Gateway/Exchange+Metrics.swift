// What is counted of a request, once, when it is over.

import Admission
import Observability
import Reactor

extension Exchange {
    /// Why the request is refused, or its response cut short: for the log and the metrics.
    func note(_ code: RefusalCode, issuerIndex: Int? = nil) {
        record.code = code.rawValue
        refusalCode = code
        refusalIssuer = issuerIndex
    }

    func countRequest() {
        let duration = Clock.monotonicNanoseconds() - startedAt
        record.durationNanoseconds = duration
        let generation = generation
        let identity = identity
        let issuerIndex = identity?.issuerIndex ?? refusalIssuer
        worker.metrics.count(
            WorkerMetrics.Request(
                route: route.place, verdict: record.verdict, status: record.status, durationNanoseconds: duration,
                upstreamNanoseconds: hasResponseBytes ? record.upstreamNanoseconds : nil, refusal: refusalCode,
                issuer: issuerIndex.map { generation.places.issuers[$0] } ?? Places.noIssuer,
                legacyAudience: identity.flatMap { generation.places.audience(of: $0) }))
    }
}
