// Every refusal of a token as its sender reads it: what brought it about, its code, and its words.

import HTTPWire
import JOSE
import Testing

@testable import Admission

@Suite struct RefusalTextTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var code: RefusalCode
        /// What the request says behind its Host field.
        var lines: [String]
        var detail: String
        var hint: String?
        var change: @Sendable (inout IssuerPolicy) -> Void = { _ in }
        var signers: [TokenSigner] = [Fixture.rsa, Fixture.ec]
        var requirements = Requirements()

        var testDescription: String { "\(code.rawValue): \(detail)" }
    }

    private static func bearer(_ token: String) -> [String] { ["Authorization: Bearer \(token)"] }
    private static func unnamed() -> String {
        (try? Fixture.ec.sign(header: "{\"alg\":\"ES256\"}", claims: Fixture.claims())) ?? ""
    }
    private static let now = Fixture.now

    static let rows: [Row] = [
        Row(code: .missingToken, lines: [], detail: "The request has no Authorization header.",
            hint: "Send the access token as `Authorization: Bearer <token>`."),
        Row(code: .multipleTokens, lines: bearer("a") + bearer("a"), detail: "The request has more than one Authorization header.",
            hint: "Send exactly one; look for a client library and a proxy on the way that both add one."),
        Row(code: .malformedAuthorization, lines: ["Authorization: Bearer a b"],
            detail: "The Authorization header is not of the form `Bearer <token>`.",
            hint: "After the word Bearer come one space and the token, without quotes, commas or further spaces."),
        Row(code: .malformedToken, lines: bearer("a.b.c.d"), detail: "The token does not have three parts.",
            hint: "The token may have been cut, quoted or encoded on its way: send the very bytes that the issuer returned."),
        Row(code: .unknownIssuer, lines: bearer(Fixture.token(["iss": "\"https://evil.example/\""])),
            detail: "The token's issuer (iss) is not one that this API trusts.",
            hint: "Compare the token's iss with the API's configuration: they have to be the same to the byte."),
        Row(code: .algorithmNotAllowed, lines: bearer(Fixture.token()),
            detail: "The token's alg is not one that this API accepts from its issuer.",
            hint: "Have the issuer sign with an algorithm that this API is configured for, such as RS256.",
            change: { $0.algorithms = [.rs256] }),
        Row(code: .unknownKey, lines: bearer(Fixture.token(signer: Fixture.otherEC)),
            detail: "The issuer's key set has no key with the token's kid.",
            hint: "The token may come from another tenant or environment, or be signed with a key that was withdrawn."),
        Row(code: .ambiguousKey, lines: bearer(unnamed()), detail: "More than one key of the issuer fits the token.",
            hint: "Have the issuer put a kid into its tokens, a different one for each key.", signers: [Fixture.ec, Fixture.otherEC]),
        Row(code: .badSignature, lines: bearer(Fixture.token(signer: Fixture.impostor)),
            detail: "The token's signature does not hold for the issuer's key.",
            hint: "The token was changed after it was signed, or signed by somebody else."),
        Row(code: .wrongTokenType, lines: bearer(Fixture.token(type: "x")),
            detail: "The token's typ is \"x\"; this API accepts \"at+jwt\", \"JWT\", \"-\" (- stands for none).",
            hint: "An access token of RFC 9068 has the typ at+jwt. See which kind of token the client sends."),
        Row(code: .tokenExpired, lines: bearer(Fixture.token(["exp": "\(now - 95)"])),
            detail: "The token's exp was 95 s ago; 30 s of clock skew are allowed.",
            hint: "Get a new token: with the refresh token, or by logging in again."),
        Row(code: .tokenLifetimeTooLong, lines: bearer(Fixture.token()),
            detail: "From iat to exp the token lives 660 s: 360 s longer than the 300 s that this API accepts.",
            hint: "Shorten the access token lifetime at the issuer.", change: { $0.maxLifetimeSeconds = 300 }),
        Row(code: .malformedClaim, lines: bearer(Fixture.token(["exp": "-1"])),
            detail: "The claim exp is not a time: it is negative or beyond 2^53 seconds.",
            hint: "Times are seconds since 1970, not milliseconds."),
        Row(code: .malformedClaim, lines: bearer(Fixture.token(["aud": "[1]"])),
            detail: "The claim aud holds a number where a string belongs.", hint: nil),
        Row(code: .missingClaim, lines: bearer(Fixture.token(["iat": ""])),
            detail: "The token has no iat claim, so that its lifetime cannot be told.",
            hint: "This API bounds how long a token may live (900 s), and needs iat for that.",
            change: { $0.maxLifetimeSeconds = 900 }),
        Row(code: .insufficientScope, lines: bearer(Fixture.token()), detail: "The token's scope lacks \"admin\".",
            hint: "Have the client ask its issuer for this scope, and see that the user may have it.",
            requirements: Requirements(scopes: ["read:x", "admin"])),
    ]

    @Test(arguments: rows)
    func `A refusal says in these words what is wrong and what to do`(row: Row) throws {
        let policy = AdmissionPolicy(
            issuers: [Fixture.policy(row.change)], rules: [AccessRules(requirements: row.requirements)])
        let authenticator = Authenticator(policy: policy)
        let keys = "{\"keys\":[" + row.signers.map(\.publicJWK).joined(separator: ",") + "]}"
        let set = try KeySet(parsing: Array(keys.utf8).span)
        authenticator.install(KeyMaterial(state: .usable(set), forcedRefreshAllowedAt: .max), forIssuerAt: 0)
        let request = Array(
            ("GET / HTTP/1.1\r\nHost: a\r\n" + row.lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
        let refusal = try #require(authenticator.decide(raw: request, mayAwaitKeys: false).refusal)
        #expect(refusal.code == row.code)
        #expect(refusal.detail == row.detail)
        #expect(refusal.hint == row.hint)
    }

    @Test func `No key material is 503, with when to come back and no challenge`() throws {
        let authenticator = Authenticator(policy: AdmissionPolicy(issuers: [Fixture.policy()]))
        let refusal = try #require(authenticator.decide(Fixture.token(), mayAwaitKeys: false).refusal)
        #expect(refusal.code == .keysUnavailable)
        #expect(refusal.detail == "There are no keys of the token's issuer to verify it with.")
        #expect(refusal.hint == "The token may well be good: try again later.")
        #expect(refusal.retryAfterSeconds == 5)
    }
}
