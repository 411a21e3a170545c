// `forward`: what the claims of a token come to as header fields, whatever they hold.

import Bytes
import JOSE
import Testing

@testable import Admission

@Suite struct ForwardPolicyTests {
    /// The fields that the backend gets for these claims, without those that are always there.
    private func fields(_ forwarded: ForwardedClaim..., of claims: KeyValuePairs<String, String>) throws -> String {
        let authenticator = Fixture.authenticator(rules: [AccessRules(forward: ForwardPolicy(forwarded))])
        let identity = try #require(authenticator.decide(Fixture.token(claims)).identity)
        let status = "X-Auth-Status: verified\r\n"
        #expect(identity.fieldText.hasPrefix(status))
        return String(identity.fieldText.dropFirst(status.count))
    }

    private func value(
        _ json: String, join: Character = ",", encoding: ForwardedClaim.Encoding = .auto
    ) throws -> String? {
        let line = try fields(
            ForwardedClaim(ClaimPath(["c"]), "X-C", join: join.asciiValue!, encoding: encoding), of: ["c": json])
        if line.isEmpty { return nil }
        #expect(line.hasPrefix("X-C: ") && line.hasSuffix("\r\n"))
        let value = line.dropFirst(5).dropLast(1)
        // Visible ASCII, and spaces inside: one line, whose ends nobody trims.
        #expect(value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
        #expect(value.first != " " && value.last != " ")
        return String(value)
    }

    @Test func `A forward block replaces the usual fields, and the status stays`() throws {
        #expect(try fields(of: [:]).isEmpty)
        let renamed = try fields(
            ForwardedClaim(ClaimPath(["sub"]), "X-User"), ForwardedClaim(ClaimPath(["exp"]), "X-Auth-Expires"), of: [:])
        #expect(renamed == "X-User: auth0|42\r\nX-Auth-Expires: \(Fixture.now + 600)\r\n")
    }

    @Test func `The log has the subject whatever is forwarded`() throws {
        let authenticator = Fixture.authenticator(rules: [AccessRules(forward: ForwardPolicy())])
        let identity = try #require(authenticator.decide(Fixture.token(["sub": "\"a\\\"b\""])).identity)
        #expect(identity.logText.subject == "a\\\"b")
        #expect(identity.logText.audience == Fixture.audience)
        #expect(authenticator.decide(Fixture.token(["sub": "1"])).refusal?.code == .malformedClaim)
    }

    @Test func `The name of a legacy audience is told whatever is forwarded`() throws {
        let policy = Fixture.policy { $0.legacyAudiences = [LegacyAudience(audience: "old", name: "web")] }
        let authenticator = Fixture.authenticator(policy, rules: [AccessRules(forward: ForwardPolicy())])
        let identity = try #require(authenticator.decide(Fixture.token(["aud": "\"old\""])).identity)
        #expect(identity.fieldText == "X-Auth-Status: verified\r\nX-Auth-Legacy-Audience: web\r\n")
    }

    @Test(arguments: [
        ("\"plain text\"", "plain text"), ("\"\"", ""), ("1", "1"), ("-0.0", "-0.0"), ("1e400", "1e400"),
        ("12345678901234567890.10", "12345678901234567890.10"), ("true", "true"), ("false", "false"), ("null", nil), ("", nil),
        ("\"a\\r\\nX-Auth-Status: verified\"", "a%0D%0AX-Auth-Status: verified"), ("\"a\\u0000b\"", "a%00b"),
        ("\"caf\\u00e9 \\ud83d\\ude00\"", "caf%C3%A9 %F0%9F%98%80"), ("\" a \"", "%20a%20"), ("\"100%\"", "100%25"),
        ("\"a,b\"", "a,b"), ("\"\\u007f\\u0085\"", "%7F%C2%85"),
        ("[]", ""), ("[\"a\"]", "a"), ("[\"a\",1.50,true]", "a,1.50,true"), ("[\"\",\"\"]", ","),
        ("[\"a,b\",\"c d\",\" e\",\"%2C\"]", "a%2Cb,c d,%20e,%252C"), ("[\"a\\nb\"]", "a%0Ab"),
        ("[1,null]", "[1,null]"), ("[[1],2]", "[[1],2]"), ("[{\"a\":\"b, c\"}]", "[{\"a\":\"b, c\"}]"),
        ("{ \"a\" : 1.0 , \"b\":[ ] , \"\\u00e9\":\"%\\n\"}", "{\"a\":1.0,\"b\":[],\"\\u00e9\":\"%25\\n\"}"), ("{}", "{}"),
    ] as [(String, String?)])
    func `auto keeps visible ASCII, and decodeURIComponent restores the rest`(json: String, expected: String?) throws {
        #expect(try value(json) == expected)
    }

    @Test(arguments: [
        ("\"auth0|a b,c%~_.-!*'()\"", "auth0%7Ca%20b%2Cc%25~_.-%21%2A%27%28%29"), ("\"\\u20ac\"", "%E2%82%AC"),
        ("[\"a,b\",\"c d\",1]", "a%2Cb,c%20d,1"), ("{\"a\":[1]}", "%7B%22a%22%3A%5B1%5D%7D"), ("1.5e-3", "1.5e-3"), ("null", nil),
    ] as [(String, String?)])
    func `percent leaves only what is unreserved`(json: String, expected: String?) throws {
        #expect(try value(json, encoding: .percent) == expected)
    }

    @Test(arguments: [
        ("\"a\\u00e9\\r\\n\"", "a\u{e9}\r\n"), ("[\"a,b\",\"c\"]", "[\"a,b\",\"c\"]"), ("{\"a\": 1.0}", "{\"a\":1.0}"), ("10", "10"),
        ("\"\"", ""),
    ])
    func `base64url carries a string's bytes, and the JSON of everything else`(json: String, expected: String) throws {
        let value = try #require(try value(json, encoding: .base64url))
        #expect(String(decoding: try Base64URL.decode(Array(value.utf8).span), as: UTF8.self) == expected)
    }

    @Test(arguments: [
        ("\"a\\u00e9\\r\\n\\\"%\"", "\"a\\u00e9\\r\\n\\\"%\""), ("[\"a,b\",\"c\"]", "[\"a,b\",\"c\"]"), ("1.50", "1.50"), ("true", "true"),
        ("{\"a\":null}", "{\"a\":null}"), ("\"\\ud83d\\ude00\\u007f\\/\"", "\"\\ud83d\\ude00\\u007f/\""), ("null", nil),
    ] as [(String, String?)])
    func `json is JSON in visible ASCII`(json: String, expected: String?) throws {
        #expect(try value(json, encoding: .json) == expected)
    }

    @Test func `No element of a list can look like two, whatever joins them`() throws {
        for byte in UInt8(0)...127 where ForwardedClaim.canJoin(byte) {
            let join = Character(Unicode.Scalar(byte))
            let escaped = "\"\\\"".contains(join) || join == "\\" ? "\\\(join)" : "\(join)"
            for encoding in [ForwardedClaim.Encoding.auto, .percent] {
                let joined = try #require(
                    try value("[\"x\(escaped)admin\",\"y\",\"z\(escaped)\(escaped)\"]", join: join, encoding: encoding))
                let elements = joined.split(separator: join, omittingEmptySubsequences: false)
                #expect(elements.map(percentDecoded) == ["x\(join)admin", "y", "z\(join)\(join)"])
            }
        }
    }

    @Test func `A path leads through names with any characters, and into nothing but objects`() throws {
        let claim = "https://example.com/claims"
        let path = ClaimPath([claim, "roles"])
        #expect(try fields(ForwardedClaim(path, "X-R"), of: [claim: "{\"roles\":[\"a\",\"b\"]}"]) == "X-R: a,b\r\n")
        for value in ["[\"roles\"]", "\"roles\"", "{}", "{\"Roles\":1}", "{\"roles\":null}", ""] {
            #expect(try fields(ForwardedClaim(path, "X-R"), of: [claim: value]).isEmpty, "\(value)")
        }
    }

    @Test func `All claims can go, with their very digits`() throws {
        let authenticator = Fixture.authenticator(rules: [
            AccessRules(
                forward: ForwardPolicy([
                    ForwardedClaim(ClaimPath([]), "X-Json", encoding: .json),
                    ForwardedClaim(ClaimPath([]), "X-Base64", encoding: .base64url),
                ]))
        ])
        let claims = Fixture.claims(["n": "1.0e3", "name": "\"\u{e9}\""])
        let identity = try #require(
            authenticator.decide(try Fixture.ec.sign(claims: claims, type: "JWT")).identity)
        let json = try #require(identity.field("X-Json"))
        #expect(json == claims.replacing("\u{e9}", with: "\\u00e9"))
        let base64 = try #require(identity.field("X-Base64"))
        #expect(try Base64URL.decode(Array(base64.utf8).span) == Array(json.utf8))
    }

    @Test(arguments: ForwardedClaim.Encoding.allCases)
    func `What is too long is refused as a whole, never cut`(encoding: ForwardedClaim.Encoding) throws {
        let authenticator = Fixture.authenticator(rules: [
            AccessRules(forward: ForwardPolicy([ForwardedClaim(ClaimPath(["c"]), "X-C", encoding: encoding)]))
        ])
        for length in [9_000, 11_000] {
            let long = "{\"a\":[\"\(String(repeating: "\u{e9}", count: length / 2))\"]}"
            let refusal = authenticator.decide(Fixture.token(["c": long])).refusal
            #expect(refusal?.code == .malformedClaim)
            #expect(refusal?.detail.contains("8192 bytes") == true)
        }
        #expect(authenticator.rememberedTokens == 0)
    }

    @Test func `A token is told by the rules of the place it is used in, also where it is remembered`() throws {
        let authenticator = Fixture.authenticator(rules: [
            AccessRules(), AccessRules(forward: ForwardPolicy([ForwardedClaim(ClaimPath(["sub"]), "X-User")])),
        ])
        let token = Fixture.token()
        for _ in 0..<2 {
            let usual = try #require(authenticator.decide(token).identity)
            #expect(usual.field("X-Auth-Subject") == "auth0|42" && usual.field("X-User") == nil)
            let own = try #require(authenticator.decide(token, rulesIndex: 1).identity)
            #expect(own.field("X-User") == "auth0|42" && own.field("X-Auth-Subject") == nil)
        }
        #expect(authenticator.counters.cacheHits == 2)
    }
}

/// As `decodeURIComponent` does it, for what was percent-encoded whole.
private func percentDecoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        bytes.append(byte == UInt8(ascii: "%") ? UInt8(String(rest.prefix(2))!, radix: 16)! : byte)
        if byte == UInt8(ascii: "%") { rest = rest.dropFirst(2) }
    }
    return String(decoding: bytes, as: UTF8.self)
}
