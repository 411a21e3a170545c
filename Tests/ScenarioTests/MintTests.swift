// Callers that have moved, in front of a backend that has not: it gets tokens of the proxy's own.

import Foundation
import JOSEFixtures
import Testing

@Suite("Minted tokens", .scenario)
struct MintTests {
    private static let oldAudience = "SDFWRGRRSFDF3214"
    private static let oldIssuer = "https://old.example/"
    private static let place = "/.well-known/antechamber/jwks.json"

    /// A scene that mints with these keys, the first of which signs.
    private func play(
        keys: [String] = [IndependentTokens.rsaPEM], mint: String = "", main: String = "authorization mint;",
        issuerBlock: String = "", upstream: String? = nil, _ scenario: (Scene) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let files = try keys.enumerated().map { number, pem in
                let file = folder.appending(path: "mint-\(number).pem")
                try pem.write(to: file, atomically: true, encoding: .utf8)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
                return "key_file \(file.path);"
            }
            let block = "mint { \(files.joined()) issuer \(Self.oldIssuer); audience \(Self.oldAudience); \(mint) }"
            try Scene.play(issuerBlock: issuerBlock, main: block + main, upstream: upstream) { scene throws in
                try scenario(scene)
                let log = scene.proxy.child.errors + scene.proxy.child.output
                #expect(!log.contains("eyJ"), "a token is in the log:\n\(log)")
            }
        }
    }

    /// The tokens that the origin got, in their order.
    private func received(_ scene: Scene) -> [String] {
        scene.origin.received.split(separator: "\r\n").filter { $0.hasPrefix("Authorization: Bearer ") }.map {
            String($0.dropFirst(22))
        }
    }

    /// The token's header (0) or claims (1).
    private func part(_ index: Int, of token: String) throws -> [String: Any] {
        let text = String(token.split(separator: ".")[index]).replacing("-", with: "+").replacing("_", with: "/")
        let padded = text + String(repeating: "=", count: (4 - text.count % 4) % 4)
        let data = try #require(Data(base64Encoded: padded))
        return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func claims(_ token: String) throws -> [String: Any] { try part(1, of: token) }

    @Test("An unchanged jwt.verify for a client ID admits callers that ask for the API's audience, and those left behind")
    func unchangedBackend() throws {
        try withTemporaryFolder { folder in
            let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Support/Node/jwt_backend.mjs")
            let node = try ChildProcess(
                "node", [script.path, IndependentTokens.rsaPublicPEM, Self.oldAudience, Self.oldIssuer], in: folder,
                name: "backend")
            let port: UInt16 = try eventually("the backend listens") {
                node.output.firstMatch(of: /listening on ([0-9]+)/).flatMap { UInt16($0.1) }
            }
            try play(
                mint: "algorithm RS256; claim \"https://old.example/roles\" \"https://example.com/claims\" roles; claim n n;",
                issuerBlock: "legacy_audience \(Self.oldAudience) { name web; }", upstream: "127.0.0.1:\(port)"
            ) { scene throws in
                let moved = scene.token(claims: [
                    "https://example.com/claims": .object(["roles": .array(["admin", "caf\u{e9}"])]), "n": .number(7),
                    "nonce": "a\r\nAuthorization: Bearer x",
                ])
                // The backend knows neither its algorithm nor its key.
                let client = try RawClient(port: port)
                try client.get(token: moved)
                #expect(try client.response().status == 401)

                for token in [moved, scene.idToken(clientID: Self.oldAudience)] {
                    let response = try scene.get("/orders", token: token)
                    #expect(response.status == 200, "\(response.text)")
                    let claims = try #require(
                        JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any])
                    #expect(claims["sub"] as? String == "auth0|alice")
                    #expect(claims["https://old.example/roles"] as? [String] == (token == moved ? ["admin", "caf\u{e9}"] : nil))
                    #expect(claims["n"] as? Int == (token == moved ? 7 : nil))
                    #expect(claims["nonce"] == nil && claims["scope"] == nil)
                }
                let stranger = try scene.get("/orders", token: scene.token(audience: "another"))
                #expect(stranger.text.contains("\"wrong_audience\""))
            }
        }
    }

    @Test(
        "Other libraries verify them by the keys that the proxy serves to everyone", arguments: ["joserfc", "PyJWT"],
        [[IndependentTokens.rsaPEM, IndependentTokens.p256PEM], [PrivateKeys.p256SEC1, PrivateKeys.rsaPKCS1]])
    func otherLibraries(_ library: String, _ keys: [String]) throws {
        try #require(PythonTools.areInstalled, "the Python tools are missing: use scripts/test")
        struct Verified: Decodable {
            var header: String
            var claims: String
        }
        try play(keys: keys) { scene throws in
            try scene.get(token: scene.token(), expecting: 200)
            let published = try scene.get(Self.place)
            #expect(published.status == 200)
            #expect(published["Content-Type"] == "application/jwk-set+json")
            #expect(published["Cache-Control"] == "public, max-age=300")
            for name in ["d", "p", "q", "dp", "dq", "qi", "k"] { #expect(!published.text.contains("\"\(name)\"")) }
            let token = try #require(received(scene).first)
            let verified: Verified = try PythonTools.run(
                "verify_token.py", [library, published.text, token, Self.oldAudience, Self.oldIssuer], in: scene.folder)
            #expect(verified.claims.contains("auth0|alice"))
            #expect(verified.header.contains("\"typ\": \"JWT\""))
            #expect(scene.origin.requestLines == ["GET / HTTP/1.1"])
        }
    }

    @Test("A proxy in front is given the token that the backend would get, and never the client's own")
    func verify() throws {
        let main = """
            location = /verify { verify; authorization mint; }
            location = /shadow { verify; authorization mint; enforce report_only; }
            location = /usual { verify; }
            """
        try play(main: "authorization mint; location = /verify { verify; } location = /kept { verify; authorization keep; }") {
            scene throws in
            let answer = try scene.get("/verify", token: scene.token())
            #expect(answer.values(of: "Authorization").count == 1)
            #expect(try scene.get("/kept", token: scene.token()).values(of: "Authorization") == [])
        }
        try play(main: main) { scene throws in
            let token = scene.token()
            for path in ["/verify", "/shadow"] {
                let answer = try scene.get(path, token: token)
                #expect(answer.status == 200, "\(answer.text)")
                let lines = answer.values(of: "Authorization")
                #expect(lines.count == 1 && lines[0].hasPrefix("Bearer ") && !lines[0].contains(token), "\(path)")
                let claims = try claims(String(lines[0].dropFirst(7)))
                #expect(claims["iss"] as? String == Self.oldIssuer && claims["aud"] as? String == Self.oldAudience)
                #expect(claims["sub"] as? String == "auth0|alice")
                #expect(answer["X-Auth-Subject"] == "auth0|alice")
                #expect(answer["Cache-Control"] == "no-store")
            }
            // Without a verified token there is none, so that the proxy in front removes the client's.
            let forged = scene.token(from: try TokenMint())
            #expect(try scene.get("/verify", token: forged).values(of: "Authorization") == [])
            let shadow = try scene.get("/shadow", token: forged)
            #expect(shadow.status == 200 && shadow["X-Auth-Status"]?.hasPrefix("report_only; reason=") == true)
            #expect(shadow.values(of: "Authorization") == [])
            #expect(try scene.get("/usual", token: token).values(of: "Authorization") == [])
            #expect(scene.origin.connections.isEmpty)
        }
    }

    @Test("A token serves a caller until half of its life is over, and then another one does")
    func renewal() throws {
        try play(mint: "lifetime 30s;") { scene throws in
            let clock = try WallClock(in: scene.folder)
            let folder = scene.folder.appending(path: "second")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let proxy = try ProxyProcess(
                arguments: ["run", "--config", scene.folder.appending(path: "proxy.conf").path],
                environment: clock.environment, in: folder)
            defer { proxy.child.kill() }
            let client = try RawClient(port: proxy.port)
            let now = Int(Date().timeIntervalSince1970)
            let token = scene.token(claims: ["exp": .number(now + 1000)])
            for ahead in [0, 0, 100, 100, 1100] {
                try clock.set(ahead: ahead)
                try client.get(token: token)
                #expect(try client.finalResponse().status == (ahead < 1000 ? 200 : 401))
            }
            let tokens = received(scene)
            try #require(tokens.count == 4)
            // A second may pass between the two; half a life does not.
            #expect(tokens[0] == tokens[1] && tokens[1] != tokens[2] && tokens[2] == tokens[3])
            let (first, third) = try (claims(tokens[0]), claims(tokens[2]))
            #expect(first["jti"] as? String != third["jti"] as? String)
            for (claims, ahead) in [(first, 0), (third, 100)] {
                let (issued, expires) = try (#require(claims["iat"] as? Int), #require(claims["exp"] as? Int))
                #expect(expires - issued == 30)
                #expect((now + ahead...now + ahead + 20).contains(issued))
            }
        }
    }

    @Test("While keys change, what the old one signed and what the new one signs verify by what either proxy serves")
    func rotation() throws {
        let (old, new) = (IndependentTokens.rsaPEM, IndependentTokens.p256PEM)
        try play(keys: [old, new]) { before throws in
            try play(keys: [new, old]) { after throws in
                var names: [String?] = []
                for scene in [before, after] {
                    try scene.get(token: scene.token(), expecting: 200)
                    names.append(try part(0, of: #require(received(scene).first))["kid"] as? String)
                }
                #expect(names[0] != names[1])
                let sets = try [before, after].map { scene in
                    try JSONDecoder().decode(Keys.self, from: Data(scene.get(Self.place).body)).keys.map(\.kid)
                }
                #expect(sets[0] == sets[1].reversed())
                #expect(names == sets.map(\.first))
            }
        }
    }

    private struct Keys: Decodable {
        struct Key: Decodable { var kid: String }
        var keys: [Key]
    }

    @Test("Without a verified token the backend gets no Authorization: on public paths, with preflights, and only reported")
    func withoutToken() throws {
        let main = """
            authorization mint; location /public { public; } location /shadow { enforce report_only; }
            location /webhooks { public; authorization keep; }
            """
        try play(main: main) { scene throws in
            let client = try scene.client()
            let forged = scene.token(from: try TokenMint())
            let preflight = ["Origin: https://a.example", "Access-Control-Request-Method: GET"]
            try client.get("/public", token: scene.token())
            #expect(try client.response().status == 200)
            try client.get("/shadow", token: forged)
            #expect(try client.response().status == 200)
            try client.request("OPTIONS", "/orders", fields: preflight + ["Authorization: Basic YTpi"])
            #expect(try client.response().status == 200)
            #expect(!scene.origin.received.lowercased().contains("\r\nauthorization"))
            try client.get("/shadow", token: scene.token())
            #expect(try client.response().status == 200)
            let minted = received(scene)
            #expect(try minted.map { try claims($0)["iss"] as? String } == [Self.oldIssuer])
            // A place may say otherwise.
            try client.request("GET", "/webhooks", fields: ["Authorization: Basic YTpi"])
            #expect(try client.response().status == 200)
            #expect(scene.origin.received.contains("\r\nAuthorization: Basic YTpi\r\n"))
        }
    }

    @Test("Wherever the caller's token was, the backend gets one Authorization, and it is ours", arguments: [
        "Connection: Authorization", "Connection: close, authorization", "authorization_: Bearer forged",
        "AUTHOR-IZATION: Bearer forged", "X-Auth-Subject: forged",
    ])
    func alone(_ field: String) throws {
        try play(main: "authorization mint; token_from cookie session; token_from header Authorization;") { scene throws in
            let token = scene.token()
            try scene.get(token: token, fields: [field], expecting: 200)
            try scene.get(fields: ["Cookie: session=\(token)", field], expecting: 200)
            let received = scene.origin.received
            #expect(!received.contains("forged") && !received.contains(token))
            let lines = received.split(separator: "\r\n").filter { $0.lowercased().contains("authorization") }
            #expect(lines.count == 2 && lines.allSatisfy { $0.hasPrefix("Authorization: Bearer ey") })
        }
    }
}
