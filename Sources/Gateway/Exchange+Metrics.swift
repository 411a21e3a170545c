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
        worker.metrics.count(
            WorkerMetrics.Request(
                route: route.index, verdict: record.verdict, status: record.status, durationNanoseconds: duration,
                upstreamNanoseconds: hasResponseBytes ? record.upstreamNanoseconds : nil, refusal: refusalCode,
                issuerIndex: identity?.issuerIndex ?? refusalIssuer, legacyIndex: identity?.legacyIndex))
    }
}
