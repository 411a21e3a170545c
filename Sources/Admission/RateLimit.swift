// How many requests one caller may send: `limit_requests`.
//
// The rule is the generic cell rate algorithm (GCRA, ITU-T I.371): a caller is one instant, the theoretical arrival time,
// up to which it has used up what it is given. Each request moves it on by the interval between two; how far it may lie
// ahead is the burst. No counter is reset at the turn of a window, so that nobody gets twice the rate around one.

/// A rate that each caller is held to.
public struct RateLimit: Sendable, Equatable {
    /// What tells callers apart.
    public enum Key: String, Sendable, CaseIterable {
        /// The token's issuer and `sub`.
        case subject
        /// The token's issuer and `azp`, or `client_id`.
        case client
        /// Where the request comes from: an IPv4 address, or the first 64 bits of an IPv6 one, as a site has all the rest.
        case address
    }

    public static let burstMax: Int64 = 1_000_000

    public var key: Key
    /// Nanoseconds from one request to the next at the rate; positive.
    public var intervalNanoseconds: Int64
    /// Requests that may come at once, 1 to `burstMax`.
    public var burst: Int64
    /// Its place among all limits of the configuration: one that holds in several places counts over all of them.
    public var index: Int

    public init(_ key: Key, intervalNanoseconds: Int64, burst: Int64, index: Int) {
        self.key = key
        self.intervalNanoseconds = intervalNanoseconds
        self.burst = burst
        self.index = index
    }

    /// Whether the two hold callers to the same, wherever they stand.
    public func isAlike(_ other: RateLimit) -> Bool {
        key == other.key && intervalNanoseconds == other.intervalNanoseconds && burst == other.burst
    }

    /// What becomes of a request.
    public enum Verdict: Sendable, Equatable {
        case admitted
        /// So long, in nanoseconds, until the caller's next one would be admitted.
        case limited(nanoseconds: Int64)
    }

    /// The verdict on a request at `now`, in monotonic nanoseconds. What is admitted moves `arrival`, the caller's
    /// theoretical arrival time, on.
    func take(_ arrival: inout Int64, at now: Int64) -> Verdict {
        let start = max(arrival, now)
        let ahead = start - (now + (burst - 1) * intervalNanoseconds)
        if ahead > 0 { return .limited(nanoseconds: ahead) }
        arrival = start + intervalNanoseconds
        return .admitted
    }
}

extension Refusal {
    /// The refusal of a request beyond a rate, which names the limit in `RateLimit-Policy`, and in `RateLimit` when there
    /// is something left again (draft-ietf-httpapi-ratelimit-headers-10).
    public static func rateLimited(_ limit: RateLimit, nanoseconds: Int64) -> Refusal {
        let seconds = max(1, (nanoseconds + 999_999_999) / 1_000_000_000)
        var refusal = Refusal(
            .rateLimited, "More requests of this \(limit.key.rawValue) than are allowed; wait \(seconds) s.",
            hint: "Send them at a steadier pace, and when refused wait as long as Retry-After says.",
            retryAfterSeconds: seconds)
        refusal.rateLimit = limit
        return refusal
    }
}

extension RateLimit: CustomStringConvertible {
    /// As `limit_requests` has it: `subject rate=100r/s burst=200`.
    public var description: String {
        var rate = ""
        for (unit, nanoseconds) in [("r/s", 1_000_000_000), ("r/m", 60_000_000_000)] as [(String, Int64)] {
            let requests = max(1, nanoseconds / intervalNanoseconds)
            rate = "\(requests)\(unit)"
            if nanoseconds / requests == intervalNanoseconds { break }
        }
        return "\(key.rawValue) rate=\(rate) burst=\(burst)"
    }
}

extension RateLimit {
    /// `"subject";q=200;w=2`: so many requests at once, and so many seconds until that many may come again.
    var policyField: String {
        let window = (burst * intervalNanoseconds + 999_999_999) / 1_000_000_000
        return "\"\(key.rawValue)\";q=\(burst);w=\(max(1, window))"
    }

    /// `"subject";r=0;t=1`: nothing is left, and in so many seconds something is.
    func stateField(retryAfterSeconds: Int64) -> String { "\"\(key.rawValue)\";r=0;t=\(retryAfterSeconds)" }
}
