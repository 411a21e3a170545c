// The steps by which one issuer's tokens are judged, each a function that passes or throws its refusal.
//
// They are here, and not in Authenticator, because two take them: Authenticator in the fixed order, up to the first
// that fails, and Examination, which tells of each of them. Neither can come to another answer than the other.

internal import Bytes
internal import JOSE

/// One issuer's rules, compiled from the policy. A class, as they are handed on for every token.
final class IssuerRules {
    let policy: IssuerPolicy
    let identifier: String
    private let algorithms: [SignatureAlgorithm]
    private let requirements: Requirements
    private let times: TimeRules
    let types: TokenTypeRule
    let audiences: AudienceRule

    init(_ policy: IssuerPolicy, issuerIndex: Int) {
        self.policy = policy
        identifier = policy.identifier
        algorithms = SignatureAlgorithm.allCases.filter(policy.algorithms.contains)
        requirements = policy.requirements
        times = TimeRules(policy)
        types = TokenTypeRule(policy.tokenTypes)
        audiences = AudienceRule(policy, issuerIndex: issuerIndex)
    }

    // MARK: Before the signature

    static func parse(_ bytes: Span<UInt8>) throws(Refusal) -> UnverifiedToken {
        do throws(TokenSyntaxError) {
            return try UnverifiedToken(parsing: bytes)
        } catch {
            throw error.refusal(of: bytes)
        }
    }

    /// The place in `issuers` of the one that the token names.
    static func choose(
        _ token: borrowing UnverifiedToken, among issuers: [IssuerRules], detail: ErrorDetail
    ) throws(Refusal) -> Int {
        for index in issuers.indices where token.hasUnverifiedIssuer(issuers[index].identifier) { return index }
        guard let name = token.unverifiedIssuer else { throw Unverified.noIssuer }
        let isNear = issuers.contains { TrailingSlash.alone($0.identifier, name) }
        throw isNear && detail == .full ? Unverified.issuerBySlash : Unverified.issuer
    }

    func algorithm(of token: borrowing UnverifiedToken) throws(Refusal) -> SignatureAlgorithm {
        guard let algorithm = token.algorithm, algorithms.contains(algorithm) else {
            throw Unverified.algorithm
        }
        return algorithm
    }

    enum KeyChoice {
        case key(Key)
        case await(keyID: String?)
    }

    /// The key that the token must have been signed with, or what to wait for.
    static func chooseKey(
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

        switch set.selectKey(for: token, algorithm: algorithm) {
        case .key(let key): return .key(key)
        case .ambiguous: throw Unverified.ambiguousKey
        // The set has that key ID, for something else, or the token gives nothing to look for: a newer set is no cure.
        case .unfit: throw token.keyID == nil ? Unverified.noFittingKey : Unverified.unfitKey
        case .unknown(let keyID):
            if mayAwaitKeys, keys.mayForceRefresh(for: keyID, at: now.monotonicNanoseconds) { return .await(keyID: keyID) }
            throw Unverified.unknownKey
        }
    }

    /// When to come back while the first fetch is under way: it is bounded by a timeout of a few seconds.
    private static let pendingRetrySeconds: Int64 = 5

    // MARK: After the signature

    func checkType(_ type: String?) throws(Refusal) {
        if types.accepts(type) { return }
        let got = type.map { "The token's typ is \(Quoted.text($0))" } ?? "The token has no typ"
        throw Refusal(
            .wrongTokenType, "\(got); this API accepts \(Quoted.list(types.spelled)) (- stands for none).",
            hint: "An access token of RFC 9068 has the typ at+jwt. See which kind of token the client sends.",
            expected: Quoted.cut(types.spelled), got: type.map { [Quoted.cut($0)] } ?? [])
    }

    func validity(of claims: JSONValue, under rules: AccessRules, at now: Instant) throws(Refusal) -> TokenValidity {
        try TokenValidity(of: claims, under: times, isMinted: rules.authorization == .mint, at: now.unixSeconds)
    }

    /// What tokens for the audience that matched have in common.
    ///
    /// - Parameter issuedAt: `iat`, rounded down, which a legacy audience may be bound to; nil: there is none.
    func audience(
        of claims: JSONValue, type: String?, issuedAt: Int64?, at now: Instant
    ) throws(Refusal) -> AudienceFields {
        let fields = try audiences.match(claims, type: type)
        try fields.legacy?.check(issuedAt: issuedAt, at: now.unixSeconds)
        return fields
    }

    /// What is required of the issuer's tokens everywhere, and of all tokens where these rules hold.
    func checkRequirements(_ claims: JSONValue, under rules: AccessRules) throws(Refusal) {
        let own = requirements
        let more = rules.requirements
        try (more.isEmpty ? own : own.isEmpty ? more : own.and(more)).check(claims)
    }
}
