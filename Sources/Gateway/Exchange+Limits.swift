// Whether a caller has sent more than it may.

import Admission
import Reactor

extension Exchange {
    /// Counts the request towards each of these limits of its route. Throws the refusal by the first that it is beyond,
    /// towards which it does not count.
    func checkRates(_ limits: [ServedLimit]) throws(Refusal) {
        for limit in limits {
            let name =
                identity?.callerName(by: limit.policy.key) ?? CallerName.of(claimedAddress ?? client!.address)
            if case .limited(let nanoseconds) = limit.limiter.take(name, at: worker.loop.now) {
                throw .rateLimited(limit.policy, nanoseconds: nanoseconds)
            }
        }
    }
}
