// `forward`, `require` and `authorization` as a backend and a caller see them.

import Foundation
import Testing

@Suite("What is asked of a token, and what the backend is told", .scenario)
struct ForwardTests {
    private static let forward = """
        forward {
            claim sub X-User;
            claim "https://example.com/claims" roles X-Roles;
            payload X-Claims base64url;
        }
        """

    @Test("The chosen headers arrive in place of the usual ones, and the status always does")
    func chosenHeaders() throws {
        try Scene.play(main: Self.forward) { scene throws in
            let claims: [String: JSONValue?] = ["https://example.com/claims": .object(["roles": .array(["admin", "a,b é"])])]
            for number in 0..<2 {
                try scene.get("/\(number)", token: scene.token(claims: claims), expecting: 200)
            }
            let request = try #require(scene.origin.connections.first).bytes
            let head = latin1Text(request)
            #expect(head.contains("\r\nX-User: auth0|alice\r\n"))
            #expect(head.contains("\r\nX-Roles: admin,a%2Cb %C3%A9\r\n"))
            #expect(head.contains("\r\nX-Auth-Status: verified\r\n"))
            #expect(head.contains("\r\nX-Claims: ey"))
            for name in ["X-Auth-Subject", "X-Auth-Issuer", "X-Auth-Scope", "X-Auth-Expires"] {
                #expect(!head.contains(name), "\(name)")
            }
        }
    }

    @Test("A header that a claim goes in is never a client's own, however it is spelled, with the claim or without it", arguments: [
        "X-Roles", "x-roles", "X_ROLES", "x.roles", "XRoles", "X--Roles_", "!X-Roles",
    ], [true, false])
    func clientSentHeaders(_ name: String, hasClaim: Bool) throws {
        try Scene.play(main: Self.forward) { scene throws in
            let claims: [String: JSONValue?] =
                hasClaim ? ["https://example.com/claims": .object(["roles": .array(["user"])])] : [:]
            let client = try scene.client()
            let fields = [
                "\(name): forged", "\(name): forged-too", "X-Roles-Of-Mine: kept", "Transfer-Encoding: chunked", "Trailer: \(name)",
                "Connection: keep-alive",
            ]
            try client.request("POST", "/", token: scene.token(claims: claims), fields: fields)
            try client.send("2\r\nok\r\n0\r\n\(name): forged-at-last\r\n\r\n")
            #expect(try client.response().status == 200)
            let request = try scene.onlyRequest()
            #expect(!scene.origin.received.contains("forged"))
            #expect(request.values(of: "X-Roles") == (hasClaim ? ["user"] : []))
            #expect(request.values(of: "X-Roles-Of-Mine") == ["kept"])
        }
    }

    @Test("A client's Connection field cannot remove what a claim set", arguments: ["X-Roles, X-User", "close, x-user", "x-roles"])
    func nominated(_ names: String) throws {
        try Scene.play(main: Self.forward) { scene throws in
            let claims: [String: JSONValue?] = ["https://example.com/claims": .object(["roles": "user"])]
            try scene.get(token: scene.token(claims: claims), fields: ["Connection: \(names)"], expecting: 200)
            let request = try scene.onlyRequest()
            #expect(request.values(of: "X-Roles") == ["user"])
            #expect(request.values(of: "X-User") == ["auth0|alice"])
        }
    }

    @Test("No claim adds a field, ends its line or is cut, in any encoding", arguments: ["auto", "percent", "base64url", "json"])
    func hostileClaims(_ encoding: String) throws {
        let forward = "forward { claim c X-C encoding=\(encoding); }"
        try Scene.play(main: forward) { scene throws in
            let hostile: [JSONValue] = [
                "a\r\nX-Injected: 1", "a\u{0}b", "a\n\nGET /x HTTP/1.1", "é\u{85}\u{2028}", .array(["a\r\nX-Injected: 1"]),
                .object(["a\r\nX-Injected: 1": "b\r\n\r\n"]),
            ]
            let client = try scene.client()
            for claim in hostile {
                try client.get("/", token: scene.token(claims: ["c": claim]))
                #expect(try client.response().status == 200)
            }
            let long = JSONValue.string(String(repeating: "é", count: 50_000))
            try client.get("/long", token: scene.token(claims: ["c": long]))
            let refused = try client.response()
            #expect(refused.status == 401 || refused.status == 431, "\(refused.text)")
            let received = latin1Text(scene.origin.connections[0].bytes)
            #expect(received.components(separatedBy: "\r\nX-C: ").count == hostile.count + 1)
            #expect(!received.contains("\nX-Injected") && !received.contains("\nGET /x") && !received.contains("/long"))
            #expect(received.utf8.allSatisfy { $0 < 0x7F && ($0 >= 0x20 || $0 == 0x0D || $0 == 0x0A) })
        }
    }

    @Test("A head that the claims make too long for the backend is 431, and nothing of it goes upstream")
    func headBytes() throws {
        let main = "proxy_header_max_size 4k; access_log stdout;"
        try Scene.play(main: main) { scene throws in
            let token = scene.token()
            // What the proxy adds is the same for both, but for the digits of nothing: so the edge can be found.
            try scene.get("/measure", token: token, expecting: 200)
            let added = try scene.onlyRequest().head.utf8.count
            let filling = 4096 - added - "X-Filling: \r\n".utf8.count
            let client = try scene.client()
            for (extra, status) in [(0, 200), (1, 431)] {
                let field = "X-Filling: " + String(repeating: "x", count: filling + extra)
                try client.get("/measure", token: token, fields: [field])
                let response = try client.response()
                #expect(response.status == status)
                if status == 431 {
                    #expect(response.text.contains("\"header_too_large\""))
                    #expect(response.text.contains("4096") && response.text.contains("4097"))
                }
            }
            // The connection serves on.
            try client.get("/after", token: token)
            #expect(try client.response().status == 200)
            #expect(scene.origin.requestLines == ["GET /measure HTTP/1.1", "GET /measure HTTP/1.1", "GET /after HTTP/1.1"])
        }
    }

    @Test("authorization strip keeps the token from the backend, and keep does not", arguments: ["strip", "keep"])
    func authorization(_ word: String) throws {
        try Scene.play(main: "authorization \(word);") { scene throws in
            let token = scene.token()
            try scene.get(token: token, expecting: 200)
            let request = try scene.onlyRequest()
            #expect(request.values(of: "Authorization") == (word == "keep" ? ["Bearer \(token)"] : []))
            #expect(request.head.contains(token) == (word == "keep"))
            #expect(request["X-Auth-Subject"] == "auth0|alice")
        }
    }

    @Test("A location asks for more, and tells its backend other things, whatever a token was let in to before")
    func locations() throws {
        let main = """
            forward { claim sub X-User; }
            location /admin { require scope admin; authorization strip; }
            location /teams { forward { claim sub X-Member; claim client_id X-App; } }
            location /open { public; }
            """
        try Scene.play(main: main) { scene throws in
            let reader = scene.token()
            let admin = scene.token(claims: ["scope": "admin"])
            let client = try scene.client()
            func get(_ path: String, _ token: String) throws -> RawMessage {
                let forged = ["X-User: forged", "x_member: forged", "X-App: forged", "X-Auth-Subject: forged"]
                try client.get(path, token: token, fields: forged)
                return try client.response()
            }
            for _ in 0..<2 {
                #expect(try get("/", reader).status == 200)
                let refused = try get("/admin/x", reader)
                #expect(refused.status == 403)
                #expect(refused["WWW-Authenticate"]?.hasSuffix(", scope=\"admin\"") == true)
                #expect(try get("/admin/x", admin).status == 200)
                #expect(try get("/teams", admin).status == 200)
                #expect(try get("/open", "no token at all").status == 200)
            }
            let received = latin1Text(scene.origin.connections[0].bytes)
            let requests = received.components(separatedBy: "\r\n\r\n").dropLast()
            #expect(requests.count == 8)
            #expect(!received.contains("forged"))
            for request in requests {
                let isAdmin = request.hasPrefix("GET /admin/x ")
                let isTeams = request.hasPrefix("GET /teams ")
                let isOpen = request.hasPrefix("GET /open ")
                #expect(request.contains("\r\nX-User: auth0|alice") == (!isTeams && !isOpen), "\(request)")
                #expect(request.contains("\r\nX-Member: auth0|alice\r\nX-App: cli") == isTeams, "\(request)")
                #expect(request.contains("\r\nAuthorization: Bearer ") == !isAdmin, "\(request)")
                #expect(request.contains("\r\nX-Auth-Status: \(isOpen ? "anonymous" : "verified")"), "\(request)")
            }
        }
    }

    @Test("What an issuer's tokens lack is 403, with the scope to ask for, and nothing goes upstream")
    func requirements() throws {
        let block = "require scope read:orders admin; require claim \"https://example.com/claims\" tier equals gold silver;"
        try Scene.play(issuerBlock: block) { scene throws in
            let claims = { (scope: String, tier: String) -> [String: JSONValue?] in
                ["scope": .string(scope), "https://example.com/claims": .object(["tier": .string(tier)])]
            }
            let scopeless = try scene.get(token: scene.token(claims: claims("read:orders", "gold")))
            #expect(scopeless.status == 403)
            #expect(scopeless["Content-Type"] == "application/problem+json")
            #expect(scopeless.text.contains("\"code\":\"insufficient_scope\""))
            let challenge = try #require(scopeless["WWW-Authenticate"])
            #expect(challenge.hasPrefix("Bearer realm=\"antechamber\", error=\"insufficient_scope\", error_description=\""))
            #expect(challenge.hasSuffix(", scope=\"read:orders admin\""))

            let tierless = try scene.get(token: scene.token(claims: claims("admin read:orders", "secret-tier")))
            #expect(tierless.status == 403)
            #expect(tierless.text.contains("\"code\":\"claim_requirement\""))
            // What a claim holds is told to the caller, and to nobody else.
            #expect(!(scene.proxy.child.output + scene.proxy.child.errors).contains("secret-tier"))

            try scene.get("/good", token: scene.token(claims: claims("admin read:orders", "silver")), expecting: 200)
            #expect(scene.origin.requestLines == ["GET /good HTTP/1.1"])
        }
    }
}
