// The steps that one issuer's rules take: from the algorithm to what the backend is told.

internal import Bytes
internal import JOSE

extension Examination {
    /// What came of those steps.
    struct Rest {
        var steps: [Explanation.Step] = []
        var signature = Explanation.Signature.notChecked
    }

    func judge(
        _ token: UnverifiedToken, _ parts: TokenParts, under issuer: IssuerRules, _ keys: KeyReport, at now: Instant
    ) -> Rest {
        var rest = Rest()
        rest.steps.append(algorithmStep(token, issuer))
        // One that the policy leaves out can be verified all the same, if the issuer has keys of that kind.
        guard let algorithm = token.algorithm,
            issuer.policy.algorithms.contains(where: { $0.isSymmetric == algorithm.isSymmetric })
        else {
            rest.steps += [.init(.key, .notChecked), .init(.signature, .notChecked)]
            return believingNothing(rest, parts, issuer, at: now)
        }
        let choice = Self.result { () throws(Refusal) in
            try IssuerRules.chooseKey(
                token, algorithm, KeyMaterial(state: keys.state, forcedRefreshAllowedAt: .max), at: now,
                mayAwaitKeys: false)
        }
        rest.steps.append(keyStep(token, algorithm, choice, keys))
        guard case .success(.key(let key)) = choice else {
            rest.steps.append(.init(.signature, .notChecked))
            return believingNothing(rest, parts, issuer, at: now)
        }

        let maker = key.keyID.map { "kid \(Quoted.text($0))" } ?? "the only key that fits"
        let found = ["by \(maker), with \(algorithm.rawValue)"]
        guard let verified = SignatureVerifier().verify(token, with: key, algorithm: algorithm) else {
            rest.signature = .failed
            rest.steps.append(
                .init(
                    .signature, .failed(Unverified.signature), found: found,
                    expected: ["a signature that this key made over exactly this header and these claims"]))
            return believingNothing(rest, parts, issuer, at: now)
        }
        rest.signature = .held
        rest.steps.append(.init(.signature, .passed, found: found))
        let claims = verified.claims
        let (steps, validity, fields) = claimSteps(claims, type: verified.type, issuer, at: now)
        rest.steps += steps
        let isRequired = rest.steps.last?.outcome == .passed
        guard isRequired, let validity, let fields else { return rest }
        let forward = policy.rules[rulesIndex].forward
        let mint = policy.rules[rulesIndex].authorization == .mint ? policy.mint.map(Mint.init) : nil
        let told = Self.identity(claims, forward)
        do throws(Refusal) {
            _ = try Identity(verified, validity: validity, shared: fields, forward: forward, mint: mint, at: now)
            rest.steps.append(.init(.identity, .passed, found: told))
        } catch {
            let wanted =
                forward == nil
                ? "sub, azp, client_id and scope that are strings, and" : "a sub that is a string, and forwarded claims"
            rest.steps.append(
                .init(
                    .identity, .failed(error), found: told,
                    expected: ["\(wanted) short enough for header fields"]))
        }
        return rest
    }

    /// The same questions to claims that nobody vouches for.
    private func believingNothing(_ rest: Rest, _ parts: TokenParts, _ issuer: IssuerRules, at now: Instant) -> Rest {
        guard let claims = parts.claims else { return rest }
        var rest = rest
        rest.steps += claimSteps(claims, type: parts.header?["typ"]?.string, issuer, at: now).steps
        return rest
    }

    // MARK: Before the signature

    private func algorithmStep(_ token: UnverifiedToken, _ issuer: IssuerRules) -> Explanation.Step {
        let found = ["alg \(Quoted.text(token.algorithmName))"]
        switch Self.result({ () throws(Refusal) in try issuer.algorithm(of: token) }) {
        case .success: return .init(.algorithm, .passed, found: found)
        case .failure(let refusal):
            let allowed = SignatureAlgorithm.allCases.filter(issuer.policy.algorithms.contains).map(\.rawValue)
            return .init(
                .algorithm, .failed(refusal), found: found, expected: ["one of \(allowed.joined(separator: ", "))"])
        }
    }

    private func keyStep(
        _ token: UnverifiedToken, _ algorithm: SignatureAlgorithm, _ choice: Result<IssuerRules.KeyChoice, Refusal>,
        _ keys: KeyReport
    ) -> Explanation.Step {
        let wanted = "\(token.keyID.map { "kid \(Quoted.text($0))" } ?? "no kid"), for \(algorithm.rawValue)"
        let source = keys.source.map { ["from \(Quoted.plain($0))"] } ?? []
        let failure = keys.failure.map { [Quoted.plain($0)] } ?? []
        switch choice {
        case .success(.key(let key)):
            return .init(.key, .passed, found: [KeyDisplay.text(key)] + source + failure)
        case .success(.await): return .init(.key, .notChecked)
        case .failure(let refusal):
            guard case .usable(let set) = keys.state else {
                return .init(
                    .key, .failed(refusal), found: ["no keys"] + failure, expected: ["the issuer's key set"])
            }
            return .init(
                .key, .failed(refusal), found: [wanted] + failure,
                expected: ["exactly one fitting key of those \(source.first ?? "of the issuer")"] + KeyDisplay.list(set))
        }
    }

    // MARK: After it

    private func claimSteps(
        _ claims: JSONValue, type: String?, _ issuer: IssuerRules, at now: Instant
    ) -> (steps: [Explanation.Step], validity: TokenValidity?, fields: AudienceFields?) {
        let typeOutcome = Self.result { () throws(Refusal) in try issuer.checkType(type) }
        let rules = policy.rules[rulesIndex]
        let times = Self.result { () throws(Refusal) in try issuer.validity(of: claims, under: rules, at: now) }
        let issuedAt = (try? times.get().issuedAt) ?? claims["iat"]?.integer
        let audience = Self.result { () throws(Refusal) in
            try issuer.audience(of: claims, type: type, issuedAt: issuedAt, at: now)
        }
        let steps: [Explanation.Step] = [
            step(
                .type, typeOutcome, found: [type.map { "typ \(Quoted.text($0))" } ?? "no typ"],
                expected: issuer.types.spelled.prefix(Quoted.valuesMax).map { $0 == "-" ? "no typ" : "typ \(Quoted.text($0))" }),
            step(
                .times, times, found: Self.times(claims, at: now.unixSeconds),
                expected: Self.wantedTimes(issuer.policy, rules)),
            step(
                .audience, audience, found: [claims["aud"].map { "aud \(ClaimDisplay.text($0))" } ?? "no aud"],
                expected: Self.wantedAudiences(issuer.policy)),
            requirementsStep(claims, issuer),
        ]
        return (steps, typeOutcome.isSuccess ? try? times.get() : nil, try? audience.get())
    }

    private func requirementsStep(_ claims: JSONValue, _ issuer: IssuerRules) -> Explanation.Step {
        let requirements = issuer.policy.requirements.and(policy.rules[rulesIndex].requirements)
        if requirements == Requirements() { return .init(.requirements, .passed, found: ["nothing more is required"]) }
        let scope = ["scope", "scp"].compactMap { name in claims[named: name].map { "\(name) \(ClaimDisplay.text($0))" } }
        return step(
            .requirements, Self.result { () throws(Refusal) in try requirements.check(claims) },
            found: [scope.first ?? "no scope"] + requirements.claims.map { $0.found(in: claims) },
            expected: Quoted.each(requirements.scopes).map { "scope \($0)" } + requirements.claims.map(\.text))
    }

    private func step<Value>(
        _ name: Explanation.StepName, _ result: Result<Value, Refusal>, found: [String], expected: [String]
    ) -> Explanation.Step {
        switch result {
        case .success: .init(name, .passed, found: found)
        case .failure(let refusal): .init(name, .failed(refusal), found: found, expected: expected)
        }
    }

    private static func times(_ claims: JSONValue, at now: Int64) -> [String] {
        let found = ["exp", "nbf", "iat"].compactMap { name -> String? in
            guard let value = claims[named: name] else { return name == "exp" ? "no exp" : nil }
            guard let seconds = value.integer, let date = ExplainedTime.date(seconds) else {
                return "\(name) \(ClaimDisplay.value(name, value))"
            }
            return "\(name) \(date) (\(ExplainedTime.distance(seconds, from: now)))"
        }
        return found + ["now \(RFC3339.text(now)) by this machine's clock"]
    }

    private static func identity(_ claims: JSONValue, _ forward: ForwardPolicy?) -> [String] {
        if let forward {
            let told = forward.fields.compactMap { field in
                field.path.value(in: claims).map { "\(field.header) from \(ClaimDisplay.text($0))" }
            }
            return told.isEmpty ? ["none of the claims that are forwarded"] : told
        }
        let found = ["sub", "azp", "client_id", "scope", "scp"].compactMap { name in
            claims[named: name].map { "\(name) \(ClaimDisplay.text($0))" }
        }
        return found.isEmpty ? ["no sub, azp, client_id or scope"] : found
    }

    /// The new ones, then those that are still accepted, or were.
    private static func wantedAudiences(_ policy: IssuerPolicy) -> [String] {
        let legacy = policy.legacyAudiences.prefix(Quoted.valuesMax).map { legacy in
            let end = legacy.acceptUntil.map { " until \(RFC3339.text($0))" } ?? " for a while"
            return "\(Quoted.text(legacy.audience))\(end)"
        }
        return (Quoted.each(policy.audiences) + legacy).map { "aud \($0)" }
    }

    private static func wantedTimes(_ policy: IssuerPolicy, _ rules: AccessRules) -> [String] {
        let lifetime = policy.maxLifetimeSeconds.map { ["at most \(ExplainedTime.duration($0)) from iat to exp"] } ?? []
        let minted = rules.authorization == .mint ? ["exp without leeway, as the backend's token ends with this one"] : []
        return ["exp in the future, nbf and iat in the past where they are there, with \(policy.leewaySeconds) s of leeway"]
            + minted + lifetime
    }
}

extension ClaimRequirement {
    fileprivate var text: String {
        switch test {
        case .present: "claim \(path.quoted)"
        case .equals(let values): "claim \(path.quoted) equals \(Quoted.list(values))"
        case .contains(let values): "claim \(path.quoted) contains \(Quoted.list(values))"
        }
    }

    fileprivate func found(in claims: JSONValue) -> String {
        path.value(in: claims).map { "claim \(path.quoted) \(ClaimDisplay.text($0))" } ?? "no claim \(path.quoted)"
    }
}

extension Result {
    fileprivate var isSuccess: Bool {
        if case .success = self { true } else { false }
    }
}
