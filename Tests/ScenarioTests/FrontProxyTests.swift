// The configurations of deploy/, each with the real program in front, a raw backend behind it, and Antechamber to ask.
//
// What each of them must not do is let a client's own X-Auth-… through where the answer has nothing of that name.

import Foundation
import Testing

@Suite(
    "In front, with a question to ask", .scenario,
    .enabled(if: FrontKind.areInstalled, "a proxy is missing: use scripts/test"))
struct FrontProxyTests {
    private struct Stage {
        let issuer: ScriptedIssuer
        let mint: TokenMint
        let origin: ScriptedOrigin
        let front: FrontProxy

        func token(_ claims: [String: JSONValue?] = [:], audience: String = Scene.audience) throws -> String {
            try mint.token(issuer: issuer.identifier, audience: audience, claims: claims)
        }

        func ask(
            _ method: String = "GET", _ path: String = "/", token: String? = nil, fields: [String] = [], body: String? = nil
        ) throws -> RawMessage {
            let client = try RawClient(port: front.port)
            try client.request(method, path, token: token, fields: fields + ["Connection: close"], body: body)
            return try client.finalResponse()
        }

        /// The only request that the backend got.
        func onlyRequest() throws -> RawMessage {
            try #require(origin.connections.count == 1)
            let bytes = origin.connections[0].bytes
            let end = try #require(latin1Text(bytes).range(of: "\r\n\r\n"))
            let head = String(latin1Text(bytes)[..<end.upperBound])
            let body = Array(bytes.dropFirst(head.unicodeScalars.count))
            return RawMessage(head: head, rawBody: body, body: body)
        }
    }

    private func play(_ kind: FrontKind, _ scenario: (Stage) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let mint = try TokenMint()
            let issuer = try ScriptedIssuer(keys: [mint])
            defer { issuer.end() }
            let origin = try ScriptedOrigin()
            defer { origin.end() }
            let file = FrontProxy.deployFolder.appending(path: "proxy.conf")
            let text = try String(contentsOf: file, encoding: .utf8)
                .replacing("https://example.eu.auth0.com/", with: issuer.identifier)
            let proxy = try ProxyProcess(
                configuration: FrontProxy.withPorts(["9080": 0], in: text), in: folder)
            let front = try FrontProxy(kind, asking: proxy.port, before: origin.port, in: folder)
            defer { front.child.kill() }
            do {
                try scenario(Stage(issuer: issuer, mint: mint, origin: origin, front: front))
            } catch {
                Issue.record("\(error)\n--- \(kind)'s log:\n\(front.child.errors.suffix(4000))\n\(proxy.child.output)")
            }
        }
    }

    /// What a client may try, so as to be somebody else.
    private static let forged = [
        "Status", "Subject", "Issuer", "Audience", "Client", "Scope", "Expires", "Legacy-Audience",
    ].flatMap { name in
        [
            "X-Auth-\(name): mallory", "x-auth-\(name.lowercased()): mallory",
            "X_Auth_\(name.replacing("-", with: "_")): mallory", "X-Auth_\(name): mallory",
        ]
    }

    @Test("A good token passes: the backend learns whom it is for, and nothing that the client says of itself", arguments: FrontKind.allCases)
    func goodToken(_ kind: FrontKind) throws {
        try play(kind) { stage throws in
            let answer = try stage.ask("GET", "/orders?page=2", token: try stage.token(), fields: Self.forged)
            #expect(answer.status == 200, "\(answer.head)\(answer.text)")
            let request = try stage.onlyRequest()
            #expect(request.startLine == "GET /orders?page=2 HTTP/1.0" || request.startLine == "GET /orders?page=2 HTTP/1.1")
            #expect(!request.head.contains("mallory"), "\(request.head)")
            #expect(request.values(of: "X-Auth-Status") == ["verified"])
            #expect(request.values(of: "X-Auth-Subject") == ["auth0|alice"])
            #expect(request.values(of: "X-Auth-Issuer") == [stage.issuer.identifier])
            #expect(request.values(of: "X-Auth-Audience") == [Scene.audience])
            #expect(request.values(of: "X-Auth-Client") == ["cli"])
            #expect(request.values(of: "X-Auth-Scope") == ["read:orders write:orders"])
            #expect(request.values(of: "X-Auth-Expires").count == 1)
        }
    }

    @Test("What the token does not say, the client cannot say either", arguments: FrontKind.allCases)
    func absentClaims(_ kind: FrontKind) throws {
        try play(kind) { stage throws in
            let token = try stage.token(["sub": nil, "client_id": nil, "scope": nil])
            let answer = try stage.ask(token: token, fields: Self.forged)
            #expect(answer.status == 200, "\(answer.head)\(answer.text)")
            let request = try stage.onlyRequest()
            #expect(!request.head.contains("mallory"), "\(request.head)")
            for name in ["Subject", "Client", "Scope", "Legacy-Audience"] {
                #expect(request.values(of: "X-Auth-\(name)") == [])
            }
        }
    }

    @Test("A request that is refused goes no further, and its client learns what was wrong", arguments: FrontKind.allCases)
    func refusals(_ kind: FrontKind) throws {
        try play(kind) { stage throws in
            let missing = try stage.ask()
            #expect(missing.status == 401)
            #expect(missing.values(of: "WWW-Authenticate") == ["Bearer realm=\"antechamber\""])
            let wrong = try stage.ask(token: try stage.token(audience: "https://other.example"))
            #expect(wrong.status == 401)
            #expect(wrong["WWW-Authenticate"]?.contains("error=\"invalid_token\"") == true)
            if kind != .nginx { #expect(wrong.text.contains("\"wrong_audience\""), "\(wrong.text)") }
            // Envoy asks one location about all paths.
            if kind != .envoy {
                let narrow = try stage.ask("GET", "/admin/users", token: try stage.token())
                #expect(narrow.status == 403)
                #expect(narrow["WWW-Authenticate"]?.contains("scope=\"admin\"") == true, "\(narrow.head)")
                let admin = try stage.token(["scope": "admin"])
                #expect(try stage.ask("GET", "/admin/users", token: admin, fields: Self.forged).status == 200)
                #expect(stage.origin.received.hasPrefix("GET /admin/users "))
                #expect(!stage.origin.received.contains("mallory"))
            } else {
                #expect(stage.origin.connections.isEmpty)
            }
        }
    }

    @Test("A body goes to the backend whole, whatever became of it for the question", arguments: FrontKind.allCases)
    func body(_ kind: FrontKind) throws {
        try play(kind) { stage throws in
            let body = String(repeating: "0123456789", count: 20_000)
            let answer = try stage.ask("POST", "/orders", token: try stage.token(), body: body)
            #expect(answer.status == 200, "\(answer.head)\(answer.text)")
            let request = try stage.onlyRequest()
            #expect(request.startLine.hasPrefix("POST /orders "))
            #expect(latin1Text(request.body).hasSuffix(body), "\(request.body.count)")
        }
    }

    @Test("A CORS preflight passes without a token, and speaks for nobody", arguments: FrontKind.allCases)
    func preflight(_ kind: FrontKind) throws {
        try play(kind) { stage throws in
            let fields = ["Origin: https://app.example", "Access-Control-Request-Method: PUT"]
            let answer = try stage.ask("OPTIONS", "/orders", fields: fields + Self.forged)
            #expect(answer.status == 200, "\(answer.head)\(answer.text)")
            let request = try stage.onlyRequest()
            #expect(request.startLine.hasPrefix("OPTIONS /orders "))
            #expect(request.values(of: "X-Auth-Status") == ["anonymous"])
            #expect(!request.head.contains("mallory"), "\(request.head)")
            // Another method with the same fields is none, whatever it calls itself.
            #expect(try stage.ask("PUT", "/orders", fields: fields + ["X-Forwarded-Method: OPTIONS"], body: "x").status == 401)
        }
    }
}
