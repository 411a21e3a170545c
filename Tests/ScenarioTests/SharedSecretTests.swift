// An issuer that shares a secret instead of publishing keys.

import Foundation
import Testing

@Suite("Shared secrets", .scenario)
struct SharedSecretTests {
    private static let secret = "secret of thirty-two characters!"

    /// A scene whose issuer has this in its `secret_file`, and is never up.
    private func play(secret: String = secret, _ scenario: (Scene, URL) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let file = folder.appending(path: "secret")
            try secret.write(to: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            try Scene.play(
                issuerBlock: "jwks_refresh 1s;", issuerStartsDown: true, keySource: { _ in "secret_file \(file.path);" }
            ) { scene throws in
                try scenario(scene, file)
                let log = scene.proxy.child.errors + scene.proxy.child.output
                #expect(!log.contains("thirty"), "the secret is in the log:\n\(log)")
            }
        }
    }

    @Test("Its tokens are admitted, with the line end of the file left out, and nobody else's are")
    func admitted() throws {
        try play(secret: Self.secret + "\n") { scene, _ throws in
            try scene.get(token: scene.token(from: TokenMint(secret: Self.secret)), expecting: 200)
            let foreign = try scene.get(token: scene.token(from: TokenMint(secret: Self.secret + "\n")))
            #expect(foreign.text.contains("\"bad_signature\""), "\(foreign.text)")
            let asymmetric = try scene.get(token: scene.token())
            #expect(asymmetric.text.contains("\"algorithm_not_allowed\""), "\(asymmetric.text)")
            #expect(scene.origin.requestLines.count == 1)
            #expect(scene.issuer.requests.isEmpty)
        }
    }

    @Test("A new secret in the file takes the place of the old one, also for remembered tokens")
    func rotation() throws {
        try play { scene, file throws in
            let old = scene.token(from: TokenMint(secret: Self.secret))
            let new = scene.token(from: TokenMint(secret: "another one of thirty-two bytes!"))
            try scene.get(token: old, expecting: 200)
            try scene.get(token: new, expecting: 401)
            try "another one of thirty-two bytes!".write(to: file, atomically: true, encoding: .utf8)
            try eventually("the new secret counts") { try scene.get(token: new).status == 200 }
            try scene.get(token: old, expecting: 401)
        }
    }

    @Test("A public key as the secret of a published key's issuer admits nobody")
    func publicKey() throws {
        try Scene.play { scene throws in
            let published = ScriptedIssuer.keySet(of: [scene.mint])
            for secret in [scene.mint.publicJWK, published] {
                let response = try scene.get(token: scene.token(from: TokenMint(secret: secret)))
                #expect(response.status == 401)
                #expect(response.text.contains("\"algorithm_not_allowed\""), "\(response.text)")
            }
            try scene.expectNothingMoreUpstream()
        }
    }
}
