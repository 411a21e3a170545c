// What a server's health checks have come to: so many bad ones in a row take it out, so many good ones bring it back.

import Configuration

struct HealthTally {
    /// At the start a server counts as up: a proxy that has just started has nothing against it.
    private(set) var isHealthy = true
    private let rise: Int
    private let fall: Int
    /// Checks in a row that spoke against what it counts as.
    private var contrary = 0

    init(_ check: UpstreamPolicy.HealthCheck) {
        rise = check.rise
        fall = check.fall
    }

    /// One more check is over. True: the server has changed sides.
    mutating func note(passed: Bool) -> Bool {
        if passed == isHealthy {
            contrary = 0
            return false
        }
        contrary += 1
        guard contrary >= (isHealthy ? fall : rise) else { return false }
        isHealthy = passed
        contrary = 0
        return true
    }
}
