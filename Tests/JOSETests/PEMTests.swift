// Keys in PEM files are those that their JWKs say, and are used for tokens with whatever key ID.

import JOSE
import JOSEFixtures
import OpenSSLKit
import Testing

@Suite struct PEMTests {
    static func set(_ text: String) throws(KeySetError) -> KeySet { try KeySet(parsingFile: Array(text.utf8).span) }

    static func failure(_ text: String) -> KeySetError? {
        do { _ = try set(text) } catch { return error }
        return nil
    }

    static let files: [(pem: String, place: Int, algorithms: [String])] = [
        (IndependentTokens.rsaPublicPEM, 0, ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
        (IndependentTokens.rsaPKCS1PEM, 0, ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
        (IndependentTokens.rsaCertificatePEM, 0, ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
        (IndependentTokens.p256PublicPEM, 1, ["ES256"]), (IndependentTokens.p256CertificatePEM, 1, ["ES256"]),
        (IndependentTokens.p384PublicPEM, 2, ["ES384"]), (IndependentTokens.p521PublicPEM, 3, ["ES512"]),
        (IndependentTokens.ed25519PublicPEM, 4, ["EdDSA"]),
    ]

    @Test("A block's key is the one its JWK says, and verifies its tokens, which name a key ID, and no others", arguments: files)
    func keys(pem: String, place: Int, algorithms: [String]) throws {
        let published = try IndependentTokenTests.keys.get()
        for text in [pem, pem + "\n", pem.replacing("\n", with: "\r\n"), "Subject: issuer\nkey - of it:\n\n" + pem + "\nbye\n"] {
            let keys = try Self.set(text)
            #expect(keys.keys.map(\.thumbprint) == [published.keys[place].thumbprint])
            #expect(keys.keys.map(\.type) == [published.keys[place].type])
            #expect(keys.keys.map(\.keyID) == [nil])
            #expect(keys.skipped.isEmpty)
            for (maker, algorithm, token) in IndependentTokens.genuine {
                let expected: Verdict =
                    algorithms.contains(algorithm) ? .verified(claims: IndependentTokens.claims) : .unknownKey
                #expect(Verdict.of(token, keys) == expected, "\(maker)")
            }
        }
    }

    @Test("A file of several blocks has all their keys, each once")
    func several() throws {
        let keys = try Self.set(Self.files.map(\.pem).joined(separator: "\n"))
        #expect(Set(keys.keys.map(\.thumbprint)).count == 5)
        for (maker, _, token) in IndependentTokens.genuine {
            #expect(Verdict.of(token, keys) == .verified(claims: IndependentTokens.claims), "\(maker)")
        }
    }

    @Test("What is no public key of ours is skipped alone, with the reason", arguments: [
        (IndependentTokens.rsaPEM, UnusableKey.privateKey), (IndependentTokens.encryptedPEM, .privateKey),
        (IndependentTokens.k256PublicPEM, .unsupportedCurve), (IndependentTokens.smallPublicPEM, .rsaTooSmall(bits: 1024)),
        ("-----BEGIN X509 CRL-----\nMAo=\n-----END X509 CRL-----", .unsupportedKeyType),
        ("-----BEGIN PUBLIC KEY-----\nMAo=\n-----END PUBLIC KEY-----", .badBlock),
        ("-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----", .badBlock),
        (IndependentTokens.rsaPublicPEM.replacing("PUBLIC KEY", with: "CERTIFICATE"), .badBlock),
        (IndependentTokens.rsaPublicPEM.replacing("PUBLIC KEY", with: "RSA PUBLIC KEY"), .badBlock),
        (IndependentTokens.rsaPKCS1PEM.replacing("RSA PUBLIC KEY", with: "PUBLIC KEY"), .badBlock),
        // A byte behind the key, within the block.
        (appending(0, to: IndependentTokens.ed25519PublicPEM), .badBlock),
    ])
    func skipped(pem: String, reason: UnusableKey) throws {
        guard case .noUsableKey(let alone) = Self.failure(pem) else {
            Issue.record("taken")
            return
        }
        #expect(alone.map(\.reason) == [reason])
        let keys = try Self.set(IndependentTokens.p256PublicPEM + "\n" + pem)
        #expect(keys.keys.map(\.type) == [.p256])
        #expect(keys.skipped.map(\.reason) == [reason])
        #expect(keys.skipped.map(\.index) == [1])
    }

    @Test("A file cut short, or that is neither PEM nor a JWK set, is refused whole")
    func broken() {
        let pem = IndependentTokens.p256PublicPEM
        let lines = pem.split(separator: "\n")
        for text in [
            lines.dropLast().joined(separator: "\n"), pem + "\n" + lines.dropLast().joined(separator: "\n"),
            pem.replacing("END PUBLIC", with: "END PRIVATE"), pem.replacing("MFkw", with: "MF*w"),
            "-----BEGIN PUBLIC KEY", "text\n-----BEGIN ",
        ] {
            #expect(Self.failure(text) == .badPEM, "\(text)")
        }
        for text in ["", "garbage", "BEGIN PUBLIC KEY", "-", "-----"] {
            guard case .badJSON = Self.failure(text) else {
                Issue.record("\(text)")
                continue
            }
        }
        #expect(Self.failure(String(repeating: " ", count: KeySet.bytesMax + 1)) == .tooLarge)
    }

    @Test("A JWK set in a file stays one, whatever its strings hold, and PEM that is fetched is none")
    func jwkSet() throws {
        let keys = try Self.set(" \n" + IndependentTokens.keySet)
        #expect(keys.keys.map(\.keyID) == (try IndependentTokenTests.keys.get()).keys.map(\.keyID))
        let certified = "{\"keys\":[\(KeySetTests.jwk("P-256", "\"kid\":\"-----BEGIN PUBLIC KEY-----\""))]}"
        #expect(try Self.set(certified).keys.map(\.keyID) == ["-----BEGIN PUBLIC KEY-----"])
        #expect(throws: KeySetError.self) { try keySet(IndependentTokens.rsaPublicPEM) }
    }

    @Test("An HMAC with the PEM as its secret is none of its key's signatures")
    func confusion() throws {
        for (pem, _, _) in Self.files {
            let keys = try Self.set(pem)
            for (name, token) in IndependentTokens.confused { #expect(Verdict.of(token, keys) == .unknownKey, "\(name)") }
        }
    }

    /// The same block with a byte more.
    private static func appending(_ byte: UInt8, to pem: String) -> String {
        let lines = pem.split(separator: "\n").map(String.init)
        // 44 bytes, so that the base64 has one padding character; with one more there is none.
        return [lines[0], lines[1].replacing("=", with: "A"), lines[2]].joined(separator: "\n")
    }
}
