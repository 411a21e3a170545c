// The `aud` claim (RFC 7519 §4.1.3), and what is said to those whose token was made for somebody else.
//
// This is the refusal that people meet first and understand least: "Why are there different tokens? What's the
// audience? Do I have this wired up wrong?" The answer is in its detail and hint.

internal import Bytes
internal import JOSE

/// The audiences of one issuer's policy, each with the fields that its tokens share.
struct AudienceRule {
    /// Those to stay, then those on their way out: a token that has one of each has moved.
    private let accepted: [(audience: String, fields: AudienceFields)]
    /// Those to stay.
    private let wanted: [String]

    init(_ policy: IssuerPolicy, issuerIndex: Int) {
        let fields = { (audience: String, legacy: LegacyRule?) in
            AudienceFields(issuerIndex: issuerIndex, issuer: policy.identifier, audience: audience, legacy: legacy)
        }
        wanted = policy.audiences
        accepted =
            policy.audiences.map { ($0, fields($0, nil)) }
            + policy.legacyAudiences.enumerated().map { index, legacy in
                (legacy.audience, fields(legacy.audience, LegacyRule(legacy, at: index, wanted: policy.audiences)))
            }
    }

    /// The first audience of the policy that the token has. Whether a legacy one is still accepted is for `LegacyRule`.
    func match(_ claims: JSONValue, type: String?) throws(Refusal) -> AudienceFields {
        guard let value = claims["aud"] else {
            throw Refusal(
                .missingClaim, "The token has no aud claim: it does not say which API it was made for.",
                hint: "Request the token with audience=\(Quoted.list(wanted)), so that the issuer writes it into aud.",
                expected: Quoted.cut(wanted))
        }
        // Every element is looked at before any is believed: an aud that holds anything but strings is malformed.
        try ClaimText.checkStrings("aud", value)
        for (audience, fields) in accepted where ClaimText.holds(audience, value) { return fields }
        throw refusal(claims, type: type, audiences: try ClaimText.strings("aud", value))
    }

    private func refusal(_ claims: JSONValue, type: String?, audiences: [String]) -> Refusal {
        let comparison =
            (audiences.isEmpty ? "The token's aud names nobody" : "The token's audience is \(Quoted.list(audiences))")
            + "; this API's audience is \(Quoted.list(wanted))."
        let request = Quoted.cut(wanted.first ?? "")
        let kind = TokenKind(claims, type: type, audiences: audiences)

        let detail: String
        let hint: String
        if let near = nearMiss(audiences) {
            detail = comparison
            hint = near
        } else if case .idToken(let client, let evidence) = kind {
            let owner = client.map { " of the client \(Quoted.text($0))" } ?? ""
            detail = "This is an ID token\(owner) (\(evidence.joined(separator: "; "))). \(comparison)"
            hint =
                "An ID token tells a client who logged in: its audience is that client, so every client gets a "
                + "different one. An API takes access tokens. When logging in, request one with audience=\(request) "
                + "(resource=\(request) at issuers that follow RFC 8707), and send the access_token, not the id_token."
        } else if !audiences.isEmpty, audiences.allSatisfy(TokenKind.isUserInfo) {
            detail = "This access token was made for the issuer's own userinfo endpoint. \(comparison)"
            hint =
                "No API was named when the token was requested. Add audience=\(request) (resource=\(request) at "
                + "issuers that follow RFC 8707) to the authorization request."
        } else {
            detail = comparison
            hint =
                "The audience is the API that a token was requested for, so tokens for different APIs differ. Request "
                + "one with audience=\(request) (resource=\(request) at issuers that follow RFC 8707)."
        }
        return Refusal(.wrongAudience, detail, hint: hint, expected: Quoted.cut(wanted), got: Quoted.cut(audiences))
    }

    /// Whether an audience is one of ours but for a trailing slash or the case of letters: nearly always a typo.
    private func nearMiss(_ audiences: [String]) -> String? {
        for audience in audiences {
            for own in wanted {
                if TrailingSlash.alone(audience, own) {
                    return "They differ only by a trailing slash, and audiences are compared exactly: use the same "
                        + "spelling at the issuer and here."
                }
                if audience.lowercased().hasSameBytes(as: own.lowercased()) {
                    return "They differ only in upper and lower case, and audiences are compared exactly: use the "
                        + "same spelling at the issuer and here."
                }
            }
        }
        return nil
    }
}

enum TrailingSlash {
    /// Whether the two differ by one trailing slash and by nothing else.
    static func alone(_ left: String, _ right: String) -> Bool {
        (left + "/").hasSameBytes(as: right) || left.hasSameBytes(as: right + "/")
    }
}
