// Tokens that are minted for the backend: what they say, for how long, and that none is sent when its time has come.

import Bytes
import HTTPWire
import JOSE
import Testing

@testable import Admission

/// A minted token as the backend gets it.
struct Minted {
    var header: JSONValue
    var claims: JSONValue
    /// The claims as they are spelled.
    var text: String
    var token: String

    /// Of the identity's only `Authorization` line, whose signature has to hold for one of `keys`.
    init(_ identity: Identity, signedBy keys: TokenSigner...) throws {
        let value = try #require(identity.field("Authorization"))
        try #require(value.hasPrefix("Bearer "))
        token = String(value.dropFirst(7))
        let parts = token.split(separator: ".").map { Array($0.utf8) }
        let (head, payload) = (parts[0], parts[1])
        let headBytes = try Base64URL.decode(head.span)
        let payloadBytes = try Base64URL.decode(payload.span)
        text = payloadBytes.span.text()
        header = try JSONDocument(parsing: headBytes.span).root
        claims = try Self.verifiedClaims(token, keys)
    }

    private static func verifiedClaims(_ token: String, _ keys: [TokenSigner]) throws -> JSONValue {
        let unverified = try UnverifiedToken(parsing: Array(token.utf8).span)
        let text = "{\"keys\":[" + keys.map(\.publicJWK).joined(separator: ",") + "]}"
        let set = try KeySet(parsing: Array(text.utf8).span)
        guard let algorithm = unverified.algorithm,
            case .key(let key) = set.selectKey(algorithm: algorithm, keyID: unverified.keyID)
        else { throw UnexpectedSignature() }
        guard let verified = SignatureVerifier().verify(unverified, with: key, algorithm: algorithm) else {
            throw UnexpectedSignature()
        }
        return verified.claims
    }

    private struct UnexpectedSignature: Error {}

    func integer(_ name: String) throws -> Int64 { try #require(claims[named: name]?.integer) }
}

@Suite struct MintTests {
    private static let now = Fixture.now
    static let key = try! TokenSigner(generating: .es256, keyID: "mint-1")
    static let rsaKey = try! TokenSigner(generating: .rs256, keyID: "mint-2")

    static func policy(
        _ claims: [MintedClaim] = [], lifetime: Int64 = 60, keys: [TokenSigner] = [key]
    ) -> MintPolicy {
        MintPolicy(
            keys: keys, issuer: "https://old.example/", audience: "SDFWRGRRSFDF3214", lifetimeSeconds: lifetime, claims: claims)
    }

    /// Rules 0 mint, rules 1 do not.
    static func authenticator(_ mint: MintPolicy = policy(), cacheEntries: Int = 100) -> Authenticator {
        Fixture.authenticator(
            rules: [AccessRules(authorization: .mint), AccessRules()], mint: mint, cacheEntries: cacheEntries)
    }

    private static func mint(
        _ changes: KeyValuePairs<String, String> = [:], _ policy: MintPolicy = policy(), at seconds: Int64 = now
    ) throws -> Minted {
        let decision = authenticator(policy).decide(Fixture.token(changes), at: Fixture.instant(seconds))
        return try Minted(#require(decision.identity, "\(decision.outcome)"), signedBy: key, rsaKey)
    }

    private static func copying(_ name: String) -> MintedClaim { MintedClaim(name, ClaimPath([name])) }

    @Test(arguments: [(key, "ES256"), (rsaKey, "RS256")])
    func `A minted token says this, and nothing else`(key: TokenSigner, algorithm: String) throws {
        let minted = try Self.mint([:], Self.policy(keys: [key]))
        let identifier = try #require(minted.claims["jti"]?.string)
        #expect(try Base64URL.decode(Array(identifier.utf8).span).count == 16)
        #expect(
            minted.text == """
                {"iss":"https://old.example/","sub":"auth0|42","aud":"SDFWRGRRSFDF3214","iat":\(Self.now),\
                "exp":\(Self.now + 60),"jti":"\(identifier)"}
                """)
        #expect(minted.header.members.map(\.name) == ["alg", "typ", "kid"])
        #expect(minted.header["alg"]?.string == algorithm)
        #expect(minted.header["typ"]?.string == "JWT")
        #expect(minted.header["kid"]?.string == key.keyID)
    }

    @Test func `The usual fields come with it`() throws {
        let identity = try #require(Self.authenticator().decide(Fixture.token()).identity)
        let usual = try #require(Fixture.authenticator().decide(Fixture.token()).identity)
        #expect(identity.fieldText.hasPrefix(usual.fieldText + "Authorization: Bearer "))
        #expect(identity.logText == usual.logText)
    }

    @Test(arguments: [
        "1.50e3", "-0", "12345678901234567890123", "9007199254740993", "0.1000", "true", "false", "\"\"", "[]", "{}",
        "\"a\\r\\nX-Auth-Subject: root\\r\\n\"", "\"caf\u{e9} \u{1F600} \\u0000 \\\" \\\\\"", "\".\"", "\",\\\"sub\\\":\\\"root\\\"\"",
        "[1,\"two\",[3.0,{\"four\":null}]]", "{\"roles\":[\"a\",\"b\"],\"sub\":\"root\",\"a.b/c\":1E2}",
    ])
    func `A claim is copied as it is, whatever it holds`(value: String) throws {
        let minted = try Self.mint(["custom": value, "other": "1"], Self.policy([Self.copying("custom")]))
        let source = try JSONDocument(parsing: Array(value.utf8).span).root
        let copy = try #require(minted.claims["custom"])
        #expect(Self.text(copy) == Self.text(source))
        #expect(minted.claims["sub"]?.string == "auth0|42")
        #expect(minted.claims["other"] == nil)
        #expect(minted.claims.count == 7)
    }

    @Test func `A claim comes from any depth, and goes under any name`() throws {
        let space = "https://example.com/claims"
        let minted = try Self.mint(
            [space: "{\"roles\":[\"admin\"],\"nothing\":null}"],
            Self.policy([
                MintedClaim("https://old.example/roles", ClaimPath([space, "roles"])),
                MintedClaim("a\"b", ClaimPath([space])), MintedClaim("none", ClaimPath([space, "nothing"])),
                MintedClaim("absent", ClaimPath(["absent", "too"])), MintedClaim("scalar", ClaimPath(["sub", "x"])),
            ]))
        #expect(minted.claims["https://old.example/roles"].map(Self.text) == "[\"admin\"]")
        #expect(minted.claims["a\"b"].map(Self.text) == "{\"roles\":[\"admin\"],\"nothing\":null}")
        #expect(minted.claims.members.map(\.name).suffix(4) == ["aud", "iat", "exp", "jti"])
        #expect(minted.claims.count == 8)
    }

    @Test func `sub is the caller's, another claim where the policy says so, and absent where there is none`() throws {
        #expect(try Self.mint(["sub": ""]).claims["sub"] == nil)
        let other = Self.policy([MintedClaim("sub", ClaimPath(["user_id"]))])
        #expect(try Self.mint(["user_id": "\"u7\""], other).claims["sub"]?.string == "u7")
        #expect(try Self.mint([:], other).claims["sub"] == nil)
    }

    @Test func `What is the minted token's own is not the caller's`() throws {
        let minted = try Self.mint(["jti": "\"theirs\"", "nbf": "\(Self.now - 50)", "nonce": "\"n\"", "aud": "[\"\(Fixture.audience)\"]"])
        #expect(minted.claims["jti"]?.string != "theirs")
        #expect(minted.claims["aud"]?.string == "SDFWRGRRSFDF3214")
        #expect(minted.claims["iss"]?.string == "https://old.example/")
        #expect(minted.claims["nbf"] == nil && minted.claims["nonce"] == nil && minted.claims["azp"] == nil)
    }

    @Test func `No two tokens have one identifier`() throws {
        let identifiers = try Set((0..<50).map { _ in try Self.mint().claims["jti"]?.string })
        #expect(identifiers.count == 50)
    }

    @Test(arguments: [("20", 20), ("59", 59), ("60", 60), ("61", 60), ("600", 60), ("20.9", 20), ("2", 2)])
    func `It ends with the caller's token at the latest`(left: String, expected: Int64) throws {
        let exp = left.contains(".") ? "\(Self.now + 20).9" : "\(Self.now + Int64(left)!)"
        let minted = try Self.mint(["exp": exp])
        #expect(try minted.integer("exp") == Self.now + expected)
        #expect(try minted.integer("iat") == Self.now)
    }

    @Test func `Where a token is minted no leeway prolongs the caller's`() throws {
        let authenticator = Self.authenticator()
        for (left, detail) in [
            (1, "The token's exp is less than 2 s away: too little for the token that the backend would get in its place."),
            (0, "The token's exp was 0 s ago; 0 s of clock skew are allowed."),
            (-20, "The token's exp was 20 s ago; 0 s of clock skew are allowed."),
            (-40, "The token's exp was 40 s ago; 0 s of clock skew are allowed."),
        ] as [(Int64, String)] {
            let token = Fixture.token(["exp": "\(Self.now + left)"])
            let refusal = authenticator.decide(token).refusal
            #expect(refusal?.code == .tokenExpired)
            #expect(refusal?.detail == detail)
            // In another place it does.
            #expect((authenticator.decide(token, rulesIndex: 1).identity != nil) == (left > -30))
        }
    }

    @Test(arguments: [60, 10, 11, 3600] as [Int64])
    func `Each second, what is sent is good for half a lifetime or until the caller's token ends`(lifetime: Int64) throws {
        let authenticator = Self.authenticator(Self.policy(lifetime: lifetime))
        let end = Self.now + 200
        let token = Fixture.token(["exp": "\(end)"])
        var sent: [String] = []
        for second in Self.now..<end + 40 {
            let identity = authenticator.decide(token, at: Fixture.instant(second), isExplained: false).identity
            #expect((identity != nil) == (second <= end - 2), "\(second - Self.now)")
            guard let identity else { continue }
            let minted = try Minted(identity, signedBy: Self.key)
            let (issued, expires) = try (minted.integer("iat"), minted.integer("exp"))
            #expect(issued <= second && expires <= end)
            #expect(expires - second >= min(lifetime / 2, end - second), "\(second - Self.now)")
            #expect(expires - second >= 2)
            if sent.last != minted.token { sent.append(minted.token) }
        }
        #expect(Set(sent).count == sent.count)
        // Those of a whole lifetime each serve for half of it; the last one to its end.
        #expect(Int64(sent.count) <= max(200 - lifetime, 0) / ((lifetime + 1) / 2) + 2)
        #expect(authenticator.counters.minted == UInt64(sent.count))
        #expect(authenticator.counters.cacheHits == 199 - UInt64(sent.count))
    }

    @Test func `A token of the future, as a clock that was set back would find it, is not sent`() throws {
        let authenticator = Self.authenticator()
        let token = Fixture.token(["iat": "\(Self.now - 7200)", "exp": "\(Self.now + 7200)"])
        for seconds in [Self.now, Self.now - 3600, Self.now - 3601, Self.now] {
            let identity = try #require(authenticator.decide(token, at: Fixture.instant(seconds)).identity)
            let minted = try Minted(identity, signedBy: Self.key)
            #expect(try minted.integer("iat") == seconds)
            #expect(try minted.integer("exp") == seconds + 60)
        }
    }

    @Test func `Without remembered tokens each request has one of its own`() throws {
        let authenticator = Self.authenticator(cacheEntries: 0)
        let token = Fixture.token()
        let tokens = try (0..<3).map { _ in
            try Minted(#require(authenticator.decide(token).identity), signedBy: Self.key).token
        }
        #expect(Set(tokens).count == 3)
        #expect(authenticator.counters.minted == 3)
    }

    @Test func `A stale one is refused a successor once the caller's key is gone`() {
        let authenticator = Self.authenticator()
        let token = Fixture.token()
        #expect(authenticator.decide(token).identity != nil)
        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.rsa)), forIssuerAt: 0)
        let later = authenticator.decide(token, at: Fixture.instant(Self.now + 31), mayAwaitKeys: false)
        #expect(later.refusal?.code == .unknownKey)
    }

    @Test func `Of one token used in two places, only the one that mints has a minted one`() throws {
        let authenticator = Self.authenticator()
        let token = Fixture.token()
        for _ in 0..<2 {
            #expect(try #require(authenticator.decide(token).identity).field("Authorization") != nil)
            #expect(!(try #require(authenticator.decide(token, rulesIndex: 1).identity).fieldText.contains("Authorization")))
        }
        #expect(authenticator.counters.minted == 1)
    }

    @Test func `The first key signs`() throws {
        for (keys, expected) in [([Self.key, Self.rsaKey], "mint-1"), ([Self.rsaKey, Self.key], "mint-2")] {
            #expect(try Self.mint([:], Self.policy(keys: keys)).header["kid"]?.string == expected)
        }
    }

    @Test func `Claims too long for a header are refused, never cut`() throws {
        let policy = Self.policy([Self.copying("long")])
        for (count, fits) in [(5600, true), (5900, false)] {
            let token = Fixture.token(["long": "\"" + String(repeating: "l", count: count) + "\""])
            let decision = Self.authenticator(policy).decide(token)
            #expect((decision.identity != nil) == fits)
            if let identity = decision.identity {
                #expect(try Minted(identity, signedBy: Self.key).claims["long"]?.string?.utf8.count == count)
            } else {
                #expect(decision.refusal?.code == .malformedClaim)
                #expect(decision.refusal?.detail == "The token for the backend would have more than 8192 bytes.")
            }
        }
    }

    @Test func `An explanation says that there is one, and does not show it`() throws {
        let authenticator = Self.authenticator()
        let token = Fixture.token()
        let explanation = authenticator.explain(token)
        #expect(explanation.fields.last?.name == "Authorization")
        #expect(explanation.fields.last?.value == "Bearer, with a minted token")
        expectDiscreet(explanation, of: token)
        #expect(!explanation.text().contains("eyJ") && !explanation.json.contains("eyJ"))
    }

    @Test func `Minted tokens count towards the bytes that are remembered`() throws {
        let identity = try #require(Self.authenticator().decide(Fixture.token()).identity)
        let plain = try #require(Fixture.authenticator().decide(Fixture.token()).identity)
        #expect(identity.storageBytes == plain.storageBytes + 24 + identity.field("Authorization")!.utf8.count - 7)
        #expect(identity.fieldBytes == identity.storageBytes + plain.fieldBytes - plain.storageBytes)
    }

    private static func text(_ value: JSONValue) -> String {
        let buffer = ByteBuffer(capacity: 64)
        var json = JSONWriter(into: buffer)
        json.value(value)
        return buffer.text
    }
}

@Suite struct MintKeysTests {
    @Test func `The public halves of all keys are there, and nothing private`() throws {
        var policy = AdmissionPolicy(issuers: [Fixture.policy()])
        #expect(PublicDocument.mintKeys(policy) == nil)
        policy.mint = MintTests.policy(keys: [MintTests.rsaKey, MintTests.key])
        let document = try #require(PublicDocument.mintKeys(policy))
        let out = ByteBuffer(capacity: 16)
        document.writeResponse(
            .document, into: out, at: Fixture.instant(), requestID: Array("4bf92f35".utf8).span, omitBody: false, close: false)
        let parts = out.text.split(separator: "\r\n\r\n", maxSplits: 1)
        #expect(
            parts[0] + "\r\n" == """
                HTTP/1.1 200 OK\r
                Date: Fri, 15 Jan 2027 08:00:00 GMT\r
                Access-Control-Allow-Origin: *\r
                X-Request-Id: 4bf92f35\r
                Cache-Control: public, max-age=300\r
                Content-Type: application/jwk-set+json\r
                Content-Length: \(parts[1].utf8.count)\r

                """)
        let keys = try KeySet(parsing: Array(parts[1].utf8).span)
        #expect(keys.keys.map(\.keyID) == ["mint-2", "mint-1"])
        let entries = try #require(JSONDocument(parsing: Array(parts[1].utf8).span).root["keys"]).elements
        let names = Set(entries.flatMap { $0.members.map(\.name) })
        #expect(names == ["kid", "use", "alg", "kty", "n", "e", "crv", "x", "y"])
    }

    @Test func `They are at one place`() throws {
        var policy = AdmissionPolicy(issuers: [Fixture.policy()])
        policy.mint = MintTests.policy()
        let document = try #require(PublicDocument.mintKeys(policy))
        for (request, answer) in [
            ("GET /.well-known/antechamber/jwks.json", PublicDocument.Answer.document),
            ("HEAD /.well-known/antechamber/jwks.json?x", .document), ("POST /.well-known/antechamber/jwks.json", nil),
            ("GET /.well-known/antechamber", nil), ("GET /.well-known/jwks.json", nil),
        ] {
            let bytes = Array((request + " HTTP/1.1\r\nHost: a\r\n\r\n").utf8)
            #expect(document.answer(to: Fixture.parse(bytes), in: bytes.span) == answer, "\(request)")
        }
    }
}
