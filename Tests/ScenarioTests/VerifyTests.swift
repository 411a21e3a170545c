// Verify locations: what a proxy in front learns that asks whether a request may pass.

import Foundation
import Testing

@Suite("Verify locations", .scenario)
struct VerifyTests {
    private static let place = "/_antechamber/verify"
    private static let location = "location = \(place) { verify; }"

    @Test("A good token gets 200 with what the backend would be told, and the backend gets nothing")
    func goodToken() throws {
        try Scene.play(main: Self.location) { scene throws in
            let token = scene.token()
            let client = try scene.client()
            try client.get(Self.place, token: token, fields: ["X-Auth-Subject: mallory", "X-Auth-Admin: yes"])
            let answer = try client.response()
            #expect(answer.status == 200)
            #expect(answer.rawBody.isEmpty)
            #expect(answer["Cache-Control"] == "no-store")
            // The connection serves on, and the backend, asked directly, is told the same.
            try client.get("/orders", token: token)
            #expect(try client.response().status == 200)
            let request = try scene.onlyRequest()
            #expect(request.startLine == "GET /orders HTTP/1.1")
            let names = ["Status", "Subject", "Issuer", "Audience", "Client", "Scope", "Expires"].map { "X-Auth-" + $0 }
            for name in names {
                #expect(answer.values(of: name).count == 1, "\(name)")
                #expect(answer.values(of: name) == request.values(of: name), "\(name)")
            }
            #expect(!answer.head.contains("mallory") && !answer.head.contains("X-Auth-Admin"))
        }
    }

    @Test("A claim that the token lacks is in no field, whatever the client sent")
    func absentClaims() throws {
        try Scene.play(main: Self.location) { scene throws in
            let token = scene.token(claims: ["sub": nil, "scope": nil, "client_id": nil])
            let answer = try scene.get(Self.place, token: token, fields: ["X-Auth-Subject: mallory"])
            #expect(answer.status == 200)
            for name in ["X-Auth-Subject", "X-Auth-Scope", "X-Auth-Client"] { #expect(answer.values(of: name) == []) }
            #expect(answer["X-Auth-Status"] == "verified")
        }
    }

    @Test("A refusal is that of any other request, and the log has both")
    func refusals() throws {
        try Scene.play(main: Self.location) { scene throws in
            let missing = try scene.get(Self.place)
            #expect(missing.status == 401)
            #expect(missing["WWW-Authenticate"] == "Bearer realm=\"antechamber\"")
            let wrong = try scene.get(Self.place, token: scene.token(audience: "https://other.example"))
            #expect(wrong.status == 401)
            #expect(wrong.text.contains("\"wrong_audience\""))
            #expect(wrong["WWW-Authenticate"]?.contains("error=\"invalid_token\"") == true)
            try scene.get(Self.place, token: scene.token(), expecting: 200)
            try eventually("the log has the verdicts") {
                let log = scene.proxy.child.output
                return log.contains("\"verdict\":\"verified\"") && log.contains("\"code\":\"wrong_audience\"")
            }
            #expect(scene.origin.connections.isEmpty)
        }
    }

    @Test("Each verify location asks for what it says, whatever is said of another path or method")
    func requirements() throws {
        let main = """
            location = \(Self.place) { verify; }
            location = \(Self.place)-admin { verify; require scope admin; }
            location = /health { public; }
            """
        try Scene.play(main: main) { scene throws in
            let claims = [
                "X-Original-URI: /health", "X-Original-URL: /health", "X-Forwarded-Uri: /health",
                "X-Original-Method: OPTIONS", "X-Forwarded-Method: OPTIONS", "Origin: https://app.example",
                "Access-Control-Request-Method: GET",
            ]
            try scene.get(Self.place, fields: claims, expecting: 401)
            let token = scene.token()
            try scene.get(Self.place, token: token, fields: claims, expecting: 200)
            let refused = try scene.get("\(Self.place)-admin", token: token, fields: claims)
            #expect(refused.status == 403)
            #expect(refused["WWW-Authenticate"]?.contains("scope=\"admin\"") == true)
        }
    }

    @Test("A prefix location answers for all paths beneath it, as Envoy asks, by the rules of all paths")
    func prefix() throws {
        try Scene.play(main: "location \(Self.place) { verify; }") { scene throws in
            let token = scene.token()
            try scene.get("\(Self.place)/orders/7?page=2", token: token, expecting: 200)
            try scene.get("\(Self.place)/orders/7", expecting: 401)
            try scene.get("\(Self.place)/../health", token: token, expecting: 400)
            #expect(scene.origin.connections.isEmpty)
        }
    }

    @Test("The method is that of the request itself: a preflight passes unless it needs a token, like any other method")
    func preflight() throws {
        let fields = ["Origin: https://app.example", "Access-Control-Request-Method: PUT"]
        func answer(_ main: String, _ method: String) throws -> (status: Int, verdict: String?) {
            var answered: (Int, String?) = (0, nil)
            try Scene.play(main: main) { scene throws in
                let client = try scene.client()
                try client.request(method, Self.place, fields: fields)
                let answer = try client.response()
                answered = (answer.status, answer["X-Auth-Status"])
            }
            return answered
        }
        #expect(try answer(Self.location, "OPTIONS") == (200, "anonymous"))
        #expect(try answer(Self.location, "PUT") == (401, nil))
        #expect(try answer("location = \(Self.place) { verify; cors_preflight require_token; }", "OPTIONS") == (401, nil))
    }

    @Test("A body that is announced is not waited for, and one that has come is never the next request", arguments: [
        ("Content-Length: 10000000", "", true), ("Transfer-Encoding: chunked", "5\r\n", true),
        ("Content-Length: 33", "GET /smuggled HTTP/1.1\r\nHost: a\r\n", false),
        ("Expect: 100-continue\r\nContent-Length: 5", "", true),
    ])
    func body(_ field: String, _ sent: String, _ closes: Bool) throws {
        try Scene.play(main: Self.location + " client_max_body_size 1k;") { scene throws in
            let client = try scene.client()
            let token = scene.token()
            let head = "POST \(Self.place) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n\(field)\r\n\r\n"
            try client.send(head + sent)
            let answer = try client.finalResponse()
            #expect(answer.status == 200, "\(answer.text)")
            if closes {
                #expect(answer["Connection"] == "close")
                client.finishSending()
                #expect(try client.isClosedByProxy())
            } else {
                try client.get(Self.place, token: token)
                #expect(try client.response().status == 200)
            }
            #expect(scene.origin.connections.isEmpty)
        }
    }

    @Test("A client of a legacy audience is told so, and counted")
    func legacyAudience() throws {
        let legacy = "legacy_audience OLD { name web; deprecated 2026-01-01T00:00:00Z; }"
        try Scene.play(issuerBlock: legacy, main: Self.location + " access_log stdout;") { scene throws in
            let answer = try scene.get(Self.place, token: scene.token(audience: "OLD"))
            #expect(answer.status == 200)
            #expect(answer["X-Auth-Legacy-Audience"] == "web")
            #expect(answer["Deprecation"]?.hasPrefix("@") == true)
            try eventually("the log has it") { scene.proxy.child.output.contains("\"legacy_audience\":\"web\"") }
        }
    }

    @Test("Without a backend it answers at its verify locations, and elsewhere 404")
    func noBackend() throws {
        try withTemporaryFolder { folder in
            let mint = try TokenMint()
            let issuer = try ScriptedIssuer(keys: [mint])
            defer { issuer.end() }
            let proxy = try ProxyProcess(
                configuration: """
                    listen 127.0.0.1:0;
                    issuer \(issuer.identifier) { audience \(Scene.audience); }
                    \(Self.location)
                    """, in: folder)
            let token = try mint.token(issuer: issuer.identifier)
            let client = try RawClient(port: proxy.port)
            for (path, status) in [(Self.place, 200), ("/orders", 404), (Self.place + "/x", 404), (Self.place, 200)] {
                try client.get(path, token: token)
                let answer = try client.response()
                #expect(answer.status == status, "\(path): \(answer.text)")
                if status == 404 { #expect(answer.text.contains("\"not_found\"")) }
            }
            #expect(proxy.child.errors.contains("no upstream, verify locations only"))
            proxy.child.signal(15)
            #expect(try proxy.child.waitForEnd() == .exited(0))
        }
    }
}
