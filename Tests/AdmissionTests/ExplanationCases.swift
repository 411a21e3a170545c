// Tokens, each with one thing to explain, or two: for every way in which a token can be refused.

import Admission
import JOSE
import OpenSSLKit

/// A token, the policy it is held against, and the keys.
struct ExplanationCase {
    let name: String
    /// The code of the proxy's refusal; nil: it is admitted.
    let code: RefusalCode?
    let text: String
    var policy = Fixture.policy()
    var rules = AccessRules()
    var keys = ExplanationCase.fetched

    var explanation: Explanation {
        let second = IssuerPolicy(identifier: "https://other.example", audiences: ["https://api.example.com"])
        let examination = Examination(Array(text.utf8), under: AdmissionPolicy(issuers: [policy, second], rules: [rules]))
        return examination.explain(with: examination.issuerIndex == nil ? .notNeeded : keys, at: Fixture.instant())
    }

    static let fetched = KeyReport(
        state: .usable(Fixture.keySet(Fixture.rsa, Fixture.ec)), source: "https://issuer.example/jwks.json")
    static let pinned = KeyReport(
        state: .usable(Fixture.keySet(Fixture.rsa)), source: "/etc/antechamber/jwks.json",
        failure: "the issuer's own could not be fetched: the server answered 500")
    static let none = KeyReport(state: .unavailable(retryAfterSeconds: 2), failure: "the server answered 500")
    static let twins = KeyReport(
        state: .usable(Fixture.keySet(Fixture.ec, Fixture.otherEC)), source: "https://issuer.example/jwks.json")

    /// What the web app of the support thread sends: the ID token of its login.
    static let idToken: KeyValuePairs = [
        "aud": "\"SDFWRGRRSFDF3214\"", "azp": "", "scope": "", "nonce": "\"n-0S6_WzA2Mj\"",
        "at_hash": "\"77QmUPtjPfzWtF2AnpK9RQ\"", "name": "\"Alice\"", "email": "\"alice@example.com\"",
    ]

    static let all = beforeTheSignature + afterTheSignature

    private static let beforeTheSignature: [ExplanationCase] = [
        .init(name: "admitted", code: nil, text: Fixture.token(signer: Fixture.rsa)),
        .init(name: "missing_token", code: .missingToken, text: " \n"),
        .init(name: "missing_token-other-scheme", code: .missingToken, text: "Authorization: Basic dXNlcjpwYXNz"),
        .init(
            name: "malformed_authorization", code: .malformedAuthorization,
            text: "Authorization: Bearer eyJhbGciOiJFUzI1\nNiJ9.e30.c2ln"),
        .init(name: "malformed_token-opaque", code: .malformedToken, text: "hDq0LF2vWZ6Y3aT1cXrN8sKfUeJbMgPo"),
        .init(name: "malformed_token-undefined", code: .malformedToken, text: "Bearer undefined"),
        .init(
            name: "malformed_token-encrypted", code: .malformedToken,
            text: encoded(#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc-1"}"#) + ".a.b.c.d"),
        .init(
            name: "malformed_token-encrypted-for-its-issuer", code: .malformedToken,
            text: encoded(#"{"alg":"dir","enc":"A256GCM","iss":"https://issuer.example/"}"#) + "..a.b.c"),
        .init(
            name: "malformed_token-cut", code: .malformedToken,
            text: String(Fixture.token().split(separator: ".").prefix(2).joined(separator: "."))),
        .init(
            name: "malformed_token-twice", code: .malformedToken,
            text: signed(#"{"alg":"ES256","kid":"ec-1"}"#, #"{"iss":"https://issuer.example/","sub":"a","sub":"b"}"#)),
        .init(
            name: "malformed_token-critical", code: .malformedToken,
            text: signed(#"{"alg":"ES256","kid":"ec-1","crit":["exp"]}"#, Fixture.claims())),
        .init(name: "unknown_issuer", code: .unknownIssuer, text: Fixture.token(["iss": "\"https://staging.example/\""])),
        .init(name: "unknown_issuer-none", code: .unknownIssuer, text: Fixture.token(["iss": ""])),
        .init(name: "unknown_issuer-scheme", code: .unknownIssuer, text: Fixture.token(["iss": "\"http://issuer.example/\""])),
        .init(
            name: "unknown_issuer-slash", code: .unknownIssuer,
            text: Fixture.token(["iss": "\"https://issuer.example\"", "aud": "\"web\""])),
        .init(
            name: "algorithm_not_allowed-none", code: .algorithmNotAllowed,
            text: encoded(#"{"alg":"none","typ":"JWT"}"#) + "." + encoded(Fixture.claims()) + "."),
        .init(
            name: "algorithm_not_allowed-hs256", code: .algorithmNotAllowed,
            text: signed(#"{"alg":"HS256","typ":"JWT"}"#, Fixture.claims())),
        .init(
            name: "algorithm_not_allowed-policy", code: .algorithmNotAllowed, text: Fixture.token(),
            policy: Fixture.policy { $0.algorithms = [.rs256, .ps256] }),
        .init(name: "unknown_key", code: .unknownKey, text: Fixture.token(signer: Fixture.otherEC)),
        .init(name: "unknown_key-file", code: .unknownKey, text: Fixture.token(), keys: pinned),
        .init(
            name: "unknown_key-unfit", code: .unknownKey,
            text: signed(#"{"alg":"ES256","kid":"rsa-1"}"#, Fixture.claims())),
        .init(name: "ambiguous_key", code: .ambiguousKey, text: signed(#"{"alg":"ES256"}"#, Fixture.claims()), keys: twins),
        .init(name: "bad_signature", code: .badSignature, text: Fixture.token(["aud": "\"web\""], signer: Fixture.impostor)),
        .init(name: "keys_unavailable", code: .keysUnavailable, text: Fixture.token(), keys: none),
    ]

    private static let afterTheSignature: [ExplanationCase] = [
        .init(
            name: "wrong_token_type", code: .wrongTokenType, text: Fixture.token(type: "JWT"),
            policy: Fixture.policy { $0.tokenTypes = [.named("at+jwt")] }),
        .init(name: "token_expired", code: .tokenExpired, text: token("exp", "\(Fixture.now - 95)", "iat", "\(Fixture.now - 695)")),
        .init(
            name: "token_expired-and-wrong-audience", code: .tokenExpired,
            text: Fixture.token(["exp": "\(Fixture.now - 86_400)", "iat": "\(Fixture.now - 90_000)", "aud": "\"https://billing.example.com\""])),
        .init(name: "token_not_yet_valid", code: .tokenNotYetValid, text: token("nbf", "\(Fixture.now + 3_600)")),
        .init(name: "token_issued_in_future", code: .tokenIssuedInFuture, text: token("iat", "\(Fixture.now + 77)")),
        .init(
            name: "token_issued_in_future-milliseconds", code: .tokenIssuedInFuture,
            text: token("iat", "\(Fixture.now)000", "exp", "\(Fixture.now + 600)000")),
        .init(
            name: "token_lifetime_too_long", code: .tokenLifetimeTooLong, text: Fixture.token(),
            policy: Fixture.policy { $0.maxLifetimeSeconds = 300 }),
        .init(name: "missing_claim-exp", code: .missingClaim, text: token("exp", "")),
        .init(name: "missing_claim-aud", code: .missingClaim, text: token("aud", "")),
        .init(name: "malformed_claim-exp", code: .malformedClaim, text: token("exp", "\"tomorrow\"")),
        .init(name: "malformed_claim-aud", code: .malformedClaim, text: token("aud", "7")),
        .init(name: "malformed_claim-sub", code: .malformedClaim, text: token("sub", "42")),
        .init(
            name: "wrong_audience-id-token", code: .wrongAudience,
            text: Fixture.token(idToken, signer: Fixture.rsa, type: "JWT")),
        .init(
            name: "admitted-id-token", code: nil, text: Fixture.token(idToken, signer: Fixture.rsa, type: "JWT"),
            policy: Fixture.policy { $0.audiences.append("SDFWRGRRSFDF3214") }),
        .init(name: "admitted-legacy", code: nil, text: token("aud", "\"SDFWRGRRSFDF3214\""), policy: bridge(until: 86_400)),
        .init(
            name: "legacy_audience_expired", code: .legacyAudienceExpired, text: token("aud", "\"SDFWRGRRSFDF3214\""),
            policy: bridge(until: -86_400)),
        .init(
            name: "legacy_audience_brownout", code: .legacyAudienceBrownout, text: token("aud", "\"SDFWRGRRSFDF3214\""),
            policy: bridge(until: 86_400, brownouts: [-600..<600])),
        .init(
            name: "insufficient_scope", code: .insufficientScope, text: token("scope", "\"read:x\""),
            rules: AccessRules(requirements: Requirements(scopes: ["read:x", "write:x"]))),
        .init(name: "wrong_audience-other-api", code: .wrongAudience, text: token("aud", "\"https://billing.example.com\"")),
        .init(
            name: "wrong_audience-userinfo", code: .wrongAudience,
            text: token("aud", "\"https://issuer.example/userinfo\"", "gty", "\"password\"")),
        .init(name: "wrong_audience-slash", code: .wrongAudience, text: token("aud", "\"https://api.example.com/\"")),
        .init(
            name: "wrong_audience-hostile", code: .wrongAudience,
            text: token("aud", #""\u001b[2J\u001b]0;owned\u0007\r\nadmitted\u202e""#, #"\u001b[31mred"#, #"["\u0000", {"a\n": 1e400}]"#)),
    ]

    /// A policy with the web app's client ID as a legacy audience; times are seconds from now.
    private static func bridge(until end: Int64, brownouts: [Range<Int64>] = []) -> IssuerPolicy {
        let legacy = LegacyAudience(
            audience: "SDFWRGRRSFDF3214", name: "web", acceptUntil: Fixture.now + end,
            brownouts: brownouts.map { $0.lowerBound + Fixture.now..<$0.upperBound + Fixture.now },
            documentation: "https://docs.example.com/new-audience")
        return Fixture.policy { $0.legacyAudiences = [legacy] }
    }

    private static func token(_ name: String, _ value: String, _ other: String? = nil, _ otherValue: String = "") -> String {
        guard let other else { return Fixture.token([name: value], signer: Fixture.rsa) }
        return Fixture.token([name: value, other: otherValue], signer: Fixture.rsa)
    }

    private static func signed(_ header: String, _ claims: String) -> String {
        try! Fixture.ec.sign(header: header, claims: claims)
    }

    private static func encoded(_ text: String) -> String {
        // The first part of a token is its header, encoded.
        String(signed(text, "").prefix { $0 != "." })
    }
}
