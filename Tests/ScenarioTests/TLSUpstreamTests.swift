// Backends that speak TLS: whom they have to be, and that HTTP within is as it is in clear. The backend is Node.

import CertificateFixtures
import Foundation
import Testing

@Suite("TLS to upstreams", .scenario)
struct TLSUpstreamTests {
    /// Plays with Node as the backend.
    ///
    /// - Parameters:
    ///   - host: as the upstream's URL has it.
    ///   - block: what stands in its block; nil: `tls_ca`.
    private func play(
        _ certificate: Result<TestCertificate, any Error> = TLSScene.server, host: String = "127.0.0.1", block: String? = nil,
        main: String = "", _ scenario: (Scene, NodeHTTPS) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let node = try NodeHTTPS(certificate.get(), in: folder)
            let block = try block ?? "tls_ca \(TLSScene.authority.get().certificate.file);"
            try Scene.play(main: main, upstreamBlock: block, upstream: "https://\(host):\(node.port)") { scene in
                try scenario(scene, node)
            }
            node.child.kill()
        }
    }

    private func seen(_ scene: Scene, _ client: RawClient, _ path: String = "/") throws -> NodeHTTPS.Seen {
        try client.get(path, token: scene.token())
        let response = try client.response()
        #expect(response.status == 200, "\(response.text)\n\(scene.proxy.child.errors)")
        return try JSONDecoder().decode(NodeHTTPS.Seen.self, from: Data(response.body))
    }

    @Test("Requests go by one connection after each other, and a new one takes up the session", arguments: ["127.0.0.1", "localhost"])
    func served(_ host: String) throws {
        try play(host: host) { scene, node throws in
            let client = try scene.client()
            let requests = try (1...3).map { try seen(scene, client, "/\($0)") }
            #expect(requests.map(\.connection) == [0, 0, 0])
            #expect(requests.map(\.url) == ["/1", "/2", "/3"])
            #expect(requests[0].name == (host == "localhost" ? "localhost" : ""))
            #expect(requests[0].host == "api.example.com")
            #expect(requests[0].protocolName == "http/1.1")
            #expect(requests[0].version == "TLSv1.3")
            #expect(!requests[0].resumed)
            // Two at once need a second connection.
            let other = try scene.client()
            try client.request("POST", "/echo", token: scene.token(), fields: ["Content-Length: 3"])
            try client.send("ab")
            let second = try eventually("the second connection is there") {
                let second = try seen(scene, other)
                return second.connection == 1 ? second : nil
            }
            #expect(second.resumed)
            try client.send("c")
            #expect(try client.response().text.hasSuffix("abc"))
        }
    }

    @Test("A server that does not prove to be who it should gets no request", arguments: [
        ("localhost", "tls_ca", "hostname mismatch"), ("127.0.0.1", "tls_ca", "IP address mismatch"),
        ("127.0.0.1", "tls_server_name other.example; tls_ca", "hostname mismatch"),
        ("127.0.0.1", "", "unable to get local issuer certificate"),
    ])
    func unproved(_ host: String, _ block: String, _ reason: String) throws {
        let certificate = Result { try TLSScene.authority.get().issue("/CN=localhost", names: ["DNS:api.internal", "IP:127.0.0.2"]) }
        let authority = try TLSScene.authority.get().certificate.file
        try play(certificate, host: host, block: block.isEmpty ? "" : "\(block) \(authority);") { scene, node throws in
            let response = try scene.get(token: scene.token())
            #expect(response.status == 502)
            #expect(response.text.contains("upstream_unreachable"))
            try eventually("the log says why") {
                scene.proxy.child.errors.contains("no connection: certificate verify failed: \(reason)")
            }
        }
    }

    @Test("tls_server_name is who it has to be, and tls_verify off asks nobody", arguments: [
        "tls_server_name api.internal; tls_ca", "tls_server_name 127.0.0.2; tls_ca", "tls_verify off; tls_ca",
    ])
    func named(_ block: String) throws {
        let certificate = Result { try TLSScene.authority.get().issue("/CN=x", names: ["DNS:api.internal", "IP:127.0.0.2"]) }
        let authority = try TLSScene.authority.get().certificate.file
        try play(certificate, block: "\(block) \(authority);") { scene, node throws in
            let request = try seen(scene, scene.client())
            #expect(request.name == (block.hasPrefix("tls_server_name api") ? "api.internal" : ""))
            #expect(scene.proxy.child.errors.contains("need not prove who they are") == block.hasPrefix("tls_verify"))
        }
    }

    @Test("An expired certificate is not believed")
    func expired() throws {
        let certificate = Result { try TLSScene.authority.get().issue(validity: .past) }
        try play(certificate) { scene, node throws in
            try scene.get(token: scene.token(), expecting: 502)
            try eventually("the log says why") {
                scene.proxy.child.errors.contains("certificate verify failed: certificate has expired")
            }
        }
    }

    @Test("A backend in clear where TLS is due is unreachable, and the log says so")
    func inClear() throws {
        try withTemporaryFolder { folder in
            let origin = try ScriptedOrigin()
            defer { origin.end() }
            let block = try "tls_ca \(TLSScene.authority.get().certificate.file);"
            // It takes the hello for the beginning of a request, and waits for its end.
            origin.follow { connection in try connection.send("HTTP/1.1 400 Bad Request\r\n\r\n") }
            try Scene.play(upstreamBlock: block, upstream: "https://127.0.0.1:\(origin.port)") { scene throws in
                try scene.get(token: scene.token(), expecting: 502)
                try eventually("the log says why") { scene.proxy.child.errors.contains("does it speak TLS?") }
                #expect(!origin.received.contains("GET /"))
            }
        }
    }

    @Test("A body that ends with the connection is whole with close_notify, and cut without")
    func endOfBody() throws {
        try play { scene, node throws in
            let whole = try scene.client()
            try whole.get("/end", token: scene.token())
            #expect(try whole.response().text.hasSuffix("half of it"))
            let cut = try scene.client()
            try cut.send("GET /cut HTTP/1.0\r\nAuthorization: Bearer \(scene.token())\r\n\r\n")
            #expect(throws: SocketReset.self) {
                while try !cut.socket.receive().isEmpty {}
            }
            try eventually("the log says why") {
                scene.proxy.child.errors.contains("response cut short: the connection ended without TLS's close_notify")
                    && scene.proxy.child.output.contains("\"code\":\"upstream_invalid_response\"")
            }
        }
    }

    @Test("Long bodies pass both ways unchanged")
    func longBodies() throws {
        try play { scene, node throws in
            let body = String(repeating: "0123456789abcdef", count: 400_000)
            for _ in 0..<2 {
                // The answer begins before the request ends, and so ends the connection.
                let client = try scene.client()
                try client.request("POST", "/echo", token: scene.token(), body: body)
                #expect(try client.response().body == Array(body.utf8))
            }
        }
    }

    @Test("Health checks speak TLS, and believe whom requests do")
    func healthChecks() throws {
        let check = "health_check /health interval=100ms rise=1 fall=1;"
        let authority = try TLSScene.authority.get().certificate.file
        try play(block: "tls_ca \(authority); \(check)", main: Scene.adminLine) { scene, node throws in
            try eventually("it is ready") {
                try scene.admin("/readyz").status == 200
            }
        }
        try play(block: "tls_ca \(authority); tls_server_name other.example; \(check)") { scene, node throws in
            try eventually("the log says why") {
                scene.proxy.child.errors.contains("health checks fail: certificate verify failed: hostname mismatch")
            }
        }
    }

    @Test("TLS on both sides")
    func bothSides() throws {
        try withTemporaryFolder { folder in
            let node = try NodeHTTPS(TLSScene.server.get(), in: folder)
            let block = try "tls_ca \(TLSScene.authority.get().certificate.file);"
            try Scene.play(
                upstreamBlock: block, listen: "tls", listenBlock: TLSScene.block(), upstream: "https://127.0.0.1:\(node.port)"
            ) { scene throws in
                let outcome = try scene.tls([.handshake, .send(scene.getText("/1")), .response, .send(scene.getText("/2")), .response])[0]
                #expect(outcome.statuses == [200, 200])
                #expect(outcome.responses.last?.contains("\"connection\":0") == true)
            }
            node.child.kill()
        }
    }
}
