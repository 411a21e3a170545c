// Tokens made by other implementations: what they sign holds, and what only looks like it does not.

import JOSE
import JOSEFixtures
import OpenSSLKit
import Testing

@Suite struct IndependentTokenTests {
    static let keys = Result { try keySet(IndependentTokens.keySet) }

    @Test("Thumbprints are those that joserfc computes")
    func thumbprints() throws {
        let keys = try Self.keys.get()
        #expect(keys.keys.map(\.thumbprint.description) == keys.keys.map(\.keyID))
        #expect(keys.keys.map(\.type) == [.rsa(bits: 2048), .p256, .p384, .p521, .ed25519])
        #expect(keys.skipped.isEmpty)
        for key in keys.keys { #expect(keys.contains(key.thumbprint)) }
    }

    @Test("Every algorithm's tokens hold, over and over with one verifier")
    func genuine() throws {
        let keys = try Self.keys.get()
        let verifier = SignatureVerifier()
        for _ in 0..<2 {
            for (maker, algorithm, token) in IndependentTokens.genuine {
                #expect(Verdict.of(token, keys, verifier) == .verified(claims: IndependentTokens.claims), "\(maker)")
                let parsed = try Verdict.parse(token)
                #expect(parsed.algorithmName == algorithm)
                #expect(parsed.type == "at+jwt")
                #expect(parsed.unverifiedIssuer == "https://issuer.example/")
            }
        }
        #expect(Set(IndependentTokens.genuine.map(\.algorithm)) == Set(SignatureAlgorithm.asymmetric.map(\.rawValue)))
    }

    @Test("A changed bit anywhere in payload or signature is noticed")
    func tampered() throws {
        let keys = try Self.keys.get()
        let verifier = SignatureVerifier()
        for (maker, _, token) in IndependentTokens.genuine {
            let parts = token.split(separator: ".").map(String.init)
            let payload = base64url(IndependentTokens.claims.replacing("u1", with: "u2"))
            #expect(Verdict.of("\(parts[0]).\(payload).\(parts[2])", keys, verifier) == .badSignature, "\(maker)")
            for place in [0, parts[2].utf8.count / 2] {
                var signature = Array(parts[2].utf8)
                signature[place] = signature[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
                let text = String(decoding: signature, as: UTF8.self)
                #expect(Verdict.of("\(parts[0]).\(parts[1]).\(text)", keys, verifier) == .badSignature, "\(maker)")
            }
        }
    }

    @Test("A signature made with the right key in a wrong way does not hold")
    func forged() throws {
        let keys = try Self.keys.get()
        for (name, token) in IndependentTokens.forged {
            #expect(Verdict.of(token, keys) == .badSignature, "\(name)")
        }
    }

    @Test("Bleichenbacher's forgery: with e = 3 a cube root is no signature")
    func cubeRoot() throws {
        let keys = try keySet("{\"keys\":[\(IndependentTokens.cubicKey)]}")
        #expect(Verdict.of(IndependentTokens.cubicGenuine, keys) == .verified(claims: IndependentTokens.claims))
        #expect(Verdict.of(IndependentTokens.cubeRootForgery, keys) == .badSignature)
    }

    @Test("A public key taken for an HMAC secret is none: no key of a set fits")
    func confused() throws {
        let keys = try Self.keys.get()
        for (name, token) in IndependentTokens.confused {
            #expect(Verdict.of(token, keys) == .unfitKey, "\(name)")
        }
    }

    @Test("Keys that other implementations made unusable are skipped with the reason")
    func unusable() throws {
        let good = try Self.signer("rsa").publicJWK
        let text =
            #"{"keys":["#
            + [IndependentTokens.smallKey, IndependentTokens.largeKey, IndependentTokens.offCurveKey, good]
            .joined(separator: ",") + "]}"
        let keys = try keySet(text)
        #expect(keys.keys.map(\.keyID) == ["rsa"])
        #expect(keys.skipped.map(\.reason) == [.rsaTooSmall(bits: 1024), .rsaTooLarge(bits: 8200), .notOnCurve])
        #expect(keys.skipped.map(\.index) == [0, 1, 2])
    }

    static func signer(_ name: String) throws -> TokenSigner {
        let pem = name == "rsa" ? IndependentTokens.rsaPEM : IndependentTokens.p256PEM
        return try TokenSigner(SigningKey(pem: Array(pem.utf8).span), keyID: name)
    }

    @Test("Keys of others' PEM files sign, and are the keys that their JWKs say", arguments: ["rsa", "p256"])
    func pem(name: String) throws {
        let signer = try Self.signer(name)
        let keys = try keySet(signer.keySet)
        #expect(try Self.keys.get().contains(keys.keys[0].thumbprint))
        let token = try signer.sign(claims: IndependentTokens.claims)
        #expect(Verdict.of(token, keys) == .verified(claims: IndependentTokens.claims))
    }

    @Test("PEM files of other curves, and encrypted ones, are refused without asking for a password")
    func otherPEM() {
        for pem in [IndependentTokens.p384PEM, IndependentTokens.encryptedPEM] {
            #expect(throws: SigningKeyError.self) { try SigningKey(pem: Array(pem.utf8).span) }
        }
    }
}
