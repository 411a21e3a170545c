// HS256 and its like: a secret from a file verifies them, and nothing else does.

import Bytes
import JOSE
import JOSEFixtures
import Testing

@Suite struct SharedSecretTests {
    static let all: Set<SignatureAlgorithm> = [.hs256, .hs384, .hs512]

    static func set(_ file: [UInt8], for algorithms: Set<SignatureAlgorithm> = all) throws(SharedSecretError) -> KeySet {
        try KeySet(secretFile: file.span, for: algorithms)
    }

    static func failure(_ file: [UInt8], for algorithms: Set<SignatureAlgorithm> = all) -> SharedSecretError? {
        do { _ = try set(file, for: algorithms) } catch { return error }
        return nil
    }

    @Test("RFC 7515 appendix A.1: HS256 with a secret of random bytes")
    func published() throws {
        let k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
        let keys = try Self.set(try Base64URL.decode(Array(k.utf8).span))
        // Its header has a line end in it.
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\(PublishedVectorTests.payload)"
            + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        #expect(Verdict.of(token, keys) == .verified(claims: PublishedVectorTests.claims))
    }

    @Test("Other implementations' tokens hold, with and without a key ID, and only with the secret and the whole token")
    func independent() throws {
        let keys = try Self.set(Array(IndependentTokens.secret.utf8))
        let others = try Self.set(Array(IndependentTokens.secret.utf8) + [0x20])
        let verifier = SignatureVerifier()
        #expect(Set(IndependentTokens.shared.map(\.algorithm)) == Set(Self.all.map(\.rawValue)))
        for (maker, _, token) in IndependentTokens.shared {
            #expect(Verdict.of(token, keys, verifier) == .verified(claims: IndependentTokens.claims), "\(maker)")
            #expect(Verdict.of(token, others, verifier) == .badSignature, "\(maker)")
            let parts = token.split(separator: ".").map(String.init)
            let payload = base64url(IndependentTokens.claims.replacing("u1", with: "u2"))
            #expect(Verdict.of("\(parts[0]).\(payload).\(parts[2])", keys, verifier) == .badSignature, "\(maker)")
            #expect(Verdict.of("\(parts[0]).\(parts[1]).", keys, verifier) == .badSignature, "\(maker)")
        }
    }

    @Test("A secret verifies no asymmetric algorithm, and a public key no HMAC, whatever the token and the caller say")
    func confusion() throws {
        let secrets = try Self.set(Array(IndependentTokens.secret.utf8))
        let published = try IndependentTokenTests.keys.get()
        let verifier = SignatureVerifier()
        for token in IndependentTokens.genuine.map(\.token) { #expect(Verdict.of(token, secrets) == .unknownKey) }
        for token in (IndependentTokens.confused + IndependentTokens.shared.map { ($0.maker, $0.token) }).map(\.token) {
            let parsed = try Verdict.parse(token)
            for key in published.keys {
                for algorithm in SignatureAlgorithm.allCases {
                    let isRefused = verifier.verify(parsed, with: key, algorithm: algorithm) == nil
                    #expect(isRefused)
                }
            }
        }
    }

    @Test("A public key in the place of the secret is refused: everybody has it", arguments: [
        IndependentTokens.rsaPublicPEM, IndependentTokens.p256CertificatePEM, IndependentTokens.rsaPEM,
        IndependentTokens.keySet, "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T\"}\n",
    ])
    func publicKey(text: String) {
        #expect(Self.failure(Array(text.utf8)) == .published)
    }

    @Test("A secret is as long as its algorithm's hash or longer", arguments: [
        (SignatureAlgorithm.hs256, 32), (.hs384, 48), (.hs512, 64),
    ])
    func length(algorithm: SignatureAlgorithm, bytes: Int) throws {
        let secret = [UInt8](repeating: 0x61, count: bytes)
        #expect(algorithm.secretBytesMin == bytes)
        #expect(try Self.set(secret, for: [algorithm]).keys.map(\.type) == [.secret(bytes: bytes)])
        let short = Array(secret.dropLast())
        #expect(Self.failure(short, for: [algorithm]) == .tooShort(bytes: bytes - 1, algorithm))
        // The line end is no part of it.
        #expect(Self.failure(short + [0x0A], for: [algorithm]) == .tooShort(bytes: bytes - 1, algorithm))
        // And a secret that is long enough for one algorithm is not tried for another.
        for other in SignatureAlgorithm.allCases {
            #expect(try Self.set(secret, for: [algorithm]).keys[0].fits(other) == ((other.secretBytesMin ?? 100) <= bytes))
        }
    }

    @Test("One line end at the end goes, and nothing else does")
    func lineEnds() throws {
        let secret = [UInt8](repeating: 0x61, count: 64)
        let thumbprint = try Self.set(secret).keys[0].thumbprint
        for end: [UInt8] in [[0x0A], [0x0D, 0x0A]] { #expect(try Self.set(secret + end).keys[0].thumbprint == thumbprint) }
        for other in [
            secret + [0x0D], secret + [0x0A, 0x0A], secret + [0x0A, 0x0D], secret + [0x20, 0x0A], [0x0A] + secret,
            [0x20] + secret, secret + [0],
        ] {
            #expect(try Self.set(other).keys[0].thumbprint != thumbprint)
        }
    }

    @Test("Nothing, and more than anybody's secret, is none")
    func bounds() throws {
        for nothing: [UInt8] in [[], [0x0A], [0x0D, 0x0A]] { #expect(Self.failure(nothing) == .empty) }
        let longest = [UInt8](repeating: 0x61, count: KeySet.secretBytesMax)
        #expect(try Self.set(longest + [0x0D, 0x0A]).keys[0].type == .secret(bytes: KeySet.secretBytesMax))
        #expect(Self.failure(longest + [0x61]) == .tooLong)
        // Beyond what the file may have, at all.
        #expect((longest + [0x0D, 0x0A]).count == KeySet.secretFileBytesMax)
    }

    @Test("Its thumbprint is not the hash that RFC 7638 makes of it, which would be a test for guesses")
    func thumbprint() throws {
        let keys = try Self.set(Array(IndependentTokens.secret.utf8))
        let canonical = Array("{\"k\":\"\(base64url(IndependentTokens.secret))\",\"kty\":\"oct\"}".utf8)
        let published = TokenDigest(of: canonical.span)
        let own = try Base64URL.decode(Array(keys.keys[0].thumbprint.description.utf8).span)
        #expect(own.count == 32)
        #expect(own.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } != published.prefix)
    }

    @Test("A dump of a key set shows nothing of its secret")
    func dumps() throws {
        var dumped = ""
        dump(try Self.set(Array(String(repeating: "sesame", count: 11).utf8)), to: &dumped)
        #expect(!dumped.contains("sesame"))
        // A dumped array of bytes has a line for each; the digits alone may stand in a thumbprint.
        #expect(!dumped.contains("- 115\n"))
        #expect(dumped.contains("a secret of 66 bytes"))
    }
}
