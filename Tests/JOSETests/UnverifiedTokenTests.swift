import JOSE
import Testing

@Suite struct UnverifiedTokenTests {
    static let header = base64url(#"{"alg":"RS256"}"#)
    static let claims = base64url(#"{"iss":"a"}"#)

    static func failure(_ token: String) -> TokenSyntaxError? {
        do { _ = try Verdict.parse(token) } catch { return error }
        return nil
    }

    static func failure(header: String) -> TokenSyntaxError? { failure("\(base64url(header)).\(claims).AAAA") }

    @Test("The header's members are taken as they are written")
    func members() throws {
        let token = try Verdict.parse(
            base64url(#"{"typ":"application/at+JWT","kid":"k\u0031","alg":"ES256","b64":true,"cty":5}"#)
                + ".\(Self.claims).")
        #expect(token.algorithmName == "ES256")
        #expect(token.algorithm == .es256)
        #expect(token.keyID == "k1")
        #expect(token.type == "application/at+JWT")
        #expect(token.unverifiedIssuer == "a")
        let bare = try Verdict.parse("\(Self.header).\(base64url("{\"iss\":5}")).AA")
        #expect(bare.keyID == nil)
        #expect(bare.type == nil)
        #expect(bare.unverifiedIssuer == nil)
    }

    @Test(
        "Anything but three parts is told apart by what it is",
        arguments: [
            ("", TokenSyntaxError.opaque), ("opaque-token", .opaque), ("a.b", .wrongPartCount(2)),
            (".", .wrongPartCount(2)),
            ("a.b.c.d", .wrongPartCount(4)), ("a.b.c.d.e", .encrypted), ("....", .encrypted),
            ("a.b.c.d.e.f", .wrongPartCount(6)),
            (#"{"payload":"a.b.c","signatures":[]}"#, .jsonSerialization), ("{}", .jsonSerialization),
        ])
    func parts(token: String, expected: TokenSyntaxError) {
        #expect(Self.failure(token) == expected)
    }

    @Test("Thousands of dots are counted and refused")
    func dots() {
        #expect(Self.failure(String(repeating: ".", count: 16_000)) == .wrongPartCount(16_001))
    }

    @Test("A token is taken up to the bound, and refused beyond")
    func size() throws {
        let rest = Self.header.utf8.count + Self.claims.utf8.count + 2
        let filler = String(repeating: "A", count: UnverifiedToken.bytesMax - rest)
        let longest = "\(Self.header).\(Self.claims).\(filler)"
        #expect(longest.utf8.count == UnverifiedToken.bytesMax)
        #expect(Self.failure(longest) != .tooLarge)
        #expect(Self.failure(longest + "A") == .tooLarge)
        #expect(Self.failure(String(repeating: ".", count: 1_000_000)) == .tooLarge)
    }

    @Test("Parts that are not canonical base64url are refused by name")
    func base64() {
        for bad in ["\(Self.header)=", "\(Self.header) ", Self.header.dropLast() + "+", Self.header.dropLast() + "\n"] {
            guard case .badBase64(.header, _) = Self.failure("\(bad).\(Self.claims).AAAA") else {
                Issue.record("taken: \(bad)")
                continue
            }
        }
        #expect(Self.failure("\(Self.header).\(Self.claims)=.AAAA") == .badBase64(.payload, .badCharacter(offset: 15)))
        #expect(Self.failure("\(Self.header).\(Self.claims).AB") == .badBase64(.signature, .nonCanonical))
        #expect(Self.failure("\(Self.header).\(Self.claims).A") == .badBase64(.signature, .badLength))
        #expect(
            Self.failure("\(Self.header).\(Self.claims).AA/A") == .badBase64(.signature, .badCharacter(offset: 2)))
        #expect(Self.failure("\(Self.header).\(Self.claims).AAA=") == .badBase64(.signature, .badCharacter(offset: 3)))
    }

    @Test(
        "Header and payload must be JSON objects, strictly read",
        arguments: [
            ("", JSONError.Kind.unexpectedEnd), ("{", .unexpectedEnd), ("{}x", .trailingBytes),
            ("\u{FEFF}{}", .byteOrderMark),
            (#"{"alg":"RS256","alg":"none"}"#, .duplicateMember),
            (#"{"alg":"RS256","\u0061lg":"none"}"#, .duplicateMember),
            (#"{"alg":"RS256","a":"\ud800"}"#, .loneSurrogate),
            ("{\"a\":\(String(repeating: "[", count: 100))", .tooDeep), (#"{"alg":"RS256",}"#, .unexpectedByte),
        ])
    func json(text: String, kind: JSONError.Kind) {
        guard case .badJSON(.header, let error) = Self.failure(header: text), error.kind == kind else {
            Issue.record("header")
            return
        }
        guard case .badJSON(.payload, let error) = Self.failure("\(Self.header).\(base64url(text)).AAAA"),
            error.kind == kind
        else {
            Issue.record("payload")
            return
        }
    }

    @Test("JSON that is no object is refused", arguments: ["[]", "null", "1", "\"{}\"", #"[{"alg":"RS256"}]"#])
    func notObjects(text: String) {
        #expect(Self.failure(header: text) == .notAnObject(.header))
        #expect(Self.failure("\(Self.header).\(base64url(text)).AAAA") == .notAnObject(.payload))
    }

    @Test(
        "Header members of the wrong kind are refused",
        arguments: [
            ("{}", TokenSyntaxError.missingAlgorithm), (#"{"ALG":"RS256"}"#, .missingAlgorithm),
            (#"{"alg":null}"#, .badAlgorithm), (#"{"alg":["RS256"]}"#, .badAlgorithm), (#"{"alg":256}"#, .badAlgorithm),
            (#"{"alg":"RS256","kid":1}"#, .badKeyID), (#"{"alg":"RS256","kid":null}"#, .badKeyID),
            (#"{"alg":"RS256","kid":{"a":"b"}}"#, .badKeyID), (#"{"alg":"RS256","typ":1}"#, .badType),
            (#"{"alg":"RS256","typ":null}"#, .badType), (#"{"alg":"RS256","crit":["exp"]}"#, .criticalExtension),
            (#"{"alg":"RS256","crit":["b64"],"b64":true}"#, .criticalExtension),
            (#"{"alg":"RS256","crit":[]}"#, .criticalExtension),
            (#"{"alg":"RS256","crit":null}"#, .criticalExtension), (#"{"alg":"RS256","b64":false}"#, .unencodedPayload),
            (#"{"alg":"RS256","b64":"true"}"#, .unencodedPayload), (#"{"alg":"RS256","b64":null}"#, .unencodedPayload),
        ])
    func headerMembers(text: String, expected: TokenSyntaxError) {
        #expect(Self.failure(header: text) == expected)
    }

    @Test("A key ID is taken up to its bound in bytes, whatever it looks like")
    func keyID() throws {
        let longest = String(repeating: "é", count: UnverifiedToken.keyIDBytesMax / 2)
        #expect(Self.failure(header: #"{"alg":"RS256","kid":"\#(longest)"}"#) == nil)
        #expect(Self.failure(header: #"{"alg":"RS256","kid":"\#(longest)x"}"#) == .badKeyID)
        #expect(Self.failure(header: #"{"alg":"RS256","kid":"../../etc/passwd"}"#) == nil)
    }

    @Test(
        "none in any spelling, and what else we do not know, is no algorithm",
        arguments: [
            "none", "None", "NONE", "nOnE", "", "hs256", "HS1", "rs256", "RS256 ", " RS256", "RS1", "ES256K", "Ed25519",
            "Ed448", "RSA-OAEP",
        ])
    func unknownAlgorithms(name: String) throws {
        for signature in ["", "AAAA"] {
            let token = try Verdict.parse("\(base64url(#"{"alg":"\#(name)"}"#)).\(Self.claims).\(signature)")
            #expect(token.algorithmName == name)
            #expect(token.algorithm == nil)
        }
    }

    @Test("A token cut anywhere before its second dot is refused")
    func truncation() {
        let token = "\(Self.header).\(Self.claims).AAAA"
        for count in 0...(Self.header.utf8.count + 1 + Self.claims.utf8.count) {
            #expect(Self.failure(String(token.prefix(count))) != nil)
        }
    }
}
