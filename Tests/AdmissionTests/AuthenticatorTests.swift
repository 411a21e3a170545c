import Admission
import JOSE
import OpenSSLKit
import Testing

@Suite struct AuthenticatorTests {
    @Test(arguments: [Fixture.ec, Fixture.rsa])
    func `A token of the issuer for this API is admitted`(signer: TokenSigner) throws {
        let decision = Fixture.authenticator().decide(Fixture.token(signer: signer))
        let identity = try #require(decision.identity)
        #expect(identity.issuerIndex == 0)
        #expect(identity.expiresAt == Fixture.now + 600 + 30)
    }

    // MARK: Finding the token

    @Test func `A request without Authorization misses its token`() {
        let refusal = Fixture.authenticator().decide(raw: Fixture.request()).refusal
        #expect(refusal?.code == .missingToken)
    }

    @Test(arguments: ["Bearer", "bearer", "BEARER", "bEaReR"])
    func `The scheme is recognised in any case`(scheme: String) {
        let request = Fixture.request("authorization: \(scheme)   \(Fixture.token())")
        #expect(Fixture.authenticator().decide(raw: request).identity != nil)
    }

    @Test func `Two Authorization fields are refused, whatever they hold`() {
        let good = "Authorization: Bearer \(Fixture.token())"
        for other in [good, "Authorization: Basic YTpi", "authorization: x"] {
            let refusal = Fixture.authenticator().decide(raw: Fixture.request(good, other)).refusal
            #expect(refusal?.code == .multipleTokens)
        }
    }

    @Test(arguments: ["Basic YTpi", "Digest username=\"a\"", "DPoP abc", "Negotiate", "eyJ.abc.def"])
    func `Credentials of another scheme count as no token`(value: String) {
        let refusal = Fixture.authenticator().decide(raw: Fixture.request("Authorization: \(value)")).refusal
        #expect(refusal?.code == .missingToken)
        #expect(refusal?.hint != nil)
    }

    @Test(arguments: [
        "Bearer", "Bearer:a.b.c", "Bearer\ta.b.c", "Bearer \"a.b.c\"", "Bearer a.b.c, Bearer d.e.f", "Bearer a.b.c x",
        "Bearer Bearer a.b.c", "Bearer a=b", "Bearer =", "Bearer ", "", "\"Bearer a.b.c\"", "Bearer token=a.b.c",
        "Bearer a.b.c;", "Bearer a.b.c\u{e9}", "Bearer \t a.b.c", "=Bearer a", "Basic\tYTpi",
    ])
    func `An Authorization field that breaks the grammar is malformed`(value: String) {
        let refusal = Fixture.authenticator().decide(raw: Fixture.request("Authorization: \(value)")).refusal
        #expect(refusal?.code == .malformedAuthorization)
    }

    // MARK: Structure

    @Test(arguments: [
        ("opaque", "No audience was requested"), ("undefined", "variable"), ("null", "variable"), ("a.b", "cut"),
        ("a.b.c.d.e", "private key"), ("a.b.c.d", "cut"), ("eyJhbGciOiJFUzI1NiJ9.e30.AA==", "cut"),
    ])
    func `A token that is no signed JWT is malformed, and the hint says why it may be so`(
        token: String, hint: String
    ) throws {
        let refusal = try #require(Fixture.authenticator().decide(token).refusal)
        #expect(refusal.code == .malformedToken)
        #expect(refusal.hint?.contains(hint) == true, "\(refusal)")
    }

    @Test func `Thousands of dots are refused`() {
        let refusal = Fixture.authenticator().decide(String(repeating: ".", count: 16_000)).refusal
        #expect(refusal?.code == .malformedToken)
    }

    // MARK: Issuer

    @Test func `An issuer is compared byte for byte`() {
        for issuer in ["https://ISSUER.example/", "https://evil.example/", "https://issuer.example//", "", " "] {
            let refusal = Fixture.authenticator().decide(Fixture.token(["iss": "\"\(issuer)\""])).refusal
            #expect(refusal?.code == .unknownIssuer)
            #expect(refusal?.issuerIndex == nil)
        }
    }

    @Test func `An issuer that differs only in Unicode composition is another`() {
        let authenticator = Fixture.authenticator(Fixture.policy { $0.identifier = "https://caf\u{e9}.example/" })
        #expect(authenticator.decide(Fixture.token(["iss": "\"https://caf\u{e9}.example/\""])).identity != nil)
        let decomposed = Fixture.token(["iss": "\"https://cafe\u{301}.example/\""])
        #expect(authenticator.decide(decomposed).refusal?.code == .unknownIssuer)
    }

    @Test func `A trailing slash as the only difference is said, unless errors are terse`() {
        let token = Fixture.token(["iss": "\"https://issuer.example\""])
        let full = Fixture.authenticator().decide(token).refusal
        #expect(full?.code == .unknownIssuer)
        #expect(full?.detail.contains("trailing slash") == true)
        let terse = Fixture.authenticator(detail: .terse).decide(token).refusal
        #expect(terse?.code == .unknownIssuer)
        #expect(terse?.detail.contains("trailing slash") == false)
    }

    @Test(arguments: ["", "1", "null", "[\"https://issuer.example/\"]", "{}"])
    func `An issuer that is absent or no string is unknown`(value: String) {
        #expect(Fixture.authenticator().decide(Fixture.token(["iss": value])).refusal?.code == .unknownIssuer)
    }

    @Test func `The issuer chooses the rules and the keys`() {
        let second = IssuerPolicy(identifier: "https://second.example/", audiences: ["second-api"])
        let authenticator = Authenticator(policy: AdmissionPolicy(issuers: [Fixture.policy(), second]))
        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.ec)), forIssuerAt: 0)
        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.otherEC)), forIssuerAt: 1)

        let own: KeyValuePairs = ["iss": "\"https://second.example/\"", "aud": "\"second-api\""]
        #expect(authenticator.decide(Fixture.token(own, signer: Fixture.otherEC)).identity?.issuerIndex == 1)
        // Another issuer's key, and another issuer's audience.
        let foreignKey = authenticator.decide(Fixture.token(own, signer: Fixture.ec), mayAwaitKeys: false).refusal
        #expect(foreignKey?.code == .unknownKey)
        #expect(foreignKey?.issuerIndex == 1)
        let foreignAudience: KeyValuePairs = ["iss": "\"https://second.example/\""]
        let refusal = authenticator.decide(Fixture.token(foreignAudience, signer: Fixture.otherEC)).refusal
        #expect(refusal?.code == .wrongAudience)
        #expect(refusal?.issuerIndex == 1)
    }

    // MARK: Keys

    @Test func `While the first fetch is under way a request waits once, then gets 503`() {
        let authenticator = Authenticator(policy: AdmissionPolicy(issuers: [Fixture.policy()]))
        guard case .awaitKeys(issuerIndex: 0, keyID: nil) = authenticator.decide(Fixture.token()) else {
            Issue.record("did not wait")
            return
        }
        let refusal = authenticator.decide(Fixture.token(), mayAwaitKeys: false).refusal
        #expect(refusal?.code == .keysUnavailable)
        #expect((refusal?.retryAfterSeconds ?? 0) > 0)
        #expect(authenticator.counters.cacheMisses == 1)
    }

    @Test func `Without keys a token is refused with 503 and when to come back, never 401`() {
        let authenticator = Fixture.authenticator()
        authenticator.install(
            KeyMaterial(state: .unavailable(retryAfterSeconds: 17), forcedRefreshAllowedAt: 0), forIssuerAt: 0)
        let refusal = authenticator.decide(Fixture.token()).refusal
        #expect(refusal?.code == .keysUnavailable)
        #expect(refusal?.retryAfterSeconds == 17)
    }

    @Test func `An unknown key ID waits for a forced refresh where one is allowed, and is refused where not`() {
        let authenticator = Fixture.authenticator()
        let token = Fixture.token(signer: Fixture.otherEC)
        let set = Fixture.keySet(Fixture.ec)

        authenticator.install(Fixture.keys(set, forcedRefreshAllowedAtSeconds: 1_000), forIssuerAt: 0)
        let early = authenticator.decide(token, at: Fixture.instant(monotonicSeconds: 999))
        #expect(early.refusal?.code == .unknownKey)
        authenticator.install(
            Fixture.keys(set, forcedRefreshAllowedAtSeconds: 1_000, missing: ["ec-2"], untilSeconds: 1_001),
            forIssuerAt: 0)
        #expect(authenticator.decide(token).refusal?.code == .unknownKey)
        authenticator.install(
            Fixture.keys(set, forcedRefreshAllowedAtSeconds: 1_000, missing: ["ec-2"], untilSeconds: 1_000),
            forIssuerAt: 0)
        guard case .awaitKeys(issuerIndex: 0, keyID: "ec-2") = authenticator.decide(token) else {
            Issue.record("did not wait")
            return
        }
        #expect(authenticator.decide(token, mayAwaitKeys: false).refusal?.code == .unknownKey)
        #expect(authenticator.counters.verifications == [:])
    }

    @Test func `A known key ID of another algorithm is refused at once`() throws {
        let header = "{\"alg\":\"ES256\",\"kid\":\"rsa-1\"}"
        let token = try Fixture.ec.sign(header: header, claims: Fixture.claims())
        #expect(Fixture.authenticator().decide(token).refusal?.code == .unknownKey)
    }

    @Test func `Without a key ID exactly one fitting key is needed`() throws {
        let authenticator = Fixture.authenticator()
        let token = try Fixture.ec.sign(header: "{\"alg\":\"ES256\"}", claims: Fixture.claims())
        #expect(authenticator.decide(token).identity != nil)

        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.ec, Fixture.otherEC)), forIssuerAt: 0)
        #expect(authenticator.decide(token).refusal?.code == .ambiguousKey)
        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.rsa)), forIssuerAt: 0)
        let refusal = authenticator.decide(token).refusal
        #expect(refusal?.code == .unknownKey)
        #expect(refusal?.detail == "The token has no kid, and no key of its issuer fits its alg.")
    }

    @Test func `A signature by another key of the same ID does not hold, and asks for no fetch`() {
        let refusal = Fixture.authenticator().decide(Fixture.token(signer: Fixture.impostor)).refusal
        #expect(refusal?.code == .badSignature)
    }

    // MARK: Type

    @Test(arguments: ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt", "JWT", "jwt", nil])
    func `An accepted type is admitted in any of its spellings`(type: String?) {
        #expect(Fixture.authenticator().decide(Fixture.token(type: type)).identity != nil)
    }

    @Test(arguments: ["dpop+jwt", "", "at+jwt ", "application/", "x/at+jwt", "application/x/at+jwt", "logout+jwt"])
    func `Any other type is refused`(type: String) {
        #expect(Fixture.authenticator().decide(Fixture.token(type: type)).refusal?.code == .wrongTokenType)
    }

    @Test func `With at+jwt alone a plain JWT is refused, with what was wanted and what came`() throws {
        let authenticator = Fixture.authenticator(Fixture.policy { $0.tokenTypes = [.named("at+jwt")] })
        let plain = try #require(authenticator.decide(Fixture.token(type: "JWT")).refusal)
        #expect(plain.code == .wrongTokenType)
        #expect(plain.expected == ["at+jwt"])
        #expect(plain.got == ["JWT"])
        let untyped = try #require(authenticator.decide(Fixture.token(type: nil)).refusal)
        #expect(untyped.code == .wrongTokenType)
        #expect(untyped.got == [])
    }

    @Test func `However many and long the accepted types are, the refusal stays small`() throws {
        let many = (0..<1000).map { TokenType.named("\($0)+" + String(repeating: "x", count: 1000)) }
        let authenticator = Fixture.authenticator(Fixture.policy { $0.tokenTypes = many })
        let refusal = try #require(authenticator.decide(Fixture.token()).refusal)
        #expect(refusal.code == .wrongTokenType)
        #expect(refusal.expected.count == 8)
        #expect(refusal.expected.allSatisfy { $0.utf8.count < 210 })
        #expect(refusal.detail.utf8.count < 2500)
    }

    // MARK: What is told

    @Test func `The steps stop in their order`() {
        // Everything is wrong with it; each line mends the step before.
        let authenticator = Fixture.authenticator()
        let wrong: KeyValuePairs = ["aud": "\"other\"", "exp": "1"]
        #expect(
            authenticator.decide(Fixture.token(wrong, signer: Fixture.impostor, type: "x")).refusal?.code
                == .badSignature)
        #expect(authenticator.decide(Fixture.token(wrong, type: "x")).refusal?.code == .wrongTokenType)
        #expect(authenticator.decide(Fixture.token(wrong)).refusal?.code == .tokenExpired)
        #expect(authenticator.decide(Fixture.token(["aud": "\"other\""])).refusal?.code == .wrongAudience)
    }

    @Test func `Terse errors tell the code and nothing else once the signature held`() throws {
        let authenticator = Fixture.authenticator(detail: .terse)
        for changes: KeyValuePairs<String, String> in [["aud": "\"other\""], ["exp": "1"], ["sub": "1"]] {
            let refusal = try #require(authenticator.decide(Fixture.token(changes)).refusal)
            #expect(refusal == Refusal(refusal.code, issuerIndex: 0))
        }
    }

    @Test func `Before the signature held nothing of the token is repeated`() throws {
        let secret = "sesame"
        let header = "{\"alg\":\"\(secret)\",\"kid\":\"\(secret)\",\"typ\":\"\(secret)\"}"
        let claims = Fixture.claims(["sub": "\"\(secret)\"", "aud": "\"\(secret)\""])
        let known = "{\"alg\":\"ES256\",\"kid\":\"ec-1\",\"typ\":\"\(secret)\"}"
        let tokens = [
            secret, "\(secret).\(secret).\(secret)", try Fixture.ec.sign(header: header, claims: claims),
            try Fixture.impostor.sign(header: known, claims: claims),
            try Fixture.ec.sign(header: known, claims: "{\"iss\":\"\(secret)\"}"),
        ]
        for token in tokens {
            let refusal = try #require(Fixture.authenticator().decide(token, mayAwaitKeys: false).refusal)
            #expect(!"\(refusal)".contains(secret))
        }
    }
}
