// What to do about each refusal, for those who run the proxy or write the client. A refusal's own hint is for whoever
// holds the token, and says nothing of the policy before the signature held; what stands here comes after it and may.

internal import Bytes
internal import JOSE

/// What advice is given from.
struct AdviceContext {
    let policy: AdmissionPolicy
    let issuerIndex: Int?
    let token: [UInt8]
    let parts: TokenParts
    let keys: KeyReport
    /// Unix seconds.
    let now: Int64

    var issuer: IssuerPolicy? { issuerIndex.map { policy.issuers[$0] } }
    private var claims: JSONValue? { parts.claims }
    /// The certificate that the token is bound to, if it is to one.
    var holder: CertificateThumbprint? { claims.flatMap { try? CertificateThumbprint.bound(to: $0) } }

    func advice(on refusal: Refusal) -> [String] {
        switch refusal.code {
        case .missingToken:
            [
                "If the client believes that it sends one: it had none when it made the request (a login that is not "
                    + "done, or failed), or something on the way took the Authorization header out."
            ]
        case .malformedAuthorization:
            [
                "Copy it again, in one piece: terminals and mail programs break long lines, and quotes are easily "
                    + "copied along."
            ]
        case .malformedToken: malformed
        case .unknownIssuer: unknownIssuer
        case .algorithmNotAllowed: algorithm
        case .unknownKey: unknownKey
        case .ambiguousKey:
            ["Without a kid it cannot be told which of them signed, and trying them all is not done."]
        case .badSignature:
            [
                "Copy the whole token again: one lost or changed character is enough.",
                "If it is whole, the key that signed it has the issuer's key ID but is another key. Take the token for "
                    + "a forgery until you know where it was made: a test issuer, perhaps.",
            ]
        case .keysUnavailable:
            [
                "`antechamber check --fetch` tries it for every issuer. See whether this machine reaches the issuer, and "
                    + "whether the issuer in proxy.conf is spelled right.",
                "A file that `jwks_file` names serves while the issuer is out of reach.",
            ]
        case .wrongTokenType:
            ["To admit this type too, add it to `token_types` in this issuer's block (- stands for no typ)."]
        case .tokenExpired: expired
        case .tokenNotYetValid: early("nbf")
        case .tokenIssuedInFuture: early("iat")
        case .tokenLifetimeTooLong: ["Or raise `max_lifetime` in this issuer's block."]
        case .missingClaim: claims?["aud"] == nil ? howToAsk : []
        case .malformedClaim:
            ["The issuer writes this claim, or a rule, action or mapper that you gave it: mend it there."]
        case .insufficientScope:
            ["It is `require scope` in proxy.conf that asks for it. At Auth0 a scope is a permission of the API."]
        case .wrongAudience: isNearMiss(refusal) ? [] : howToAsk + bridge
        case .legacyAudienceExpired:
            howToAsk + ["To let it in for longer, change `accept_until` or `issued_before` of this legacy_audience."]
        case .legacyAudienceBrownout:
            howToAsk + ["The refusal is meant, and passes: it is a `brownout` of this legacy_audience."]
        default: []
        }
    }

    // MARK: Which audience to ask for

    /// Where a refusal's hint, which is constant words before the signature, could not say which audience it is.
    private var request: [String] {
        let issuers = issuer.map { [$0] } ?? policy.issuers
        let audiences = issuers.prefix(Quoted.valuesMax).compactMap(\.audiences.first)
        guard Set(audiences).count > 1 else {
            return audiences.prefix(1).map { "This API's audience is \(Quoted.text($0)): ask for that one." } + howToAsk
        }
        return zip(issuers, audiences).map { issuer, audience in
            "At the issuer \(Quoted.text(issuer.identifier)) this API's audience is \(Quoted.text(audience)): ask for that "
                + "one."
        } + howToAsk
    }

    private var howToAsk: [String] {
        let issuers = issuer.map { [$0] } ?? policy.issuers
        guard let audience = issuers.first?.audiences.first else { return [] }
        return [
            "With Auth0's web libraries that is authorizationParams: { audience: \(Quoted.text(audience)) }; at Microsoft "
                + "Entra ID it is a scope of the API (that ends in /.default); at Keycloak an audience mapper."
        ]
    }

    /// How to let the client in that has not moved yet.
    private var bridge: [String] {
        guard let audience = claims?["aud"]?.string ?? onlyAudience, isClientID(audience) else { return [] }
        return [
            "If \(Quoted.text(audience)) is a client of your own that has to work before it is changed: write "
                + "`legacy_audience \(audience) { accept_until ...; }` into this issuer's block, with the date by which it "
                + "will have moved. Until then all of its tokens are admitted."
        ]
    }

    private var onlyAudience: String? {
        guard let value = claims?["aud"], value.kind == .array, value.count == 1 else { return nil }
        return value.elements.first { _ in true }?.string
    }

    /// Whether it looks like the ID of a client, and not like an API, which are URLs as a rule; of characters that can
    /// stand in proxy.conf, and in a line of ours, as they are.
    private func isClientID(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= Quoted.bytesMax
            && text.utf8.allSatisfy { ASCII.isAlphanumeric($0) || "-._~@".utf8.contains($0) }
    }

    /// The refusal's hint says all there is to say of it.
    private func isNearMiss(_ refusal: Refusal) -> Bool {
        refusal.got.contains { got in
            refusal.expected.contains { TrailingSlash.alone(got, $0) || got.lowercased() == $0.lowercased() }
        }
    }

    // MARK: Before the signature

    private var malformed: [String] {
        switch parts.count {
        case 1: return TokenSyntaxError.isPlaceholder(token.span) ? [] : request
        case 5 where parts.header?["alg"]?.isString("dir") == true:
            return [
                "Its alg is dir: it is encrypted with a key that only its issuer has, and meant for nobody else. Auth0, "
                    + "for one, hands out such a token when no audience was requested."
            ] + request
        case 5: return ["At the issuer, switch off the encryption of access tokens for this API."]
        default: return []
        }
    }

    private var unknownIssuer: [String] {
        guard let name = claims?["iss"]?.string else {
            return ["An OpenID provider puts iss into every token: see what made this one."]
        }
        if let issuer {
            return [
                "In proxy.conf (or --issuer) write it as the token has it: issuer \(Quoted.text(name)), where now is "
                    + "\(Quoted.text(issuer.identifier)). Auth0's issuers end in a slash, most others' do not."
            ]
        }
        if let near = policy.issuers.first(where: { Self.folded($0.identifier) == Self.folded(name) }) {
            return [
                "It differs from \(Quoted.text(near.identifier)) only in upper and lower case, the scheme or a slash at "
                    + "the end. Write it in proxy.conf as the token has it."
            ]
        }
        return [
            "If you do not know that issuer, the client logs in at the wrong place: another tenant, or a test system.",
            "If you trust it, give it a block of its own in proxy.conf, with the audience that its tokens are for.",
        ]
    }

    private static func folded(_ issuer: String) -> String {
        var text = issuer.lowercased()
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) { text.removeFirst(scheme.count) }
        if text.hasSuffix("/") { text.removeLast() }
        return text
    }

    private var algorithm: [String] {
        let name = parts.header?["alg"]?.string ?? ""
        if name.lowercased() == "none" {
            return ["Nobody has signed it, so anybody can have written it. No setting admits such a token."]
        }
        if name.hasPrefix("HS") {
            return [
                "\(Quoted.text(name)) signs with a secret that issuer and API share, so whoever can check tokens can "
                    + "also make them. Set the signing algorithm of this API to RS256 at the issuer (Auth0: "
                    + "Applications, APIs, Settings), or, where it has to be, name the secret: `secret_file`."
            ]
        }
        if case .secretFile? = issuer?.keys.source {
            return ["This issuer's block has a `secret_file`, so that no key which the issuer publishes counts."]
        }
        if SignatureAlgorithm(rawValue: name) != nil {
            return ["If the issuer is meant to sign with it, add it to `algorithms` in this issuer's block."]
        }
        return ["No algorithm of that name is supported: names are those of RFC 7518 and RFC 8037, in their very case."]
    }

    private var unknownKey: [String] {
        guard keys.failure == nil, let source = keys.source else {
            return ["These are not the issuer's latest keys: it could not be asked. See that it can be reached."]
        }
        return source.hasPrefix("https://") || source.hasPrefix("http://")
            ? ["The key set was fetched just now, so waiting for a newer one is no use."]
            : [
                "These keys come from a file, which knows nothing of those that the issuer has made since: fetch its key "
                    + "set anew, or name a `jwks_uri`."
            ]
    }

    // MARK: Times

    private var expired: [String] {
        guard let expiry = claims?["exp"]?.integer, let issued = claims?["iat"]?.integer, issued >= 0, expiry > issued
        else { return [] }
        let life = "It was made to live for \(ExplainedTime.duration(expiry - issued))."
        guard now - expiry <= Self.skewSecondsMax else { return [life] }
        return [
            life + " If you got it only just now, this machine's clock is ahead of the issuer's, by "
                + "\(ExplainedTime.duration(now - expiry)) or more: synchronise it."
        ]
    }

    private func early(_ claim: String) -> [String] {
        guard let start = claims?[named: claim]?.integer, start > now else { return [] }
        let ahead = start - now
        if start >= Self.millisecondsMin {
            return ["That number is in milliseconds, it seems: times in tokens are in seconds."]
        }
        if ahead > Self.skewSecondsMax {
            return [
                "That is more than clocks usually differ by: see whether \(claim) is meant to be in the future, or was "
                    + "made from a local time instead of UTC."
            ]
        }
        let leeway = (ahead / 30 + 1) * 30
        return [
            "Either the issuer's clock is ahead, by \(ExplainedTime.duration(ahead)), or this machine's is behind. Where "
                + "that cannot be mended, `leeway \(leeway)s;` in this issuer's block admits such tokens."
        ]
    }

    /// As seconds this is the year 5138, as milliseconds 1973.
    private static let millisecondsMin: Int64 = 100_000_000_000

    /// More than this is no clock that runs a little off.
    private static let skewSecondsMax: Int64 = 600

    // MARK: Remarks

    /// What is worth knowing although no step failed on it.
    func remarks(isAdmitted: Bool) -> [String] {
        guard let claims else { return [] }
        var remarks: [String] = []
        let audiences = claims["aud"].flatMap { try? ClaimText.strings("aud", $0) } ?? []
        if isAdmitted, let legacy = legacy(audiences) {
            let end = legacy.acceptUntil.map { "until \(RFC3339.text($0))" } ?? "without an end so far"
            remarks.append(
                "It is admitted by a legacy audience, \(Quoted.text(legacy.name)), \(end). Its client should ask for "
                    + "\(Quoted.text(issuer?.audiences.first ?? "")) instead.")
        }
        if claims["gty"]?.isString("password") == true {
            remarks.append(
                "It comes from the resource-owner password grant (gty is password). That way of logging in is deprecated, "
                    + "and may pass by the rules or actions that add custom claims.")
        }
        if isAdmitted, let holder {
            remarks.append(
                "It is bound to a client certificate (cnf): only over a TLS connection that was made with the one whose "
                    + "SHA-256 is \(holder.hexadecimal) is it admitted, and refused with certificate_mismatch over any other. "
                    + "`listen ... tls` asks for certificates with `client_ca` and `verify_client`.")
        }
        guard case .idToken = TokenKind(claims, type: parts.header?["typ"]?.string, audiences: audiences) else {
            return remarks
        }
        if isAdmitted {
            remarks.append(
                "It is an ID token, made for a client and not for an API, and is admitted because its audience is among "
                    + "this issuer's. Better have the client send an access token.")
        }
        if !claims.members.contains(where: { $0.name.contains("://") }) {
            remarks.append(
                "It has no custom claims (those with a URL for a name). Where you expect some: ID tokens and access tokens "
                    + "get theirs separately, so look at the access token; the old password login (oauth/ro, "
                    + "grant_type=password) may skip the rules or actions that add them; and some issuers drop a custom "
                    + "claim whose name is not a URL of your own, such as https://example.com/roles.")
        }
        return remarks
    }

    /// The legacy audience that the token is admitted by, if it has no other.
    private func legacy(_ audiences: [String]) -> LegacyAudience? {
        guard let issuer, !issuer.audiences.contains(where: { own in audiences.contains { $0.hasSameBytes(as: own) } })
        else { return nil }
        return issuer.legacyAudiences.first { legacy in audiences.contains { $0.hasSameBytes(as: legacy.audience) } }
    }
}
