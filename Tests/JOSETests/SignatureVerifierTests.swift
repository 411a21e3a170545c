import JOSE
import JOSEFixtures
import OpenSSLKit
import Testing

@Suite struct SignatureVerifierTests {
    static let rsa = Result { try TokenSigner(generating: .rs256, keyID: "r") }
    static let elliptic = Result { try TokenSigner(generating: .es256, keyID: "e") }

    @Test("Our own tokens hold, with what their header says")
    func roundTrip() throws {
        for signer in [try Self.rsa.get(), try Self.elliptic.get()] {
            let keys = try keySet(signer.keySet)
            let token = try Verdict.parse(signer.sign(claims: #"{"sub":"u"}"#, type: "JWT"))
            let verified = SignatureVerifier().verify(token, with: keys.keys[0], algorithm: signer.algorithm)
            guard let verified else {
                Issue.record("not verified")
                return
            }
            #expect(verified.claims["sub"]?.string == "u")
            #expect(verified.algorithm == signer.algorithm)
            #expect(verified.keyThumbprint == keys.keys[0].thumbprint)
            #expect(verified.type == "JWT")
            #expect(token.keyID == signer.keyID)
            #expect(try Verdict.parse(signer.sign(claims: "{}", type: nil)).type == nil)
        }
    }

    @Test("A key ID that needs escaping survives token and JWK")
    func escapedKeyID() throws {
        let signer = try TokenSigner(SigningKey(generating: .es256), keyID: "a\"\\\n")
        let keys = try keySet(signer.keySet)
        #expect(Verdict.of(try signer.sign(claims: "{}"), keys) == .verified(claims: "{}"))
        #expect(try keySet("{\"keys\":[\(signer.publicJWK)]}").keys[0].keyID == signer.keyID)
    }

    @Test("An empty signature holds under no algorithm")
    func emptySignature() throws {
        let keys = try IndependentTokenTests.keys.get()
        for (maker, _, token) in IndependentTokens.genuine {
            let unsigned = token.split(separator: ".").dropLast().joined(separator: ".") + "."
            #expect(Verdict.of(unsigned, keys) == .badSignature, "\(maker)")
        }
    }

    @Test("none with and without a signature is refused before a key is chosen")
    func none() throws {
        let signer = try Self.rsa.get()
        let keys = try keySet(signer.keySet)
        for name in ["none", "None", "NONE", "nOnE"] {
            let signed = try signer.sign(header: #"{"alg":"\#(name)","kid":"r"}"#, claims: "{}")
            let unsigned = signed.split(separator: ".").dropLast().joined(separator: ".") + "."
            #expect(Verdict.of(signed, keys) == .unknownAlgorithm)
            #expect(Verdict.of(unsigned, keys) == .unknownAlgorithm)
        }
    }

    @Test("r and s of zero, of n, beyond n, or of another length do not hold")
    func ecdsaRange() throws {
        let signer = try Self.elliptic.get()
        let keys = try keySet(signer.keySet)
        let token = try signer.sign(claims: "{}")
        let input = token.split(separator: ".").dropLast().joined(separator: ".")
        let zero = [UInt8](repeating: 0, count: 32)
        let one: [UInt8] = zero.dropLast() + [1]
        let n: [UInt8] = [
            0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
        ]
        let all = [UInt8](repeating: 0xFF, count: 32)
        let candidates: [[UInt8]] = [
            zero + zero, zero + one, one + zero, n + one, one + n, n + n, all + all, one + one, zero, [0] + one + one,
            one + one + [0], [0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01],
        ]
        for signature in candidates {
            #expect(Verdict.of("\(input).\(base64url(signature))", keys) == .badSignature)
        }
        #expect(Verdict.of(token, keys) == .verified(claims: "{}"))
    }

    @Test("The header's algorithm against the key's kind, curve or own algorithm is refused, signature or not")
    func algorithmAgainstKey() throws {
        let rsa = try Self.rsa.get()
        let keys = try keySet(rsa.keySet)
        for name in ["ES256", "EdDSA", "PS256", "RS384"] {
            let token = try rsa.sign(header: #"{"alg":"\#(name)","kid":"r"}"#, claims: "{}")
            #expect(Verdict.of(token, keys) == .unfitKey)
            // And where someone skips the selection, the verifier itself refuses.
            let parsed = try Verdict.parse(token)
            for algorithm in SignatureAlgorithm.allCases {
                let verified = SignatureVerifier().verify(parsed, with: keys.keys[0], algorithm: algorithm)
                let isRefused = verified == nil
                #expect(isRefused)
            }
        }
        let elliptic = try Self.elliptic.get()
        for name in ["ES384", "ES512", "RS256"] {
            let token = try elliptic.sign(header: #"{"alg":"\#(name)","kid":"e"}"#, claims: "{}")
            #expect(Verdict.of(token, try keySet(elliptic.keySet)) == .unfitKey)
        }
    }

    @Test("A token signed under another hash than its header names does not hold")
    func otherHash() throws {
        // The fixtures' RSA key has no `alg`, so the key alone would allow RS512.
        let keys = try IndependentTokenTests.keys.get()
        let signer = try IndependentTokenTests.signer("rsa")
        let token = try signer.sign(header: #"{"alg":"RS512","kid":"\#(keys.keys[0].keyID!)"}"#, claims: "{}")
        #expect(Verdict.of(token, keys) == .badSignature)
    }

    @Test("Keys that a token brings along are not looked at")
    func embeddedKeys() throws {
        let trusted = try keySet(Self.elliptic.get().keySet)
        let attacker = try TokenSigner(SigningKey(generating: .es256), keyID: "e")
        for more in [
            #""jwk":\#(attacker.publicJWK)"#, #""jku":"https://attacker.example/jwks.json""#,
            #""x5u":"https://attacker.example/cert.pem""#, #""x5c":["MIIB"]"#,
        ] {
            let token = try attacker.sign(header: #"{"alg":"ES256","kid":"e",\#(more)}"#, claims: "{}")
            #expect(Verdict.of(token, trusted) == .badSignature)
            let own = try Self.elliptic.get().sign(header: #"{"alg":"ES256","kid":"e",\#(more)}"#, claims: "{}")
            #expect(Verdict.of(own, trusted) == .verified(claims: "{}"))
        }
    }

    @Test("Workers verify at the same time with the same keys")
    func concurrency() async throws {
        let keys = try IndependentTokenTests.keys.get()
        let isAllVerified = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let verifier = SignatureVerifier()
                    return IndependentTokens.genuine.allSatisfy { genuine in
                        (0..<5).allSatisfy { _ in
                            Verdict.of(genuine.token, keys, verifier) == .verified(claims: IndependentTokens.claims)
                        }
                    }
                }
            }
            return await group.allSatisfy { $0 }
        }
        #expect(isAllVerified)
    }

    @Test("More keys than a verifier keeps prepared still verify, each with its own")
    func manyKeys() throws {
        let verifier = SignatureVerifier()
        let count = SignatureVerifier.preparedMax + 5
        let signers = try (0..<count).map { try TokenSigner(SigningKey(generating: .es256), keyID: "k\($0)") }
        let sets = try signers.map { try keySet($0.keySet) }
        for (index, signer) in signers.enumerated() {
            let token = try signer.sign(claims: "{}")
            #expect(Verdict.of(token, sets[index], verifier) == .verified(claims: "{}"))
            let foreign = try signers[(index + 1) % count].sign(header: #"{"alg":"ES256"}"#, claims: "{}")
            #expect(Verdict.of(foreign, sets[index], verifier) == .badSignature)
        }
    }
}
