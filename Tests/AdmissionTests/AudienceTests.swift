import Admission
import Testing

@Suite struct AudienceTests {
    @Test(arguments: [
        "\"https://api.example.com\"", "[\"https://api.example.com\"]", "[\"x\",\"https://api.example.com\",\"y\"]",
    ])
    func `A token that names this API among its audiences is admitted`(audience: String) {
        let identity = Fixture.authenticator().decide(Fixture.token(["aud": audience])).identity
        #expect(identity?.field("X-Auth-Audience") == "https://api.example.com")
    }

    @Test func `Any one of several audiences suffices, and the backend is told which`() {
        let authenticator = Fixture.authenticator(Fixture.policy { $0.audiences = ["one", "two", "three"] })
        let identity = authenticator.decide(Fixture.token(["aud": "[\"three\",\"two\"]"])).identity
        #expect(identity?.field("X-Auth-Audience") == "two")
    }

    @Test(arguments: [
        ("", RefusalCode.missingClaim), ("1", .malformedClaim), ("null", .malformedClaim), ("true", .malformedClaim),
        ("{}", .malformedClaim), ("[1]", .malformedClaim), ("[\"https://api.example.com\",1]", .malformedClaim),
        ("[[\"https://api.example.com\"]]", .malformedClaim), ("[null]", .malformedClaim), ("[]", .wrongAudience),
        ("\"\"", .wrongAudience), ("\"https://api.example.co\"", .wrongAudience),
        ("\"https://api.example.com/v1\"", .wrongAudience), ("\"HTTPS://api.example.com\"", .wrongAudience),
        ("\"https://api.example.com \"", .wrongAudience), ("\"https://api.example.com\\u0000\"", .wrongAudience),
    ])
    func `Anything but the very audience is refused`(audience: String, code: RefusalCode) {
        #expect(Fixture.authenticator().decide(Fixture.token(["aud": audience])).refusal?.code == code)
    }

    @Test(arguments: ["", "\"other\""])
    func `However many and long the audiences of the policy are, the refusal stays small`(audience: String) throws {
        let many = (0..<1000).map { "https://\($0).example/" + String(repeating: "x", count: 1000) }
        let authenticator = Fixture.authenticator(Fixture.policy { $0.audiences = many })
        let refusal = try #require(authenticator.decide(Fixture.token(["aud": audience])).refusal)
        #expect(refusal.expected.count == 8)
        #expect(refusal.expected.allSatisfy { $0.utf8.count < 210 })
        #expect(refusal.detail.utf8.count + (refusal.hint?.utf8.count ?? 0) < 5000)
    }

    @Test func `Audiences that differ in Unicode composition differ`() {
        let authenticator = Fixture.authenticator(Fixture.policy { $0.audiences = ["caf\u{e9}"] })
        #expect(authenticator.decide(Fixture.token(["aud": "\"caf\u{e9}\""])).identity != nil)
        #expect(authenticator.decide(Fixture.token(["aud": "\"cafe\u{301}\""])).refusal?.code == .wrongAudience)
    }

    @Test func `An ID token is called one, with its client, the evidence, and what to request instead`() throws {
        let token = Fixture.token(
            [
                "aud": "\"SDFWRGRRSFDF3214\"", "azp": "", "scope": "", "nonce": "\"n\"", "at_hash": "\"h\"",
                "email": "\"a@example.com\"",
            ], type: "JWT")
        let refusal = try #require(Fixture.authenticator().decide(token).refusal)
        #expect(refusal.code == .wrongAudience)
        #expect(
            refusal.detail == """
                This is an ID token of the client "SDFWRGRRSFDF3214" (it has nonce; it has at_hash; it has email but no \
                scope). The token's audience is "SDFWRGRRSFDF3214"; this API's audience is "https://api.example.com".
                """)
        #expect(refusal.hint?.contains("audience=https://api.example.com") == true)
        #expect(refusal.hint?.contains("send the access_token, not the id_token") == true)
        #expect(refusal.expected == ["https://api.example.com"])
        #expect(refusal.got == ["SDFWRGRRSFDF3214"])
    }

    @Test(arguments: [
        ["c_hash": "\"h\""], ["nonce": "\"n\"", "auth_time": "1"], ["name": "\"Ann\""], ["token_use": "\"id\""],
        ["typ": "\"ID\""], ["azp": "\"client-1\"", "aud": "[\"client-1\"]"],
    ])
    func `Each sign of an ID token is enough where nothing speaks for an access token`(signs: [String: String]) {
        #expect(detail(signs)?.hasPrefix("This is an ID token of the client \"client-1\"") == true)
    }

    @Test(arguments: [
        ["nonce": "\"n\"", "scope": "\"openid\""], ["auth_time": "1"], [:],
        ["token_use": "\"access\"", "nonce": "\"n\""],
        ["name": "\"Ann\"", "scp": "[\"read\"]"], ["name": "\"Ann\"", "aud": "[\"x\",\"https://i.example/userinfo\"]"],
    ])
    func `What may be an access token is not called an ID token`(signs: [String: String]) {
        #expect(detail(signs)?.contains("ID token") == false)
    }

    @Test func `A token of the type at+jwt is never called an ID token`() {
        let claims: KeyValuePairs = ["aud": "\"web\"", "scope": "", "nonce": "\"n\"", "at_hash": "\"h\""]
        for (type, isIDToken) in [("at+jwt", false), ("JWT", true)] {
            let detail = Fixture.authenticator().decide(Fixture.token(claims, type: type)).refusal?.detail
            #expect(detail?.contains("ID token") == isIDToken)
        }
    }

    @Test func `A token for the userinfo endpoint alone is explained by the audience that was not requested`() throws {
        let token = Fixture.token(["aud": "\"https://issuer.example/userinfo\""])
        let refusal = try #require(Fixture.authenticator().decide(token).refusal)
        #expect(refusal.detail.contains("userinfo endpoint"))
        #expect(refusal.hint?.contains("Add audience=https://api.example.com") == true)
    }

    @Test(arguments: [
        ("https://api.example.com/", "trailing slash"), ("https://API.example.com", "upper and lower case"),
    ])
    func `A near miss is named`(audience: String, difference: String) {
        let refusal = Fixture.authenticator().decide(Fixture.token(["aud": "\"\(audience)\""])).refusal
        #expect(refusal?.hint?.contains(difference) == true)
    }

    @Test func `Long and hostile audiences are cut and escaped in the refusal`() throws {
        let hostile = "\\u001b[31m\\r\\nX-Auth-Subject: root\\\"\\\\\\u202e" + String(repeating: "a", count: 3_000)
        let many = (0..<50).map { "\"\(hostile)\($0)\"" }
        let refusal = try #require(
            Fixture.authenticator().decide(Fixture.token(["aud": "[\(many[0]),\"b\",\"c\"]"])).refusal)
        #expect(refusal.detail.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
        #expect(refusal.detail.utf8.count < 1_000)
        #expect(refusal.got.allSatisfy { $0.utf8.count <= 203 })

        let short = (0..<50).map { "\"a\($0)\"" }.joined(separator: ",")
        let listed = try #require(Fixture.authenticator().decide(Fixture.token(["aud": "[\(short)]"])).refusal)
        #expect(listed.got.count == 8)
        #expect(listed.detail.contains("and 42 more"))
    }

    /// What is said of a token for the audience `client-1` that has these claims besides iss, sub, iat and exp.
    private func detail(_ signs: [String: String]) -> String? {
        var claims = ["aud": "\"client-1\""]
        claims.merge(signs) { $1 }
        let members = claims.sorted { $0.key < $1.key }.map { ",\"\($0.key)\":\($0.value)" }.joined()
        let text = "{\"iss\":\"\(Fixture.issuer)\",\"sub\":\"s\",\"exp\":\(Fixture.now + 60)\(members)}"
        let refusal = Fixture.authenticator().decide(try! Fixture.ec.sign(claims: text, type: "JWT")).refusal
        #expect(refusal?.code == .wrongAudience)
        return refusal?.detail
    }
}
