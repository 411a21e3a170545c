// From a request's head to a verdict. The order is fixed, and each step stops at its own failure:
//
//   find the token → remembered? → parse it → choose the issuer by `iss` → is `alg` allowed → choose key →
//   VERIFY THE SIGNATURE → `typ` → `exp`, `nbf`, `iat` → `aud` → build the identity → remember it
//
// Nothing the token says is believed, or repeated to anybody, before its signature held. A remembered token takes
// the short way only while the long one would admit it too: within its time, and while the issuer's present keys
// would still choose the key that verified it. Otherwise it goes the long way and gets its refusal there.

internal import Bytes
public import HTTPWire
internal import JOSE

/// Decides who is admitted. One per worker, confined to it; a reload makes a new one, which remembers nothing.
public final class Authenticator {
    /// What was done so far, for the metrics.
    public struct Counters: Sendable, Equatable {
        /// Requests admitted by a remembered token.
        public var cacheHits: UInt64 = 0
        /// Requests with a token that was not remembered, or no longer good.
        public var cacheMisses: UInt64 = 0
        /// Remembered tokens that made room for others.
        public var cacheEvictions: UInt64 = 0
        public var signatureVerifications: UInt64 = 0
    }

    /// One issuer's rules and keys, compiled from the policy.
    private struct Issuer {
        let policy: IssuerPolicy
        let types: TokenTypeRule
        let audiences: AudienceRule
        var keys = KeyMaterial(state: .pending, forcedRefreshAllowedAt: .max)
        /// Counts the changes of the key set.
        var keyGeneration: UInt32 = 0
    }

    private var issuers: [Issuer]
    private let detail: ErrorDetail
    private let verifier = SignatureVerifier()
    private let remembersTokens: Bool
    private let hasher = TokenHasher()
    private var remembered: TokenCache
    private var tally = Counters()

    /// Every issuer's keys are pending until `install` says otherwise.
    public init(policy: AdmissionPolicy) {
        issuers = policy.issuers.indices.map { index in
            let issuer = policy.issuers[index]
            return Issuer(
                policy: issuer, types: TokenTypeRule(issuer.tokenTypes),
                audiences: AudienceRule(issuer, issuerIndex: index))
        }
        detail = policy.errorDetail
        remembersTokens = policy.tokenCacheEntries > 0
        remembered = TokenCache(entriesMax: policy.tokenCacheEntries)
    }

    public var counters: Counters {
        var counters = tally
        counters.cacheEvictions = remembered.evictions
        return counters
    }

    /// Tokens remembered at present.
    public var rememberedTokens: Int { remembered.count }

    /// Takes over what is now known of the keys of the policy's issuer at `index`.
    public func install(_ keys: KeyMaterial, forIssuerAt index: Int) {
        let isSameSet =
            switch (issuers[index].keys.state, keys.state) {
            case (.usable(let old), .usable(let new)): old === new
            default: false
            }
        if !isSameSet { issuers[index].keyGeneration &+= 1 }
        issuers[index].keys = keys
    }

    /// The verdict on a request. For a remembered token it allocates nothing.
    ///
    /// - Parameters:
    ///   - bytes: those that `head` was parsed from.
    ///   - mayAwaitKeys: answer `awaitKeys` where newer keys could help; false on the second try, so that a request
    ///     waits once.
    public func decide(
        _ head: borrowing RequestHead, in bytes: Span<UInt8>, at now: Instant, mayAwaitKeys: Bool
    ) -> Decision {
        do throws(Refusal) {
            let token = try bytes.slice(BearerToken.locate(head, in: bytes))
            let digest = remembersTokens ? hasher.digest(of: token) : nil
            if let digest, let identity = recall(digest, token, at: now) {
                tally.cacheHits &+= 1
                return .admit(identity)
            }
            return try judge(token, digest, at: now, mayAwaitKeys: mayAwaitKeys)
        } catch {
            return .refuse(error)
        }
    }

    private func judge(
        _ bytes: Span<UInt8>, _ digest: TokenDigest?, at now: Instant, mayAwaitKeys: Bool
    ) throws(Refusal) -> Decision {
        tally.cacheMisses &+= 1
        try BearerToken.checkSyntax(bytes)
        let token = try Self.parse(bytes)
        let index = try chooseIssuer(token)
        do throws(Refusal) {
            let issuer = issuers[index]
            guard let algorithm = token.algorithm, issuer.policy.algorithms.contains(algorithm) else {
                throw Unverified.algorithm
            }
            let key: Key
            switch try Self.chooseKey(token, algorithm, issuer.keys, at: now, mayAwaitKeys: mayAwaitKeys) {
            case .key(let chosen): key = chosen
            case .await(let keyID): return .awaitKeys(issuerIndex: index, keyID: keyID)
            }
            tally.signatureVerifications &+= 1
            guard let verified = verifier.verify(token, with: key, algorithm: algorithm) else {
                throw Unverified.signature
            }
            let identity = try identify(verified, under: issuer, at: now)
            if let digest {
                remembered.insert(.init(digest: digest, identity: identity, keyGeneration: issuer.keyGeneration))
            }
            return .admit(identity)
        } catch {
            var refusal = error
            refusal.issuerIndex = index
            throw refusal
        }
    }

    // MARK: Before the signature

    private static func parse(_ bytes: Span<UInt8>) throws(Refusal) -> UnverifiedToken {
        do throws(TokenSyntaxError) {
            return try UnverifiedToken(parsing: bytes)
        } catch {
            throw error.refusal(of: bytes)
        }
    }

    private func chooseIssuer(_ token: borrowing UnverifiedToken) throws(Refusal) -> Int {
        guard let name = token.unverifiedIssuer else { throw Unverified.noIssuer }
        for index in issuers.indices where issuers[index].policy.identifier.hasSameBytes(as: name) {
            return index
        }
        let isNear = issuers.contains { TrailingSlash.alone($0.policy.identifier, name) }
        throw isNear && detail == .full ? Unverified.issuerBySlash : Unverified.issuer
    }

    private enum KeyChoice {
        case key(Key)
        case await(keyID: String?)
    }

    private static func chooseKey(
        _ token: borrowing UnverifiedToken, _ algorithm: SignatureAlgorithm, _ keys: KeyMaterial, at now: Instant,
        mayAwaitKeys: Bool
    ) throws(Refusal) -> KeyChoice {
        let set: KeySet
        switch keys.state {
        case .usable(let usable): set = usable
        case .pending:
            if mayAwaitKeys { return .await(keyID: nil) }
            throw Unverified.noKeys(retryAfterSeconds: pendingRetrySeconds)
        case .unavailable(let retryAfterSeconds):
            throw Unverified.noKeys(retryAfterSeconds: retryAfterSeconds)
        }

        switch set.selectKey(algorithm: algorithm, keyID: token.keyID) {
        case .key(let key): return .key(key)
        case .ambiguous: throw Unverified.ambiguousKey
        // The set has that key ID, for something else, or the token gives nothing to look for: a newer set is no cure.
        case .unfit: throw token.keyID == nil ? Unverified.noFittingKey : Unverified.unfitKey
        case .unknown(let keyID):
            if mayAwaitKeys, now.monotonicNanoseconds >= keys.forcedRefreshAllowedAt { return .await(keyID: keyID) }
            throw Unverified.unknownKey
        }
    }

    /// When to come back while the first fetch is under way: it is bounded by a timeout of a few seconds.
    private static let pendingRetrySeconds: Int64 = 5

    // MARK: After the signature

    private func identify(
        _ verified: consuming VerifiedClaims, under issuer: Issuer, at now: Instant
    ) throws(Refusal) -> Identity {
        do throws(Refusal) {
            let claims = verified.claims
            guard issuer.types.accepts(verified.type) else { throw Self.wrongType(verified.type, issuer.types) }
            let validity = try TokenValidity(of: claims, under: issuer.policy, at: now.unixSeconds)
            let fields = try issuer.audiences.match(claims, type: verified.type)
            return try Identity(verified, validity: validity, shared: fields)
        } catch {
            throw detail == .full ? error : error.terse()
        }
    }

    private static func wrongType(_ type: String?, _ rule: TokenTypeRule) -> Refusal {
        let got = type.map { "The token's typ is \(Quoted.text($0))" } ?? "The token has no typ"
        return Refusal(
            .wrongTokenType, "\(got); this API accepts \(Quoted.list(rule.spelled)) (- stands for none).",
            hint: "An access token of RFC 9068 has the typ at+jwt. See which kind of token the client sends.",
            expected: Quoted.cut(rule.spelled), got: type.map { [Quoted.cut($0)] } ?? [])
    }

    // MARK: The short way

    private func recall(_ digest: TokenDigest, _ token: Span<UInt8>, at now: Instant) -> Identity? {
        guard let slot = remembered.slot(of: digest) else { return nil }
        let entry = remembered[slot]
        // A clock that was set back may find the token not valid yet: it stays, for later.
        guard entry.identity.validity.contains(now.unixSeconds) else {
            if now.unixSeconds >= entry.identity.expiresAt { remembered.remove(slot) }
            return nil
        }
        let generation = issuers[entry.identity.issuerIndex].keyGeneration
        if entry.keyGeneration != generation {
            guard stillChoosesKey(of: entry.identity, for: token) else {
                remembered.remove(slot)
                return nil
            }
            remembered[slot].keyGeneration = generation
        }
        remembered.touch(slot)
        return entry.identity
    }

    /// Whether the issuer's present keys would choose the key that verified this token. The same key by its
    /// thumbprint verifies the same bytes again, so the signature need not be.
    private func stillChoosesKey(of identity: Identity, for bytes: Span<UInt8>) -> Bool {
        guard case .usable(let set) = issuers[identity.issuerIndex].keys.state,
            let token = try? UnverifiedToken(parsing: bytes), let algorithm = token.algorithm,
            case .key(let key) = set.selectKey(algorithm: algorithm, keyID: token.keyID)
        else { return false }
        return key.thumbprint == identity.keyThumbprint
    }
}
