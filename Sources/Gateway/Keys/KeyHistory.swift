// What became of the attempts to get an issuer's keys, for whoever watches.

import Admission
import JOSE

struct KeyHistory: Sendable {
    enum Outcome: String, Sendable, CaseIterable {
        case succeeded, failed
    }

    struct Attempt: Sendable {
        var outcome: Outcome
        /// Where the keys came from, or what went wrong.
        var detail: String
        /// Monotonic nanoseconds.
        var endedAt: Int64
    }

    private(set) var last: Attempt?
    private var counts = [UInt64](repeating: 0, count: Outcome.allCases.count)
    /// When the keys in use were fetched, in monotonic nanoseconds; nil: no fetched ones are in use.
    private(set) var fetchedAt: Int64?

    func count(of outcome: Outcome) -> UInt64 { counts[outcome.index] }

    mutating func note(_ news: KeyNews, at now: Int64) {
        switch news.note {
        case .servingStored(_, let ageSeconds): fetchedAt = now - ageSeconds * 1_000_000_000
        case .servingPinned, .unavailable: fetchedAt = nil
        case .serving, .servingStale, nil: break
        }
        switch news.attempt {
        case .succeeded(_, let source):
            end(.succeeded, source.description, at: now)
            fetchedAt = now
        case .failed(let reason):
            end(.failed, reason, at: now)
        case nil:
            break
        }
    }

    private mutating func end(_ outcome: Outcome, _ detail: String, at now: Int64) {
        counts[outcome.index] &+= 1
        last = Attempt(outcome: outcome, detail: detail, endedAt: now)
    }
}

extension KeyHistory.Outcome {
    fileprivate var index: Int { self == .succeeded ? 0 : 1 }
}

/// One issuer's keys at a moment.
struct IssuerStatus: Sendable {
    var issuer: String
    var material: KeyMaterial
    var history: KeyHistory
    /// Monotonic nanoseconds of the moment.
    var now: Int64

    /// The keys that tokens are verified with; nil: there are none.
    var keys: KeySet? {
        if case .usable(let keys) = material.state { keys } else { nil }
    }

    /// How long ago the keys in use were fetched, in seconds; nil: no fetched ones are in use.
    var ageSeconds: Int64? {
        history.fetchedAt.map { (now - $0) / 1_000_000_000 }
    }
}
