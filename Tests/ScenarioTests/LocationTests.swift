// Locations: which rules a request falls under, and that no spelling of its path leads it under others. What the origin
// got, byte for byte, is the evidence.

import Foundation
import Testing

@Suite("Locations", .scenario)
struct LocationTests {
    private static let locations = """
        location = /health { public; }
        location /docs { public; }
        location /docs/internal { }
        location /hook { public; methods POST; }
        location /orders { methods GET POST; }
        """

    @Test("Public paths need no token, what lies beside and beneath them does")
    func publicPaths() throws {
        try Scene.play(main: Self.locations) { scene throws in
            for path in ["/health", "/health?full=1", "/docs", "/docs/", "/docs/a%20b/c"] { try scene.get(path, expecting: 200) }
            for path in [
                "/", "/health/", "/healthz", "/health-admin", "/HEALTH", "/%68ealth", "/health;x", "/docsx", "/DOCS/a",
                "/docs/internal", "/docs/internal/a", "/x?/health", "/x?=/docs/", "/docs.json", "/docs%2fa", "/x/docs",
            ] {
                try scene.get(path, expecting: 401)
            }
            #expect(
                scene.origin.requestLines
                    == ["/health", "/health?full=1", "/docs", "/docs/", "/docs/a%20b/c"].map { "GET \($0) HTTP/1.1" })
        }
    }

    @Test("A path that a backend could take for one under other rules is 400, with nothing upstream and the end", arguments: [
        "/docs/../orders", "/docs/./a", "/docs/%2e%2e/orders", "/docs/.%2E/orders", "/docs/..%2forders", "/docs%2f..%2forders",
        "/docs/..%5corders", "/docs/..;/orders", "/docs/..;x=1/orders", "/docs/%252e%252e/orders", "/docs/..", "//docs/a",
        "//orders", "/%2fdocs", "/docs//internal", "/docs%2finternal", "/docs/INTERNAL", "/docs/%69nternal", "/docs/internal;x",
        "/docs/internal%2fa", "/docs/a;b", "/docs/a%2fb", "/docs/a%5cb", "/docs//a", "/ORDERS", "/orders;x", "/orders%2f1",
        "/%6frders", "/HOOK", "/x/..", "/docs;%2f../x", "/docs/a%00b", "/docs\\..\\orders", "http://api.example.com//docs/a",
        "http://api.example.com/docs/../orders",
    ])
    func ambiguous(path: String) throws {
        try Scene.play(main: Self.locations) { scene throws in
            for token in [nil, scene.token()] {
                let client = try scene.client()
                try client.get(path, token: token)
                let response = try client.response()
                #expect(response.status == 400)
                #expect(response.text.contains("\"bad_request\""))
                #expect(try client.isClosedByProxy())
            }
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("With a token, what no location is about goes on as it was sent", arguments: [
        "/projects/group%2Fproject", "/projects/group%2Fproject/issues?x=%2f..", "/files/a;v=1", "/proxy/https://example.com/x",
        "/a%5cb", "/%C3%A9", "/~%7E", "/x/docs", "/Orders-of-old", "/100%25",
    ])
    func opaque(path: String) throws {
        try Scene.play(main: Self.locations) { scene throws in
            try scene.get(path, token: scene.token(), expecting: 200)
            #expect(scene.origin.requestLines == ["GET \(path) HTTP/1.1"])
        }
    }

    @Test("OPTIONS * and an absolute target fall under the rules of what they ask for")
    func otherForms() throws {
        try Scene.play(main: "location / { public; } location /orders { }") { scene throws in
            let client = try scene.client()
            let requests: [(String, String, Int)] = [
                ("OPTIONS", "*", 401), ("OPTIONS", "http://api.example.com", 401), ("GET", "http://api.example.com", 200),
                ("GET", "http://api.example.com?x", 200), ("GET", "http://api.example.com/orders/1", 401), ("GET", "/a", 200),
            ]
            for (method, target, status) in requests {
                try client.request(method, target)
                #expect(try client.response().status == status, "\(method) \(target)")
            }
            #expect(scene.origin.requestLines == ["GET / HTTP/1.1", "GET /?x HTTP/1.1", "GET /a HTTP/1.1"])
        }
    }

    @Test("On a public path the backend hears that it knows nobody, whatever the client says", arguments: [
        nil, "not.a.token", "expired",
    ])
    func anonymous(token: String?) throws {
        try Scene.play(main: Self.locations) { scene throws in
            let token = token == "expired" ? scene.token(claims: ["exp": .number(1_000_000_000)]) : token
            let forged = [
                "X-Auth-Status: verified", "X-Auth-Subject: mallory", "x_auth_subject: mallory", "X.Auth.Scope: mallory",
                "XAuthIssuer: mallory", "X-Auth-Legacy-Audience: mallory", "Connection: X-Auth-Status", "X-Other: kept",
            ]
            try scene.get("/docs", token: token, fields: forged, expecting: 200)
            let request = try scene.onlyRequest()
            #expect(!request.head.contains("mallory"))
            #expect(request.fields.filter { $0.name.lowercased().contains("auth-") }.map(\.value) == ["anonymous"])
            #expect(request["X-Auth-Status"] == "anonymous")
            #expect(request["X-Other"] == "kept")
            // A token is passed on: nobody here looked at it.
            #expect(request["Authorization"] == token.map { "Bearer \($0)" })
        }
    }

    @Test("A trailer cannot bring an identity to a public path either")
    func trailers() throws {
        try Scene.play(main: Self.locations) { scene throws in
            let client = try scene.client()
            try client.send(
                "POST /hook HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Auth-Subject\r\n\r\n"
                    + "5\r\nhello\r\n0\r\nX-Auth-Subject: mallory\r\nX_Auth_Status: verified\r\n\r\n")
            #expect(try client.response().status == 200)
            #expect(!scene.origin.received.contains("mallory"))
            #expect(!scene.origin.received.contains("verified"))
        }
    }

    @Test("A method that a location does not name is 405 with the list, before a token is asked for")
    func methods() throws {
        try Scene.play(main: Self.locations) { scene throws in
            let client = try scene.client()
            for (method, path, allow) in [
                ("DELETE", "/orders/7", "GET, HEAD, POST"), ("get", "/orders", "GET, HEAD, POST"), ("GET", "/hook", "POST"),
                ("PURGE", "/hook", "POST"),
            ] {
                try client.request(method, path, token: method == "GET" ? nil : scene.token())
                let response = try client.response()
                #expect(response.status == 405)
                #expect(response.text.contains("\"method_not_allowed\""))
                #expect(response["Allow"] == allow)
            }
            try client.request("HEAD", "/orders", token: scene.token())
            #expect(try client.response(toHead: true).status == 200)
            try client.request("POST", "/hook", body: "{}")
            #expect(try client.response().status == 200)
            #expect(scene.origin.requestLines == ["HEAD /orders HTTP/1.1", "POST /hook HTTP/1.1"])
        }
    }

    @Test("A location has its own backend, whose failure is its own")
    func upstreams() throws {
        let other = try ScriptedOrigin { connection in
            while try connection.request() != nil { try connection.answer("other") }
        }
        defer { other.end() }
        let dead = try ScriptedOrigin(isOpen: false)
        defer { dead.end() }
        let main = """
            location /other { upstream \(other.url); }
            location /public { public; upstream \(other.url); }
            location /dead { upstream \(dead.url); }
            """
        try Scene.play(main: main) { scene throws in
            let client = try scene.client()
            let expected: [(String, Int, String?)] = [
                ("/", 200, "ok"), ("/other/a", 200, "other"), ("/public", 200, "other"), ("/dead", 502, nil), ("/", 200, "ok"),
                ("/other", 200, "other"),
            ]
            for (path, status, text) in expected {
                try client.get(path, token: scene.token())
                let response = try client.response()
                #expect(response.status == status)
                if let text { #expect(response.text == text) }
            }
            #expect(scene.origin.requestLines.count == 2)
            #expect(other.requestLines == ["GET /other/a HTTP/1.1", "GET /public HTTP/1.1", "GET /other HTTP/1.1"])
            // Both locations that name it share one group, and so one kept connection.
            #expect(other.connections.count == 1)
        }
    }

    @Test("A location's backend is health-checked, and left out of nobody else's")
    func healthChecks() throws {
        let other = try ScriptedOrigin { connection in
            while let request = try connection.request() {
                try connection.answer(status: request.startLine.hasPrefix("GET /healthz ") ? "503 Down" : "200 OK")
            }
        }
        defer { other.end() }
        let spare = try ScriptedOrigin { connection in
            while try connection.request() != nil { try connection.answer("spare") }
        }
        defer { spare.end() }
        let main = """
            location /other {
                upstream \(other.url) { server \(spare.url); health_check /healthz interval=100ms fall=1; }
            }
            """
        try Scene.play(main: main) { scene throws in
            let token = scene.token()
            try eventually("the one that is down gets no more requests") {
                try (0..<4).allSatisfy { _ in try scene.get("/other", token: token).text == "spare" }
            }
            try scene.get("/", token: token, expecting: 200)
        }
    }

    @Test("Bounds of a location are its own")
    func bounds() throws {
        let main = """
            client_max_body_size 10;
            proxy_read_timeout 60s;
            location /large { client_max_body_size 1k; }
            location /any { client_max_body_size 0; }
            location /quick { proxy_read_timeout 200ms; }
            """
        let origin: ScriptedOrigin.Script = { connection in
            while let request = try connection.request() {
                if request.startLine.contains("/quick") { return connection.waitForClose() }
                try connection.answer()
            }
        }
        try Scene.play(main: main, origin: origin) { scene throws in
            for (path, length, status) in [
                ("/", 10, 200), ("/", 11, 413), ("/large", 1024, 200), ("/large", 1025, 413), ("/any", 5000, 200),
            ] {
                for isChunked in [false, true] {
                    let client = try scene.client()
                    let body = String(repeating: "x", count: length)
                    if isChunked {
                        try client.request("POST", path, token: scene.token(), fields: ["Transfer-Encoding: chunked"])
                        try client.send("\(String(length, radix: 16))\r\n\(body)\r\n0\r\n\r\n")
                    } else {
                        try client.request("POST", path, token: scene.token(), body: body)
                    }
                    #expect(try client.finalResponse().status == status, "\(path) \(length) \(isChunked)")
                }
            }
            try scene.get("/quick", token: scene.token(), expecting: 504)
        }
    }

    @Test("The log has the location as it is configured, and who was let in without a token")
    func log() throws {
        struct Line: Decodable, Equatable {
            var path: String
            var route: String?
            var verdict: String
            var code: String?
        }
        try Scene.play(main: Self.locations) { scene throws in
            for path in ["/health", "/docs/a", "/x", "/orders/1", "/docs//a", "/hook"] {
                _ = try scene.get(path, token: path == "/orders/1" ? scene.token() : nil)
            }
            let lines = try eventually("the lines are written") {
                let lines = scene.proxy.child.output.split(separator: "\n")
                return lines.count == 6 ? lines : nil
            }
            let decoded = try lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            #expect(decoded == [
                Line(path: "/health", route: "= /health", verdict: "anonymous"),
                Line(path: "/docs/a", route: "/docs", verdict: "anonymous"),
                Line(path: "/x", verdict: "refused", code: "missing_token"),
                Line(path: "/orders/1", route: "/orders", verdict: "verified"),
                Line(path: "/docs//a", verdict: "refused", code: "bad_request"),
                Line(path: "/hook", route: "/hook", verdict: "refused", code: "method_not_allowed"),
            ])
        }
    }

    @Test("A public path may switch protocols, and no token's expiry ends that")
    func publicTunnel() throws {
        try Scene.play(main: "websocket_expiry_grace 0s;" + Self.locations, origin: { connection in
            guard try connection.head() != nil else { return }
            try connection.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
            try connection.send(connection.bytes(5))
        }) { scene throws in
            let client = try scene.client()
            try client.get("/docs/live", fields: [
                "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ])
            #expect(try client.responseHead().status == 101)
            try client.send("hello")
            #expect(try latin1Text(client.bytes(5)) == "hello")
        }
    }
}
