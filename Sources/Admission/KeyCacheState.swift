// What the key cache remembers: what it holds, and what it is doing.

internal import Bytes
internal import JOSE

enum Holding {
    case nothing
    case fetched(Fetched)
    case pinned(KeySet)
}

struct Fetched {
    var keys: KeySet
    var refreshAt: Int64
    var expiresAt: Int64
}

enum Activity {
    case waiting(until: Int64)
    case attempting(Attempt)
}

struct Attempt {
    enum Step {
        case restoring, openIDMetadata, oauthMetadata, keys, lastResort

        func isAnswered(by result: KeyFetchResult) -> Bool {
            switch (self, result) {
            case (_, .failed), (.openIDMetadata, .metadata), (.oauthMetadata, .metadata): true
            case (.keys, .keys), (.lastResort, .keys), (.restoring, .stored): true
            default: false
            }
        }
    }

    var fetch: KeyFetch
    var step: Step
    var startedAt: Int64
    var isForced: Bool
    /// Unknown key IDs that were asked for before the keys were, so that the answer is about them.
    var wanted: Set<KeyIDHash> = []
    /// Why the first place had no metadata.
    var firstFailure: String?
    /// What the server asked for before the last resort was gone to.
    var retryAfterSeconds: Int64?

    /// Someone asks for this key ID. Where the keys are on their way already, they may be older than its token.
    mutating func note(wanted keyID: KeyIDHash) {
        let comesInTime = step == .openIDMetadata || step == .oauthMetadata
        if comesInTime, wanted.count < MissingKeyIDs.countMax { wanted.insert(keyID) }
    }

    /// The failure of the step at hand, with its place.
    func describing(_ failure: KeyFetchFailure) -> String {
        let here = "\(fetch.source): \(failure.reason)"
        guard step == .oauthMetadata, let firstFailure else { return here }
        return "\(firstFailure); \(here)"
    }
}

/// What was logged last, so that a row of like failures is logged once.
enum NotedCondition: Equatable {
    case none
    case restored
    case serving
    case stale(String)
    case pinned(String)
    case unavailable(String)
}

extension KeySet {
    /// Whether a token would meet the same keys and the same refusals in both.
    func holdsTheSame(as other: KeySet) -> Bool {
        keys.count == other.keys.count && skipped == other.skipped
            && zip(keys, other.keys).allSatisfy {
                ($0.keyID ?? "").hasSameBytes(as: $1.keyID ?? "") && ($0.keyID == nil) == ($1.keyID == nil)
                    && $0.thumbprint == $1.thumbprint
                    && $0.algorithm == $1.algorithm
            }
    }
}
