// Private keys of files: which are taken, under what name, and what becomes public of them.

import Bytes
import JOSE
import JOSEFixtures
import OpenSSLKit
import Testing

@Suite struct TokenSignerTests {
    static func signer(_ pem: String) throws(SigningKeyError) -> TokenSigner {
        try TokenSigner(pem: Array(pem.utf8).span)
    }

    @Test("Keys of each form sign under their RFC 7638 thumbprints, as another library computes these", arguments: [
        (IndependentTokens.rsaPEM, SignatureAlgorithm.rs256, 0), (PrivateKeys.rsaPKCS1, .rs256, 0),
        (IndependentTokens.p256PEM, .es256, 1), (PrivateKeys.p256SEC1, .es256, 1),
        ("a key\nof ours:\n\n" + PrivateKeys.p256SEC1.replacing("\n", with: "\r\n"), .es256, 1),
    ])
    func forms(pem: String, algorithm: SignatureAlgorithm, place: Int) throws {
        let signer = try Self.signer(pem)
        let published = try IndependentTokenTests.keys.get().keys[place]
        #expect(signer.algorithm == algorithm)
        #expect(signer.keyID == published.keyID)
        let token = try signer.sign(claims: IndependentTokens.claims, type: "JWT")
        #expect(Verdict.of(token, try keySet(signer.keySet)) == .verified(claims: IndependentTokens.claims))
        #expect(Verdict.of(token, try IndependentTokenTests.keys.get()) == .verified(claims: IndependentTokens.claims))
    }

    static let unusable: [(pem: String, reason: SigningKeyError)] = [
        ("", .noPrivateKey), ("x", .noPrivateKey), (IndependentTokens.p256PublicPEM, .noPrivateKey),
        (IndependentTokens.p256CertificatePEM, .noPrivateKey),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", .noPrivateKey),
        (String(IndependentTokens.p256PEM.dropLast(60)), .noPrivateKey),
        (String(repeating: "\n", count: SigningKey.pemBytesMax) + IndependentTokens.p256PEM, .noPrivateKey),
        (IndependentTokens.encryptedPEM, .encrypted), (PrivateKeys.p256Encrypted, .encrypted),
        (PrivateKeys.rsa1024, .rsaTooSmall(bits: 1024)), (IndependentTokens.p384PEM, .unsupported),
        (PrivateKeys.ed25519, .unsupported), (PrivateKeys.p256Mixed, .inconsistent),
    ]

    @Test("What cannot sign is told apart", arguments: unusable)
    func refused(pem: String, reason: JOSE.SigningKeyError) {
        #expect(throws: reason) { try Self.signer(pem) }
    }

    @Test("Of the keys of a set, public members alone are written, each key under its own name")
    func publicMembers() throws {
        let signers = try [IndependentTokens.rsaPEM, IndependentTokens.p256PEM].map { try Self.signer($0) }
        let buffer = ByteBuffer(capacity: 16)
        var json = JSONWriter(into: buffer)
        TokenSigner.writeKeySet(of: signers, to: &json)
        let keys = try KeySet(parsing: buffer.readable)
        #expect(keys.skipped.isEmpty)
        #expect(keys.keys.map(\.keyID) == signers.map(\.keyID))
        #expect(keys.keys.map(\.thumbprint.description) == signers.map(\.keyID))
        #expect(keys.keys.map(\.algorithm) == [.rs256, .es256])
        let members = try JSONDocument(parsing: buffer.readable).root["keys"]?.elements.map { Set($0.members.map(\.name)) }
        #expect(members == [["kid", "use", "alg", "kty", "n", "e"], ["kid", "use", "alg", "kty", "crv", "x", "y"]])
    }

    @Test("Two signers are one if key and name are")
    func equality() throws {
        let signer = try Self.signer(IndependentTokens.p256PEM)
        #expect(try signer == Self.signer(PrivateKeys.p256SEC1))
        #expect(try signer != Self.signer(IndependentTokens.rsaPEM))
        #expect(try signer != TokenSigner(SigningKey(pem: Array(IndependentTokens.p256PEM.utf8).span), keyID: "another"))
        #expect(try signer != TokenSigner(generating: .es256, keyID: signer.keyID))
    }
}
