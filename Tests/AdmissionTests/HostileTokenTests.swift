// Forged and malformed tokens: refused, without waiting for keys, so that none causes a fetch.

import Admission
import Bytes
import JOSE
import OpenSSLKit
import Testing

@Suite struct HostileTokenTests {
    @Test(arguments: ["none", "None", "NONE", "nOnE", "HS256", "HS512", "RS1", "", "rs256", "ES256K"])
    func `An algorithm that is none, symmetric or unknown is not allowed`(algorithm: String) throws {
        let header = "{\"alg\":\"\(algorithm)\",\"kid\":\"ec-1\"}"
        let signed = try Fixture.ec.sign(header: header, claims: Fixture.claims())
        let unsigned = signed.prefix(through: signed.lastIndex(of: ".")!)
        for token in [signed, String(unsigned)] {
            #expect(Fixture.authenticator().decide(token).refusal?.code == .algorithmNotAllowed)
        }
    }

    @Test func `An HMAC is refused where the keys are public, even by a policy that allows it`() throws {
        let token = try Fixture.ec.sign(header: "{\"alg\":\"HS256\",\"kid\":\"ec-1\"}", claims: Fixture.claims())
        let allowing = Fixture.authenticator(Fixture.policy { $0.algorithms = Set(SignatureAlgorithm.allCases) })
        #expect(allowing.decide(token).refusal?.code == .unknownKey)
        #expect(Fixture.authenticator().decide(token).refusal?.code == .algorithmNotAllowed)
    }

    @Test func `A shared secret admits its tokens, and no token that a public key would verify`() throws {
        let secret = Array("0123456789abcdef0123456789abcdef".utf8)
        let authenticator = Fixture.authenticator(Fixture.policy { $0.algorithms = [.hs256] })
        authenticator.install(
            Fixture.keys(try KeySet(secretFile: secret.span, for: [.hs256])), forIssuerAt: 0)
        let token = try Self.signed(with: secret, header: "{\"alg\":\"HS256\",\"kid\":\"any\"}")
        #expect(authenticator.decide(token).identity != nil)
        #expect(authenticator.decide(Fixture.token()).refusal?.code == .algorithmNotAllowed)
        let forged = try Self.signed(with: secret.reversed(), header: "{\"alg\":\"HS256\"}")
        #expect(authenticator.decide(forged).refusal?.code == .badSignature)
        // A remembered token is forgotten with the secret.
        let twice = secret + secret
        let other = try KeySet(secretFile: twice.span, for: [.hs256])
        authenticator.install(Fixture.keys(other), forIssuerAt: 0)
        #expect(authenticator.decide(token).refusal?.code == .badSignature)
    }

    private static func signed(with secret: [UInt8], header: String) throws -> String {
        let input = text(Array(header.utf8)) + "." + text(Array(Fixture.claims().utf8))
        let bytes = Array(input.utf8)
        return try input + "." + text(HMACSecret(secret.span).tag(over: bytes.span, .sha256))
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: Base64URL.encode(bytes.span), as: UTF8.self) }

    @Test func `An allowed algorithm with an empty signature does not hold`() throws {
        let token = Fixture.token()
        let unsigned = String(token.prefix(through: token.lastIndex(of: ".")!))
        #expect(Fixture.authenticator().decide(unsigned).refusal?.code == .badSignature)
    }

    @Test func `An algorithm that the issuer's policy leaves out is not allowed`() {
        let authenticator = Fixture.authenticator(Fixture.policy { $0.algorithms = [.rs256] })
        #expect(authenticator.decide(Fixture.token(signer: Fixture.ec)).refusal?.code == .algorithmNotAllowed)
        #expect(authenticator.decide(Fixture.token(signer: Fixture.rsa)).identity != nil)
    }

    @Test func `Keys that a token brings along are not looked at`() throws {
        let jwk = Fixture.otherEC.publicJWK
        let header = """
            {"alg":"ES256","kid":"ec-1","jwk":\(jwk),"jku":"https://evil.example/jwks","x5u":"https://evil.example/c",\
            "x5c":["AA"]}
            """
        let token = try Fixture.otherEC.sign(header: header, claims: Fixture.claims())
        #expect(Fixture.authenticator().decide(token).refusal?.code == .badSignature)
    }

    @Test(arguments: ["1", "null", "[]", "{}", "\"" + String(repeating: "k", count: 4096) + "\""])
    func `A key ID that is no string, or an endless one, makes the token malformed`(keyID: String) throws {
        let token = try Fixture.ec.sign(header: "{\"alg\":\"ES256\",\"kid\":\(keyID)}", claims: Fixture.claims())
        #expect(Fixture.authenticator().decide(token).refusal?.code == .malformedToken)
    }

    @Test func `A token that is far too long is malformed`() {
        let token = Fixture.token(["pad": "\"" + String(repeating: "x", count: 30_000) + "\""])
        #expect(Fixture.authenticator().decide(token).refusal?.code == .malformedToken)
    }

    @Test(arguments: [
        "\"crit\":[]", "\"crit\":[\"exp\"]", "\"crit\":[\"b64\"],\"b64\":false", "\"b64\":false", "\"alg\":\"none\"",
    ])
    func `A critical extension, an unencoded payload, or a member twice makes the token malformed`(
        member: String
    ) throws {
        let header = "{\"alg\":\"ES256\",\"kid\":\"ec-1\",\(member)}"
        let token = try Fixture.ec.sign(header: header, claims: Fixture.claims())
        #expect(Fixture.authenticator().decide(token).refusal?.code == .malformedToken)
    }

    @Test(arguments: [
        "[]", "1", "", "{\"iss\":\"a\",\"iss\":\"a\"}", "{} ", "{\"a\":" + String(repeating: "[", count: 100),
        "\u{feff}{}", "{\"a\":\"\\ud800\"}", "{}{}", "{},", "{\"a\":1}x", "{'a':1}", "{\"a\":1,}",
    ])
    func `Claims that are not one strict JSON object make the token malformed`(claims: String) throws {
        let code = Fixture.authenticator().decide(try Fixture.ec.sign(header: "{\"alg\":\"ES256\"}", claims: claims))
            .refusal?.code
        // Trailing white space is JSON; then the issuer is what is missing.
        #expect(code == (claims == "{} " ? .unknownIssuer : .malformedToken))
    }

    @Test func `Any changed character of a remembered token is refused`() throws {
        let authenticator = Fixture.authenticator()
        let token = Array(Fixture.token().utf8)
        #expect(authenticator.decide(token.span.text()).identity != nil)
        for index in token.indices {
            var changed = token
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let decision = authenticator.decide(changed.span.text(), mayAwaitKeys: false)
            #expect(decision.identity == nil, "character \(index)")
        }
    }

    @Test func `A remembered token with one character more or less is refused`() {
        let authenticator = Fixture.authenticator()
        let token = Fixture.token()
        #expect(authenticator.decide(token).identity != nil)
        for changed in [token + "A", token + "=", String(token.dropLast()), String(token.dropFirst()), "A" + token] {
            let code = authenticator.decide(changed).refusal?.code
            #expect(code == .malformedToken || code == .badSignature)
        }
    }
}
