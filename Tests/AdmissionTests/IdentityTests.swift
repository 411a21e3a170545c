import Admission
import Bytes
import Testing

@Suite struct IdentityTests {
    @Test func `The backend gets the identity's fields, each once`() throws {
        let identity = try #require(Fixture.authenticator().decide(Fixture.token()).identity)
        #expect(
            identity.fieldText == """
                X-Auth-Status: verified\r
                X-Auth-Issuer: https://issuer.example/\r
                X-Auth-Audience: https://api.example.com\r
                X-Auth-Subject: auth0|42\r
                X-Auth-Client: web\r
                X-Auth-Scope: read:x write:x\r
                X-Auth-Expires: \(Fixture.now + 600)\r

                """)
    }

    @Test func `A claim that the token lacks gets no field`() throws {
        let token = Fixture.token(["sub": "", "azp": "", "scope": ""])
        let identity = try #require(Fixture.authenticator().decide(token).identity)
        #expect(
            identity.fieldText == """
                X-Auth-Status: verified\r
                X-Auth-Issuer: https://issuer.example/\r
                X-Auth-Audience: https://api.example.com\r
                X-Auth-Expires: \(Fixture.now + 600)\r

                """)
        #expect(identity.logText.subject.isEmpty)
    }

    @Test(arguments: [
        ("client_id", "\"cli\"", "X-Auth-Client", "web"), ("scp", "[\"a\",\"b\"]", "X-Auth-Scope", "read:x write:x"),
        ("exp", "1.9e9", "X-Auth-Expires", "1.9e9"), ("exp", "1900000000.250", "X-Auth-Expires", "1900000000.250"),
        ("scope", "[\"a\",\"b c\"]", "X-Auth-Scope", "a b%20c"), ("sub", "\"\"", "X-Auth-Subject", ""),
    ])
    func `A claim becomes its field's value`(claim: String, value: String, field: String, expected: String) throws {
        let identity = try #require(Fixture.authenticator().decide(Fixture.token([claim: value])).identity)
        #expect(identity.field(field) == expected)
    }

    @Test func `client_id and scp stand in for azp and scope`() throws {
        let token = Fixture.token(["azp": "", "client_id": "\"cli\"", "scope": "", "scp": "[\"a\",\"b\"]"])
        let identity = try #require(Fixture.authenticator().decide(token).identity)
        #expect(identity.field("X-Auth-Client") == "cli")
        #expect(identity.field("X-Auth-Scope") == "a b")
    }

    @Test(arguments: [
        ("a\\r\\nX-Auth-Scope: admin", "a%0D%0AX-Auth-Scope: admin"), ("a\\u0000b", "a%00b"), ("\\u007f\\t", "%7F%09"),
        ("100%", "100%25"), ("%41", "%2541"), ("caf\u{e9}", "caf%C3%A9"), ("\\ud83d\\ude00", "%F0%9F%98%80"),
        (" a  b ", "%20a  b%20"), (" ", "%20"), ("\u{a0}", "%C2%A0"), ("a,b;c=\\\"d\\\"\\\\", "a,b;c=\"d\"\\"),
    ])
    func `No subject ends its line, and decodeURIComponent restores it`(subject: String, value: String) throws {
        let identity = try #require(Fixture.authenticator().decide(Fixture.token(["sub": "\"\(subject)\""])).identity)
        #expect(identity.field("X-Auth-Subject") == value)
        #expect(identity.fieldText.split(separator: "\r\n").count == 7)
    }

    @Test(arguments: [
        ("sub", "1"), ("sub", "null"), ("sub", "{}"), ("azp", "[]"), ("client_id", "true"), ("scope", "1"),
        ("scope", "{}"), ("scp", "[1]"), ("scp", "[[\"a\"]]"),
    ])
    func `A claim of the wrong kind is refused`(claim: String, value: String) {
        let refusal = Fixture.authenticator().decide(Fixture.token([claim: value])).refusal
        #expect(refusal?.code == .malformedClaim)
        #expect(refusal?.detail.contains(claim) == true)
    }

    @Test func `Claims too long for header fields are refused, never truncated`() throws {
        let fits = String(repeating: "s", count: Identity.ownLinesBytesMax - 200)
        let identity = try #require(Fixture.authenticator().decide(Fixture.token(["sub": "\"\(fits)\""])).identity)
        #expect(identity.field("X-Auth-Subject") == fits)

        let refusal = Fixture.authenticator().decide(Fixture.token(["sub": "\"\(fits)\(fits.prefix(300))\""])).refusal
        #expect(refusal?.code == .malformedClaim)
        #expect(refusal?.detail.contains("8192 bytes") == true)
    }

    @Test(arguments: [
        ("auth0|42", "auth0|42"), ("a\\\"b\\\\c", "a\\\"b\\\\c"), ("caf\u{e9}", "caf\\u00e9"), ("100%", "100%"),
        ("a\\r\\nb", "a\\r\\nb"),
    ])
    func `The log gets the subject as the inside of a JSON string`(subject: String, expected: String) throws {
        let identity = try #require(Fixture.authenticator().decide(Fixture.token(["sub": "\"\(subject)\""])).identity)
        #expect(identity.logText.subject == expected)
        #expect(identity.logText.issuer == "https://issuer.example/")
        #expect(identity.logText.audience == "https://api.example.com")
    }

    @Test func `The log's subject is cut to a bound`() throws {
        let long = String(repeating: "s", count: 5_000)
        let identity = try #require(Fixture.authenticator().decide(Fixture.token(["sub": "\"\(long)\""])).identity)
        #expect(identity.logText.subject == long.prefix(200) + "...")
    }
}
