// What a worker knows of one issuer's keys: a snapshot that the control plane replaces as a whole.

public import JOSE

/// The keys of one issuer, and whether an unknown key ID may still ask for newer ones.
public struct KeyMaterial: Sendable {
    public enum State: Sendable {
        /// The first fetch is under way: a request may wait for it.
        case pending
        case usable(KeySet)
        /// No keys, and none under way; `retryAfterSeconds` is what the refusal's `Retry-After` says.
        case unavailable(retryAfterSeconds: Int64)
    }

    public var state: State
    /// Monotonic nanoseconds. Before it an unknown key ID is refused at once; from it on, the request may
    /// await one forced refresh.
    public var forcedRefreshAllowedAt: Int64
    /// Refused at once in any case.
    public var missing: MissingKeyIDs

    public init(state: State, forcedRefreshAllowedAt: Int64, missing: MissingKeyIDs = MissingKeyIDs()) {
        self.state = state
        self.forcedRefreshAllowedAt = forcedRefreshAllowedAt
        self.missing = missing
    }

    /// Whether a request with this key ID, which no key of the set has, may await a newer set.
    public func mayForceRefresh(for keyID: String, at now: Int64) -> Bool {
        now >= forcedRefreshAllowedAt && !missing.contains(KeyIDHash(keyID), at: now)
    }
}
