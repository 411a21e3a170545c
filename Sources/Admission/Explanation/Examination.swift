// One token held against the policy, every step of it told.
//
// The answer is Authenticator's own. The steps beside it are the rule types that Authenticator goes by, asked one by
// one, and asked on past a failure wherever there is still something to ask: an expired token with a wrong audience has
// two things to mend. What follows a signature that did not hold is asked of the bare claims, and marked as such.

internal import Bytes
internal import HTTPWire
internal import JOSE

/// An examination of one token: first whose keys it takes, then everything.
public struct Examination {
    /// The longest text that is looked at, in bytes: no token is as long.
    public static let textBytesMax = PresentedToken.bytesMax

    /// Whose rules and keys the token is held against; nil where it names no issuer of the policy. An issuer that
    /// differs by a trailing slash alone counts here, so that what else is wrong with the token can be told at once.
    public let issuerIndex: Int?

    let policy: AdmissionPolicy
    /// Which of the policy's rules hold where the token is used.
    let rulesIndex: Int
    let presented: PresentedToken
    /// The token's own bytes; empty where none could be found.
    let token: [UInt8]
    private let issuers: [IssuerRules]
    private let located: Result<Int, Refusal>
    private let parsed: Result<UnverifiedToken, Refusal>?
    private let chosen: Result<Int, Refusal>?

    /// - Parameters:
    ///   - text: the token as it was pasted: bare, behind `Bearer`, or a whole `Authorization` line.
    ///   - policy: what the proxy was told. Its `error_detail` is for strangers: an examination is always in full.
    ///   - rulesIndex: which of its rules hold where the token is used; 0 is the main level's.
    public init(_ text: [UInt8], under policy: AdmissionPolicy, rulesIndex: Int = 0) {
        self.rulesIndex = rulesIndex
        var policy = policy
        policy.errorDetail = .full
        policy.tokenCacheEntries = 0
        // It was pasted, so that the place it is sent in is not what is asked about.
        policy.tokenSources = [.authorization]
        self.policy = policy
        let issuers = policy.issuers.indices.map { IssuerRules(policy.issuers[$0], issuerIndex: $0) }
        self.issuers = issuers
        let presented = PresentedToken(text)
        self.presented = presented

        let token = Self.locate(presented)
        self.token = (try? token.get()) ?? []
        located = token.flatMap { token in
            Self.result { () throws(Refusal) in
                try BearerToken.checkSyntax(token.span)
                return token.count
            }
        }
        guard case .success = located else {
            (parsed, chosen, issuerIndex) = (nil, nil, nil)
            return
        }
        let bytes = self.token
        let parsed = Self.result { () throws(Refusal) in try IssuerRules.parse(bytes.span) }
        self.parsed = parsed
        guard case .success(let unverified) = parsed else {
            (chosen, issuerIndex) = (nil, nil)
            return
        }
        let chosen = Self.result { () throws(Refusal) in
            try IssuerRules.choose(unverified, among: issuers, detail: .full)
        }
        self.chosen = chosen
        let name = unverified.unverifiedIssuer ?? ""
        issuerIndex =
            (try? chosen.get()) ?? policy.issuers.firstIndex { TrailingSlash.alone($0.identifier, name) }
    }

    /// Holds the token against the policy.
    ///
    /// - Parameter keys: what is known of the keys of the issuer at `issuerIndex`; of no matter where that is nil.
    public func explain(with keys: KeyReport, at now: Instant) -> Explanation {
        var steps = [tokenStep(), structureStep(), issuerStep()]
        let parts = TokenParts(isToken ? token : [])
        let context = AdviceContext(
            policy: policy, issuerIndex: issuerIndex, token: token, parts: parts, keys: keys, now: now.unixSeconds)
        var rest = Rest()
        if let issuerIndex, case .success(let token) = parsed {
            rest = judge(token, parts, under: issuers[issuerIndex], keys, at: now)
        }
        steps += rest.steps
        for name in Explanation.StepName.allCases.dropFirst(steps.count) { steps.append(.init(name, .notChecked)) }
        for index in steps.indices {
            // What a policy should admit is not for a token to say that nobody vouches for.
            let isBelieved = steps[index].name < .type || rest.signature == .held
            guard isBelieved, let refusal = steps[index].refusal else { continue }
            steps[index].advice = context.advice(on: refusal)
        }

        let decision = decide(with: keys, at: now, from: context.holder)
        var explanation = Explanation(
            refusal: nil, steps: steps, signature: rest.signature, kind: kind(parts), remarks: [],
            claims: parts.claims.map(ClaimDisplay.pairs) ?? [], fields: [])
        switch decision {
        case .refuse(let refusal): explanation.refusal = refusal
        case .admit(let identity): explanation.fields = FieldDisplay.pairs(identity)
        case .awaitKeys: explanation.refusal = Unverified.noKeys(retryAfterSeconds: 0)
        }
        explanation.remarks = context.remarks(isAdmitted: explanation.isAdmitted)
        return explanation
    }

    /// What the proxy would answer to the request that carries this token, if it comes from whom it is bound to.
    private func decide(with keys: KeyReport, at now: Instant, from holder: CertificateThumbprint?) -> Decision {
        let authenticator = Authenticator(policy: policy)
        if let issuerIndex {
            // No newer keys are to be had than these.
            authenticator.install(KeyMaterial(state: keys.state, forcedRefreshAllowedAt: .max), forIssuerAt: issuerIndex)
        }
        do throws(Refusal) {
            let head = try presented.head.get()
            return authenticator.decide(
                head, in: presented.request.span, rulesIndex: rulesIndex, at: now, certificate: holder, mayAwaitKeys: false)
        } catch {
            return .refuse(error)
        }
    }

    // MARK: Up to the issuer

    private var isToken: Bool { parsed != nil }

    private static func locate(_ presented: PresentedToken) -> Result<[UInt8], Refusal> {
        result { () throws(Refusal) in
            let head = try presented.head.get()
            return presented.request.span.slice(try BearerToken.locate(head, in: presented.request.span)).copied()
        }
    }

    private func tokenStep() -> Explanation.Step {
        switch located {
        case .success(let count): return .init(.token, .passed, found: ["\(count) characters"])
        case .failure(let refusal):
            let found =
                if presented.wasBroken {
                    "a line break or another control character in the middle"
                } else if token.isEmpty {
                    "no token"
                } else {
                    "\(token.count) characters, not all of them a token's"
                }
            return .init(
                .token, .failed(refusal), found: [found],
                expected: ["one token: letters, digits and - . _ ~ + /, without blanks, quotes or line breaks"])
        }
    }

    private func structureStep() -> Explanation.Step {
        switch parsed {
        case nil: return .init(.structure, .notChecked)
        case .success(let token):
            var found = ["a signed JWT", "alg \(Quoted.text(token.algorithmName))"]
            found.append(token.keyID.map { "kid \(Quoted.text($0))" } ?? "no kid")
            found.append(token.type.map { "typ \(Quoted.text($0))" } ?? "no typ")
            return .init(.structure, .passed, found: found)
        case .failure(let refusal):
            return .init(
                .structure, .failed(refusal), found: SyntaxDisplay.found(token),
                expected: ["a signed JWT: header.claims.signature, each base64url, the first two JSON objects"])
        }
    }

    private func issuerStep() -> Explanation.Step {
        guard let chosen, case .success(let token) = parsed else { return .init(.issuer, .notChecked) }
        let found = token.unverifiedIssuer.map { "iss \(Quoted.text($0))" } ?? "no iss that is a string"
        switch chosen {
        case .success: return .init(.issuer, .passed, found: [found])
        case .failure(let refusal):
            let known = Quoted.each(policy.issuers.map(\.identifier))
            return .init(.issuer, .failed(refusal), found: [found], expected: known.map { "iss \($0)" })
        }
    }

    private func kind(_ parts: TokenParts) -> Explanation.Kind? {
        guard let claims = parts.claims else { return nil }
        let audiences = claims["aud"].flatMap { try? ClaimText.strings("aud", $0) } ?? []
        switch TokenKind(claims, type: parts.header?["typ"]?.string, audiences: audiences) {
        case .idToken(let client, let evidence):
            return .init(name: .idToken, client: client.map(Quoted.cut), evidence: evidence)
        case .accessToken(let evidence): return .init(name: .accessToken, client: nil, evidence: evidence)
        case .unclear: return .init(name: .unclear, client: nil, evidence: [])
        }
    }

    static func result<Success>(_ body: () throws(Refusal) -> Success) -> Result<Success, Refusal> {
        do throws(Refusal) { return .success(try body()) } catch { return .failure(error) }
    }
}

/// What is known of the keys that a token has to be verified with.
public struct KeyReport: Sendable {
    public var state: KeyMaterial.State
    /// Where the keys come from; nil: there are none.
    public var source: String?
    /// Why there are none, or none but those of a file that stands in.
    public var failure: String?

    public init(state: KeyMaterial.State, source: String? = nil, failure: String? = nil) {
        self.state = state
        self.source = source
        self.failure = failure
    }

    /// For a token that comes to no issuer, so that no keys are asked for.
    public static let notNeeded = KeyReport(state: .unavailable(retryAfterSeconds: 0))
}
