// Tokens and keys of implementations that are not ours, so that we do not only agree with ourselves.

import Foundation
import Testing

@Suite(
    "Interoperability", .scenario,
    .enabled(if: PythonTools.areInstalled, "the Python tools are missing: use scripts/test"))
struct InteroperabilityTests {
    private struct Minted: Decodable {
        var keys: String
        var tokens: [String: String]
    }

    @Test("Every asymmetric algorithm of another JOSE library is accepted", arguments: ["joserfc", "PyJWT"])
    func algorithms(_ library: String) throws {
        try Scene.play { scene throws in
            let minted: Minted = try PythonTools.run(
                "mint_tokens.py", [library, scene.issuer.identifier, Scene.audience], in: scene.folder)
            #expect(minted.tokens.count == 10)
            scene.issuer.answerKeySet(.body(minted.keys))
            for (algorithm, token) in minted.tokens.sorted(by: { $0.key < $1.key }) {
                let response = try scene.get("/\(algorithm)", token: token)
                #expect(response.status == 200, "\(algorithm): \(response.text)")
                // One flipped bit of the signature, in a character whose bits all count.
                var characters = Array(token)
                let place = characters.count - 10
                characters[place] = characters[place] == "A" ? "B" : "A"
                let forged = try scene.get("/forged", token: String(characters))
                #expect(forged.text.contains("\"bad_signature\""), "\(algorithm): \(forged.text)")
            }
            #expect(!scene.origin.received.contains("/forged"))
        }
    }

    @Test("A real provider's ID token is for its client: refused where an API is meant, admitted where the client is")
    func provider() throws {
        try withTemporaryFolder { folder in
            let provider = try OpenIDProvider(in: folder)
            let login = try provider.logIn(clientID: "SDFWRGRRSFDF3214", subject: "alice@example.com", in: folder)
            let origin = try ScriptedOrigin()
            defer { origin.end() }
            func proxy(audience: String, in folder: URL) throws -> ProxyProcess {
                try ProxyProcess(
                    arguments: [
                        "run", "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:\(origin.port)", "--issuer",
                        provider.identifier, "--audience", audience,
                    ], in: folder)
            }
            try withTemporaryFolder { folder in
                let proxy = try proxy(audience: Scene.audience, in: folder)
                let client = try RawClient(port: proxy.port)
                try client.get(token: login.id_token)
                let refused = try client.response()
                #expect(refused.status == 401)
                #expect(refused.text.contains("\"wrong_audience\""))
                #expect(refused.text.contains("ID token"))
                // It gives opaque access tokens, as many do when no audience was asked for.
                try client.get(token: login.access_token)
                let opaque = try client.response()
                #expect(opaque.status == 401)
                #expect(opaque.text.contains("\"malformed_token\""))
                #expect(origin.received.isEmpty)
            }
            try withTemporaryFolder { folder in
                let proxy = try proxy(audience: "SDFWRGRRSFDF3214", in: folder)
                let client = try RawClient(port: proxy.port)
                try client.get(token: login.id_token)
                #expect(try client.response().status == 200)
                #expect(origin.received.contains("X-Auth-Subject: alice@example.com\r\n"))
            }
        }
    }
}
