// From a request's head to a verdict. The order is fixed, and each step stops at its own failure:
//
//   find the token → remembered? → parse it → choose the issuer by `iss` → is `alg` allowed → choose key →
//   VERIFY THE SIGNATURE → `typ` → `exp`, `nbf`, `iat` → `aud` → what is required → build the identity →
//   remember it → is it used by its holder (`cnf`)
//
// Nothing the token says is believed, or repeated to anybody, before its signature held. A remembered token takes
// the short way only while the long one would admit it too: within its time, and while the issuer's present keys
// would still choose the key that verified it. Otherwise it goes the long way and gets its refusal there. It is
// remembered for the place that it was used in, so that no route's verdict admits it to another. Where a token for the
// backend is minted, the long way is taken again whenever that one goes stale. Whose connection it comes by is asked at
// each use, as nothing else would keep a stolen token from passing on the word that the holder's got.

internal import Bytes
public import HTTPWire
public import JOSE

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
        /// Signatures verified, the bad ones too, by their algorithm.
        public var verifications: [SignatureAlgorithm: UInt64] = [:]
        /// Tokens made for the backend.
        public var minted: UInt64 = 0

        public static let none = Counters()
    }

    /// What is known of one issuer's keys.
    struct Keys {
        var material = KeyMaterial(state: .pending, forcedRefreshAllowedAt: .max)
        /// Counts the changes of the key set.
        var generation: UInt32 = 0
    }

    let issuers: [IssuerRules]
    let rules: [AccessRules]
    /// Those of each issuer, in the same order.
    private(set) var keys: [Keys]
    private let places: TokenPlaces
    private let detail: ErrorDetail
    let mint: Mint?
    private let verifier = SignatureVerifier()
    private let remembersTokens: Bool
    private let hasher = TokenHasher()
    private var remembered: TokenCache
    private var tally = Counters()
    /// By the place of the algorithm among all cases.
    private var verifications = [UInt64](repeating: 0, count: SignatureAlgorithm.allCases.count)

    /// Every issuer's keys are pending until `install` says otherwise.
    public init(policy: AdmissionPolicy) {
        issuers = policy.issuers.indices.map { IssuerRules(policy.issuers[$0], issuerIndex: $0) }
        rules = policy.rules
        keys = policy.issuers.map { _ in Keys() }
        places = TokenPlaces(policy.tokenSources)
        detail = policy.errorDetail
        mint = policy.mint.map(Mint.init)
        precondition(
            mint != nil || policy.rules.allSatisfy { $0.authorization != .mint }, "who mints has a policy for it")
        remembersTokens = policy.tokenCacheEntries > 0
        remembered = TokenCache(entriesMax: policy.tokenCacheEntries, mints: policy.mint != nil)
    }

    public var counters: Counters {
        var counters = tally
        counters.cacheEvictions = remembered.evictions
        for (algorithm, count) in zip(SignatureAlgorithm.allCases, verifications) where count > 0 {
            counters.verifications[algorithm] = count
        }
        return counters
    }

    /// Tokens remembered at present.
    public var rememberedTokens: Int { remembered.count }

    /// Takes over what is now known of the keys of the policy's issuer at `index`.
    public func install(_ material: KeyMaterial, forIssuerAt index: Int) {
        let isSameSet =
            switch (keys[index].material.state, material.state) {
            case (.usable(let old), .usable(let new)): old === new
            default: false
            }
        if !isSameSet { keys[index].generation &+= 1 }
        keys[index].material = material
    }

    /// The verdict on a request. For a remembered token it allocates nothing.
    ///
    /// - Parameters:
    ///   - bytes: those that `head` was parsed from.
    ///   - rulesIndex: which of the policy's rules hold where the request goes.
    ///   - certificate: the one that the client has proved to be its own; nil: it has shown none. A token that is bound to
    ///     a certificate is good with that one alone (RFC 8705 §3).
    ///   - mayAwaitKeys: answer `awaitKeys` where newer keys could help; false on the second try, so that a request
    ///     waits once.
    public func decide(
        _ head: borrowing RequestHead, in bytes: Span<UInt8>, rulesIndex: Int, at now: Instant,
        certificate: CertificateThumbprint?, mayAwaitKeys: Bool
    ) -> Decision {
        do throws(Refusal) {
            let place = try places.locate(head, in: bytes)
            let token = bytes.slice(place.range)
            let name = remembersTokens ? TokenCache.Name(hasher.digest(of: token), rulesIndex) : nil
            if let name, let identity = recall(name, token, at: now) {
                tally.cacheHits &+= 1
                try check(identity, certificate, at: now)
                return .admit(identity)
            }
            let decision = try judge(place, token, name, rulesIndex, at: now, mayAwaitKeys: mayAwaitKeys)
            if case .admit(let identity) = decision { try check(identity, certificate, at: now) }
            return decision
        } catch {
            return .refuse(error)
        }
    }

    private func judge(
        _ place: TokenPlaces.Located, _ bytes: Span<UInt8>, _ name: TokenCache.Name?, _ rulesIndex: Int,
        at now: Instant, mayAwaitKeys: Bool
    ) throws(Refusal) -> Decision {
        tally.cacheMisses &+= 1
        let token: UnverifiedToken
        do throws(Refusal) {
            token = try IssuerRules.parse(bytes)
        } catch {
            // The characters of a signed JWT are all allowed in credentials: only of what is none is more to say.
            if place.isCredentials { try BearerToken.checkSyntax(bytes) }
            throw error
        }
        let index = try IssuerRules.choose(token, among: issuers, detail: detail)
        do throws(Refusal) {
            let issuer = issuers[index]
            let algorithm = try issuer.algorithm(of: token)
            let known = keys[index].material
            let key: Key
            switch try IssuerRules.chooseKey(token, algorithm, known, at: now, mayAwaitKeys: mayAwaitKeys) {
            case .key(let chosen): key = chosen
            case .await(let keyID):
                // It comes again, and is counted then.
                tally.cacheMisses &-= 1
                return .awaitKeys(issuerIndex: index, keyID: keyID)
            }
            verifications[algorithm.place] &+= 1
            guard let verified = verifier.verify(token, with: key, algorithm: algorithm) else {
                throw Unverified.signature
            }
            let identity = try identify(verified, under: issuer, rules[rulesIndex], at: now)
            if let name {
                remembered.insert(.init(name: name, identity: identity, keyGeneration: keys[index].generation))
            }
            return .admit(identity)
        } catch {
            var refusal = error
            refusal.issuerIndex = index
            throw refusal
        }
    }

    private func identify(
        _ verified: consuming VerifiedClaims, under issuer: IssuerRules, _ rules: AccessRules, at now: Instant
    ) throws(Refusal) -> Identity {
        do throws(Refusal) {
            let claims = verified.claims
            try issuer.checkType(verified.type)
            let validity = try issuer.validity(of: claims, under: rules, at: now)
            let fields = try issuer.audience(of: claims, type: verified.type, issuedAt: validity.issuedAt, at: now)
            try issuer.checkRequirements(claims, under: rules)
            let mint = rules.authorization == .mint ? mint : nil
            let identity = try Identity(
                verified, validity: validity, shared: fields, forward: rules.forward, mint: mint, at: now)
            if mint != nil { tally.minted &+= 1 }
            return identity
        } catch {
            throw detail == .full ? error : error.terse()
        }
    }

    /// What is no matter of the token alone is asked at each use: the dates of a legacy audience, and who sends it.
    private func check(
        _ identity: Identity, _ certificate: CertificateThumbprint?, at now: Instant
    ) throws(Refusal) {
        do throws(Refusal) {
            try identity.checkLegacyAudience(at: now.unixSeconds)
            try identity.checkHolder(certificate)
        } catch {
            var refusal = detail == .full ? error : error.terse()
            refusal.issuerIndex = identity.issuerIndex
            throw refusal
        }
    }

    // MARK: The short way

    private func recall(_ name: TokenCache.Name, _ token: Span<UInt8>, at now: Instant) -> Identity? {
        guard let slot = remembered.slot(of: name) else { return nil }
        let entry = remembered[slot]
        // A clock that was set back may find the token not valid yet: it stays, for later.
        guard entry.identity.validity.contains(now.unixSeconds) else {
            if now.unixSeconds >= entry.identity.expiresAt { remembered.remove(slot) }
            return nil
        }
        // The one that is minted instead takes its place.
        guard entry.identity.isFresh(at: now.unixSeconds) else { return nil }
        let generation = keys[entry.identity.issuerIndex].generation
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
        guard case .usable(let set) = keys[identity.issuerIndex].material.state,
            let token = try? UnverifiedToken(parsing: bytes), let algorithm = token.algorithm,
            case .key(let key) = set.selectKey(for: token, algorithm: algorithm)
        else { return false }
        return key.thumbprint == identity.keyThumbprint
    }
}
