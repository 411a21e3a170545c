// What the backend learns of the caller, and what a caller cannot make it believe.

import Foundation
import Testing

@Suite("Identity headers", .scenario)
struct IdentityHeaderTests {
    @Test("A good token passes, and the backend is told who calls")
    func goodToken() throws {
        try Scene.play { scene throws in
            let expiry = 4_000_000_000
            let token = scene.token(claims: ["exp": .number(expiry)])
            let response = try scene.get("/orders?page=2", token: token)
            #expect(response.status == 200)
            #expect(response.text == "ok")

            let request = try scene.onlyRequest()
            #expect(request.startLine == "GET /orders?page=2 HTTP/1.1")
            #expect(request.values(of: "Host") == ["api.example.com"])
            #expect(request.values(of: "X-Auth-Subject") == ["auth0%7Calice"] || request["X-Auth-Subject"] == "auth0|alice")
            #expect(request.values(of: "X-Auth-Issuer") == [scene.issuer.identifier])
            #expect(request.values(of: "X-Auth-Audience") == [Scene.audience])
            #expect(request.values(of: "X-Auth-Client") == ["cli"])
            #expect(request.values(of: "X-Auth-Scope") == ["read:orders write:orders"])
            #expect(request.values(of: "X-Auth-Expires") == ["\(expiry)"])
            #expect(request.values(of: "X-Auth-Status") == ["verified"])
        }
    }

    @Test("The token itself is kept, for a backend that reads it too")
    func authorizationIsKept() throws {
        try Scene.play { scene throws in
            let token = scene.token()
            try scene.get(token: token, expecting: 200)
            #expect(try scene.onlyRequest().values(of: "Authorization") == ["Bearer \(token)"])
        }
    }

    @Test("What a client calls X-Auth-… never arrives, however it is spelled", arguments: [
        "X-Auth-Subject", "x-auth-subject", "X-AUTH-SUBJECT", "X_Auth_Subject", "x.auth.subject", "X-Auth_Subject",
        "XAuthSubject", "X-Auth-Anything-Else", "x!auth~status",
    ])
    func clientSentIdentity(_ name: String) throws {
        try Scene.play { scene throws in
            let fields = ["\(name): mallory", "\(name): mallory-too", "X-Other: kept"]
            try scene.get(token: scene.token(), fields: fields, expecting: 200)
            let request = try scene.onlyRequest()
            #expect(!request.head.contains("mallory"))
            #expect(request.values(of: "X-Other") == ["kept"])
            #expect(request.values(of: "X-Auth-Subject").count == 1)
        }
    }

    @Test("A field of a claim the token lacks is removed all the same")
    func absentClaim() throws {
        try Scene.play { scene throws in
            let token = scene.token(claims: ["scope": nil])
            try scene.get(token: token, fields: ["X-Auth-Scope: admin"], expecting: 200)
            #expect(try scene.onlyRequest().values(of: "X-Auth-Scope") == [])
        }
    }

    @Test("A client's Connection field cannot remove what the proxy sets", arguments: [
        "Connection: X-Auth-Subject", "Connection: close, x-auth-subject, X-Auth-Status",
        "Connection: X-Forwarded-For, forwarded, X-Request-Id, traceparent",
    ])
    func connectionNominated(_ field: String) throws {
        try Scene.play { scene throws in
            try scene.get(token: scene.token(), fields: [field], expecting: 200)
            let request = try scene.onlyRequest()
            #expect(request.values(of: "X-Auth-Subject").count == 1)
            #expect(request.values(of: "X-Auth-Status") == ["verified"])
            for name in ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Request-Id", "traceparent"] {
                #expect(request.values(of: name).count == 1, "\(name)")
            }
        }
    }

    @Test("What a client sends of identity does not arrive as a trailer either", arguments: ["X-Auth-Subject", "x_auth_subject", "X-Forwarded-For"])
    func trailers(_ name: String) throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            let fields = ["Transfer-Encoding: chunked", "Trailer: \(name)"]
            try client.request("POST", "/", token: scene.token(), fields: fields)
            try client.send("2\r\nok\r\n0\r\n\(name): mallory\r\n\r\n")
            #expect(try client.response().status == 200)
            #expect(!scene.origin.received.contains("mallory"))
        }
    }

    @Test("Fields of one hop stay on their hop")
    func hopByHop() throws {
        try Scene.play { scene throws in
            let fields = [
                "Connection: keep-alive, X-Secret", "X-Secret: mine", "Keep-Alive: timeout=5", "Proxy-Connection: x",
                "TE: gzip", "Proxy-Authorization: Basic eA==", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP",
            ]
            try scene.get(token: scene.token(), fields: fields, expecting: 200)
            let request = try scene.onlyRequest()
            for name in ["X-Secret", "Keep-Alive", "Proxy-Connection", "TE", "Proxy-Authorization", "Upgrade"] {
                #expect(request.values(of: name) == [], "\(name) went upstream")
            }
        }
    }

    @Test("No claim can put a second field, or a line end, into a header")
    func claimWithLineEnd() throws {
        try Scene.play { scene throws in
            let subject = "a\r\nX-Auth-Scope: admin\u{0} é%"
            try scene.get(token: scene.token(subject: subject), expecting: 200)
            let request = try scene.onlyRequest()
            let value = try #require(request["X-Auth-Subject"])
            #expect(value.removingPercentEncoding == subject)
            #expect(value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f })
            #expect(request.values(of: "X-Auth-Scope") == ["read:orders write:orders"])
        }
    }
}
