// Callers that send more than they may.

import Foundation
import Testing

@Suite("Rate limits", .scenario)
struct RateLimitTests {
    /// Sends so many GETs and counts those that were admitted; all others have to be refused for their number.
    private func admitted(_ scene: Scene, _ count: Int, path: String = "/", token: String?, fields: [String] = []) throws -> Int {
        var admitted = 0
        for _ in 0..<count {
            let response = try scene.get(path, token: token, fields: fields)
            if response.status == 200 { admitted += 1 } else { #expect(response.status == 429, "\(response.text)") }
        }
        return admitted
    }

    @Test("Beyond the burst a subject is refused, told when to come back, and nothing of it reaches the backend", arguments: [1, 3])
    func subject(workers: Int) throws {
        try Scene.play(main: "limit_requests subject rate=1r/m burst=4; \(Scene.adminLine)", workers: workers) { scene throws in
            let token = scene.token()
            // Whatever worker each connection gets to, and whichever token of the subject it is.
            #expect(try admitted(scene, 3, token: token) + admitted(scene, 3, token: scene.token(claims: ["jti": "2"])) == 4)
            let refused = try scene.get(token: token)
            #expect(refused.status == 429)
            #expect(refused["Retry-After"].flatMap { Int($0) }.map { (50...60).contains($0) } == true)
            #expect(refused["RateLimit-Policy"] == "\"subject\";q=4;w=240")
            #expect(refused["RateLimit"] == refused["Retry-After"].map { "\"subject\";r=0;t=\($0)" })
            #expect(refused.text.contains("\"code\":\"rate_limited\""))
            #expect(try admitted(scene, 1, token: scene.token(subject: "auth0|bob")) == 1)
            #expect(scene.origin.requestLines.count == 5)
            let metrics = try scene.metrics()
            #expect(metrics["antechamber_refusals_total{code=\"rate_limited\",issuer=\"\(scene.issuer.identifier)\"}"] == 3)
        }
    }

    @Test("Each limit tells how many callers it remembers and has refused, by where it stands", arguments: [1, 3])
    func figures(workers: Int) throws {
        let main = """
            limit_requests subject rate=1r/m burst=2;
            location /a { limit_requests client rate=90r/m burst=1; limit_requests client rate=90r/m burst=1; }
            location /b { }
            \(Scene.adminLine)
            """
        try Scene.play(main: main, workers: workers) { scene throws in
            let bob = scene.token(subject: "auth0|bob")
            #expect(try admitted(scene, 4, path: "/b", token: scene.token()) == 2)
            #expect(try admitted(scene, 1, token: bob) == 1)
            #expect(try admitted(scene, 2, path: "/a", token: bob) == 1)
            let metrics = try scene.metrics()
            func sample(_ name: String, _ labels: String) -> Int? { metrics["antechamber_rate_limit_\(name){\(labels)}"] }
            let top = "route=\"main\",limit=\"subject rate=1r/m burst=2\""
            let own = "route=\"/a\",limit=\"client rate=90r/m burst=1\""
            #expect(sample("callers", top) == 2)
            #expect(sample("refusals_total", top) == 2)
            #expect(sample("evictions_total", top) == 0)
            #expect(sample("refusals_total", own) == 1)
            #expect(metrics.keys.filter { $0.hasPrefix("antechamber_rate_limit_") }.count == 6)
            let limits = try scene.statusDocument()["rate_limits"] as? [[String: Any]] ?? []
            #expect(limits.map { $0["route"] as? String } == ["main", "/a"])
            #expect(limits.map { $0["limit"] as? String } == ["subject rate=1r/m burst=2", "client rate=90r/m burst=1"])
            #expect(limits.first?["callers"] as? Int == 2)
            #expect(limits.map { $0["refusals"] as? Int } == [2, 1])
            #expect(limits.map { $0["evictions"] as? Int } == [0, 0])
        }
    }

    @Test("A connection goes on after a refusal, and its body is none of the next request")
    func connectionGoesOn() throws {
        try Scene.play(main: "limit_requests subject rate=1r/m burst=1;") { scene throws in
            let client = try scene.client()
            for status in [200, 429, 429] {
                try client.request("POST", "/", token: scene.token(), body: status == 200 ? "ok" : "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.response().status == status)
            }
            #expect(scene.origin.requestLines == ["POST / HTTP/1.1"])
        }
    }

    @Test("An address is limited before its tokens are looked at, and counts by a trusted proxy's word")
    func address() throws {
        let main = "trusted_proxies 127.0.0.1; limit_requests address rate=1r/m burst=2; \(Scene.adminLine)"
        try Scene.play(main: main) { scene throws in
            func from(_ address: String) -> [String] { ["X-Forwarded-For: \(address)"] }
            let forged = scene.token(from: try TokenMint())
            try scene.get(token: scene.token(), fields: from("192.0.2.1"), expecting: 200)
            try scene.get(token: forged, fields: from("192.0.2.1"), expecting: 401)
            let before = try scene.metrics()["antechamber_signature_verifications_total{alg=\"ES256\"}"]
            for _ in 0..<3 { try scene.get(token: forged, fields: from("192.0.2.1"), expecting: 429) }
            #expect(try scene.metrics()["antechamber_signature_verifications_total{alg=\"ES256\"}"] == before)
            try scene.get(token: scene.token(), fields: from("192.0.2.2"), expecting: 200)
            // The rest of an IPv6 address is the site's own to choose.
            try scene.get(token: scene.token(), fields: from("2001:db8::1"), expecting: 200)
            try scene.get(token: scene.token(), fields: from("2001:db8::2"), expecting: 200)
            try scene.get(token: scene.token(), fields: from("2001:db8::3"), expecting: 429)
        }
    }

    @Test("A location counts for itself, or not at all; without a token it is the address that counts")
    func locations() throws {
        let main = """
            limit_requests subject rate=1r/m burst=2;
            location /search { limit_requests client rate=1r/m burst=1; limit_requests address rate=1r/m burst=3; }
            location /health { public; limit_requests off; }
            location /open { public; }
            location /also { }
            """
        try Scene.play(main: main) { scene throws in
            let token = scene.token()
            #expect(try admitted(scene, 2, path: "/search", token: token) == 1)
            #expect(try admitted(scene, 2, path: "/search", token: scene.token(claims: ["client_id": "web"])) == 1)
            // What is inherited counts together with where it is from.
            #expect(try admitted(scene, 1, path: "/also", token: token) + admitted(scene, 2, token: token) == 2)
            #expect(try admitted(scene, 10, path: "/health", token: nil) == 10)
            #expect(try admitted(scene, 3, path: "/open", token: nil) == 2)
        }
    }

    @Test("What would only be reported for its token is refused for its number")
    func reportOnly() throws {
        try Scene.play(main: "enforce report_only; limit_requests subject rate=1r/m burst=1;") { scene throws in
            let forged = scene.token(from: try TokenMint())
            #expect(try admitted(scene, 3, token: forged) == 1)
            #expect(try admitted(scene, 3, token: scene.token()) == 1)
        }
    }

    @Test("A reload keeps the count of a limit that stays, and a limit that changes counts anew")
    func reload() throws {
        let limits = "limit_requests subject rate=1r/m burst=2; location /b { limit_requests client rate=1r/m burst=1; }"
        try Scene.play(main: limits) { scene throws in
            let token = scene.token()
            #expect(try admitted(scene, 2, token: token) == 2)
            #expect(try admitted(scene, 2, path: "/b", token: token) == 1)
            #expect(try scene.reload("client rate=1r/m burst=1", "client rate=1r/m burst=2"))
            #expect(try admitted(scene, 1, token: token) == 0)
            #expect(try admitted(scene, 3, path: "/b", token: token) == 2)
            // Places shift: another one comes in front, and a location of the same limit in between.
            #expect(try scene.reload("limit_requests subject", "limit_requests address rate=9r/s; limit_requests subject"))
            #expect(try scene.reload("location /b", "location /a { limit_requests subject rate=1r/m burst=2; } location /b"))
            #expect(try admitted(scene, 1, token: token) == 0)
            #expect(try admitted(scene, 2, path: "/a", token: token) == 2)
            #expect(try admitted(scene, 1, path: "/b", token: token) == 0)
        }
    }

    @Test("Who waits is served again")
    func refill() throws {
        try Scene.play(main: "limit_requests subject rate=1r/s burst=1;") { scene throws in
            let token = scene.token()
            try scene.get(token: token, expecting: 200)
            try eventually("a request is admitted again") { try scene.get(token: token).status == 200 }
        }
    }
}
