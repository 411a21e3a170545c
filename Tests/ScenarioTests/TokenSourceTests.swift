// Tokens in cookies, headers, parameters and subprotocols: they admit, and stay out of what goes on and of the logs.

import Foundation
import Testing

@Suite("Token sources", .scenario)
struct TokenSourceTests {
    private static let everywhere = """
        token_from header Authorization; token_from header X-Access-Token; token_from cookie session;
        token_from query access_token; token_from websocket_protocol;
        """

    @Test("A token in a cookie admits, and the backend gets the other cookies as they were sent")
    func cookie() throws {
        try Scene.play(main: Self.everywhere) { scene throws in
            let token = scene.token()
            try scene.get("/", fields: ["Cookie: a=1;  b=\"2\"; session=\(token); c=%7E"], expecting: 200)
            let upstream = try scene.onlyRequest()
            #expect(upstream.values(of: "Cookie") == ["a=1;  b=\"2\"; c=%7E"])
            #expect(upstream["X-Auth-Subject"] == "auth0|alice")
            #expect(!scene.origin.received.contains(token))
        }
    }

    @Test("A token in a parameter admits; it is not forwarded, not logged, and its response is for no shared cache", arguments: [
        "access_token", "access%5Ftoken", "%61ccess_token",
    ])
    func parameter(name: String) throws {
        try Scene.play(main: Self.everywhere) { scene throws in
            let token = scene.token()
            let response = try scene.get("/orders?page=2&\(name)=\(token)&sort=a+b")
            #expect(response.status == 200)
            #expect(response.values(of: "Cache-Control") == ["private"])
            #expect(scene.origin.requestLines == ["GET /orders?page=2&sort=a+b HTTP/1.1"])
            #expect(!scene.origin.received.contains(token))
            try scene.get("/orders", token: token, expecting: 200)
            let plain = try scene.get("/orders", token: token)
            #expect(plain.values(of: "Cache-Control") == [])
            // A refused one is in no log either.
            let refused = try scene.get("/x?\(name)=\(scene.token(audience: "https://other.example"))")
            #expect(refused.status == 401)
            #expect(refused.values(of: "Cache-Control") == ["no-store"])
        }
    }

    @Test("A token in a header of its own goes on to the backend, as Authorization does")
    func header() throws {
        try Scene.play(main: Self.everywhere) { scene throws in
            let token = scene.token()
            try scene.get(fields: ["X-Access-Token: Bearer \(token)", "Authorization: Basic dTpw"], expecting: 200)
            let upstream = try scene.onlyRequest()
            #expect(upstream["X-Access-Token"] == "Bearer \(token)")
            #expect(upstream["Authorization"] == "Basic dTpw")
        }
    }

    @Test("A token in two places is one too many, whatever it says and wherever they are")
    func twoPlaces() throws {
        try Scene.play(main: Self.everywhere) { scene throws in
            let token = scene.token()
            let ways: [(query: String, fields: [String])] = [
                ("", ["Authorization: Bearer \(token)"]), ("", ["X-Access-Token: \(token)"]), ("", ["Cookie: session=\(token)"]),
                ("access%5Ftoken=\(token)", []), ("", ["Sec-WebSocket-Protocol: bearer, \(token)"]),
            ]
            for (index, first) in ways.enumerated() {
                for second in ways[index...] {
                    let query = [first.query, second.query].filter { !$0.isEmpty }.joined(separator: "&")
                    let response = try scene.get("/?\(query)", fields: first.fields + second.fields)
                    #expect(response.status == 400)
                    #expect(response.text.contains("\"multiple_tokens\""), "\(response.text)")
                    #expect(response["WWW-Authenticate"]?.contains("error=\"invalid_request\"") == true)
                }
            }
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("Only what is listed counts: elsewhere a token is none, and the backend's own")
    func listedOnly() throws {
        try Scene.play(main: "token_from cookie session;") { scene throws in
            let token = scene.token()
            let refused = try scene.get(token: token)
            #expect(refused.status == 401)
            #expect(refused.text.contains("cookie \\\"session\\\""), "\(refused.text)")
            try scene.get("/?access_token=x", token: "their-own", fields: ["Cookie: session=\(token)"], expecting: 200)
            let upstream = try scene.onlyRequest()
            #expect(upstream["Authorization"] == "Bearer their-own")
            #expect(upstream.values(of: "Cookie") == [])
            #expect(scene.origin.requestLines == ["GET /?access_token=x HTTP/1.1"])
        }
    }

    @Test("A browser's WebSocket gets an answer that it takes, whether or not the backend chooses a subprotocol", arguments: [
        ("bearer, TOKEN", nil, nil, "bearer"), ("bearer, TOKEN, chat", "chat", "chat", "chat"),
        ("chat, bearer, TOKEN, v2", "chat, v2", nil, "bearer"),
    ])
    func webSocket(offered: String, passedOn: String?, chosen: String?, answered: String) throws {
        try Scene.play(main: Self.everywhere, origin: { connection in
            guard try connection.head() != nil else { return }
            let choice = chosen.map { "Sec-WebSocket-Protocol: \($0)\r\n" } ?? ""
            // Key and answer of RFC 6455 §1.3.
            try connection.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\(choice)"
                    + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello")
            connection.waitForClose()
        }) { scene throws in
            let token = scene.token()
            let client = try scene.client()
            try client.get(
                "/chat",
                fields: [
                    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                    "Sec-WebSocket-Protocol: \(offered.replacing("TOKEN", with: token))",
                ])
            let response = try client.responseHead()
            #expect(response.status == 101, "\(response.head)")
            #expect(response.values(of: "Sec-WebSocket-Protocol") == [answered])
            #expect(try latin1Text(client.bytes(5)) == "hello")
            let upstream = try scene.onlyRequest()
            #expect(upstream.values(of: "Sec-WebSocket-Protocol") == (passedOn.map { [$0] } ?? []))
            #expect(upstream["X-Auth-Subject"] == "auth0|alice")
            #expect(!scene.origin.received.contains(token))
        }
    }
}
