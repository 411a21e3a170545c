// What goes on without a good token: preflights, and what is only reported.

import Foundation
import Testing

@Suite("Without a good token", .scenario)
struct ReportOnlyTests {
    private static let preflight = ["Origin: https://app.example.com", "Access-Control-Request-Method: DELETE"]

    @Test("A preflight goes to the backend as nobody's, and its answer back")
    func preflights() throws {
        try Scene.play(origin: { connection in
            while try connection.request() != nil {
                try connection.answer("", status: "204 No Content", fields: ["Access-Control-Allow-Origin: *"])
            }
        }) { scene throws in
            let client = try scene.client()
            try client.request("OPTIONS", "/orders", fields: Self.preflight + ["X-Auth-Subject: mallory"])
            let response = try client.response()
            #expect(response.status == 204)
            #expect(response["Access-Control-Allow-Origin"] == "*")
            let request = try scene.onlyRequest()
            #expect(request.startLine == "OPTIONS /orders HTTP/1.1")
            #expect(request["X-Auth-Status"] == "anonymous")
            #expect(!request.head.contains("mallory"))
            #expect(request["Access-Control-Request-Method"] == "DELETE")
        }
    }

    @Test("Nothing but a preflight passes for one")
    func noPreflights() throws {
        let requests: [(String, [String], String?)] = [
            ("DELETE", Self.preflight, nil), ("OPTIONS", [Self.preflight[0]], nil), ("OPTIONS", [Self.preflight[1]], nil),
            ("OPTIONS", Self.preflight + ["X-HTTP-Method-Override: DELETE"], nil),
            ("OPTIONS", Self.preflight, "_method=DELETE"),
            ("OPTIONS", Self.preflight + ["Connection: upgrade", "Upgrade: websocket"], nil),
        ]
        try Scene.play { scene throws in
            for (method, fields, body) in requests {
                let client = try scene.client()
                try client.request(method, "/orders", fields: fields, body: body)
                #expect(try client.response().status == 401, "\(method) \(fields)")
            }
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("A preflight can be asked for a token: everywhere, or in one location")
    func strictPreflights() throws {
        let main = "cors_preflight require_token; location /open { cors_preflight forward; methods GET; }"
        try Scene.play(main: main) { scene throws in
            let client = try scene.client()
            for (path, status) in [("/orders", 401), ("/open", 200), ("/", 401)] {
                try client.request("OPTIONS", path, fields: Self.preflight)
                #expect(try client.response().status == status)
            }
            #expect(scene.origin.requestLines == ["OPTIONS /open HTTP/1.1"])
        }
    }

    @Test("A preflight of an ambiguous path is refused like any other request")
    func ambiguousPreflight() throws {
        try Scene.play(main: "location /admin { }") { scene throws in
            let client = try scene.client()
            try client.request("OPTIONS", "/x/../admin", fields: Self.preflight)
            #expect(try client.response().status == 400)
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("Report-only forwards what would be refused, and says so to the backend and the log alone")
    func reportOnly() throws {
        struct Line: Decodable {
            var verdict: String
            var code: String?
            var status: Int
        }
        try Scene.play(main: "enforce report_only;") { scene throws in
            let tokens: [(String?, String)] = [
                (nil, "report_only; reason=missing_token"),
                ("x", "report_only; reason=malformed_token"),
                (scene.token(audience: "https://other.example.com"), "report_only; reason=wrong_audience"),
                (scene.token(claims: ["exp": .number(1_000_000_000)]), "report_only; reason=token_expired"),
                (scene.token(), "verified"),
            ]
            for (index, (token, status)) in tokens.enumerated() {
                let client = try scene.client()
                try client.get("/\(index)", token: token, fields: ["X-Auth-Subject: mallory", "X-Auth-Status: verified"])
                let response = try client.response()
                #expect(response.status == 200)
                #expect(response["WWW-Authenticate"] == nil)
                let head = try #require(scene.origin.received.components(separatedBy: "\r\n\r\n").dropLast().last)
                let request = RawMessage(head: head + "\r\n\r\n", rawBody: [], body: [])
                #expect(request.startLine == "GET /\(index) HTTP/1.1")
                #expect(request["X-Auth-Status"] == status)
                #expect(!head.contains("mallory"))
                #expect((request["X-Auth-Subject"] == nil) == (status != "verified"))
                #expect(request["Authorization"] == token.map { "Bearer \($0)" })
            }
            let lines = try eventually("the lines are written") {
                let lines = scene.proxy.child.output.split(separator: "\n")
                return lines.count == tokens.count ? lines : nil
            }
            let decoded = try lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            #expect(decoded.map(\.verdict) == Array(repeating: "report_only", count: 4) + ["verified"])
            #expect(decoded.map(\.code) == ["missing_token", "malformed_token", "wrong_audience", "token_expired", nil])
            #expect(decoded.allSatisfy { $0.status == 200 })
        }
    }

    @Test("Report-only is about tokens alone: what is wrong on the wire is refused")
    func wireLevel() throws {
        let main = "enforce report_only; client_max_body_size 10; location /orders { methods GET; }"
        try Scene.play(main: main) { scene throws in
            let requests: [(String, String, String?, Int)] = [
                ("POST", "/orders", nil, 405), ("GET", "/x/../orders", nil, 400), ("POST", "/", "more than 10 bytes", 413),
                ("TRACE", "/", nil, 405),
            ]
            for (method, path, body, status) in requests {
                let client = try scene.client()
                try client.request(method, path, body: body)
                #expect(try client.response().status == status)
            }
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("Without keys, report-only forwards too, once it is known that there are none")
    func withoutKeys() throws {
        try Scene.play(main: "enforce report_only; location /strict { enforce on; }", issuerStartsDown: true) { scene throws in
            let token = scene.token()
            #expect(try scene.get("/", token: token).status == 200)
            #expect(try scene.onlyRequest()["X-Auth-Status"] == "report_only; reason=keys_unavailable")
            #expect(try scene.get("/strict", token: token).status == 503)
            #expect(scene.origin.requestLines == ["GET / HTTP/1.1"])
        }
    }
}
