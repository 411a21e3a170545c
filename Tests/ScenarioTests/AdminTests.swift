// The admin address: whether the proxy is alive and ready, over HTTP that cannot be made to hurt it.

import Foundation
import Glibc
import Synchronization
import Testing

@Suite("The admin address", .scenario)
struct AdminTests {
    private static func missing(_ response: RawMessage) throws -> [[String: String]] {
        let object = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
        return object?["missing"] as? [[String: String]] ?? []
    }

    @Test("It is ready once the issuer's keys are there, and says before what is missing")
    func keys() throws {
        try Scene.play(main: Scene.adminLine, issuerStartsDown: true) { scene throws in
            let before = try eventually("the first attempt has failed") {
                let response = try scene.admin("/readyz")
                return response.text.contains("not fetched yet") ? nil : response
            }
            #expect(before.status == 503)
            let missing = try Self.missing(before)
            #expect(missing.count == 1 && missing.first?["what"] == "keys")
            #expect(missing.first?["issuer"] == scene.issuer.identifier)
            #expect(missing.first?["reason"]?.contains("refused") == true, "\(before.text)")
            #expect(try scene.admin("/healthz").status == 200)

            try scene.issuer.comeUp()
            let after = try eventually("it is ready") {
                let response = try scene.admin("/readyz")
                return response.status == 200 ? response : nil
            }
            #expect(after.text == "{\"ready\":true,\"missing\":[]}\n")
        }
    }

    @Test("Until a health check has passed it is not ready, though requests are tried")
    func unanswered() throws {
        let check = "health_check /healthz interval=1h rise=1 fall=3;"
        try Scene.play(main: Scene.adminLine, upstreamBlock: check, origin: { connection in
            while let request = try connection.request() {
                // One check that fails, after five seconds, is not enough for a server to count as down.
                if !request.startLine.contains("/healthz") { try connection.answer("served") }
            }
        }) { scene throws in
            try eventually("a check is under way") { scene.origin.received.contains("/healthz") }
            try scene.get(token: scene.token(), expecting: 200)
            let response = try scene.admin("/readyz")
            #expect(response.status == 503)
            #expect(try Self.missing(response).map { $0["what"] } == ["upstream"])
        }
    }

    @Test("With health checks it is ready while one server passes them")
    func servers() throws {
        let status = Mutex("503 Not Yet")
        let check = "health_check /healthz interval=100ms rise=1 fall=1;"
        try Scene.play(main: Scene.adminLine, upstreamBlock: check, origin: { connection in
            while let request = try connection.request() {
                try connection.answer(status: request.startLine.contains("/healthz") ? status.withLock { $0 } : "200 OK")
            }
        }) { scene throws in
            try eventually("keys are there, a server is not") {
                try Self.missing(scene.admin("/readyz")).map { $0["what"] } == ["upstream"]
            }
            status.withLock { $0 = "200 OK" }
            try eventually("it is ready") { try scene.admin("/readyz").status == 200 }
            status.withLock { $0 = "500 Broken" }
            try eventually("it is not ready any more") { try scene.admin("/readyz").status == 503 }
            #expect(try scene.admin("/healthz").status == 200)
        }
    }

    @Test("Draining, it is not ready at once, alive to the end, and still shows its metrics")
    func drain() throws {
        let mayAnswer = Mutex(false)
        try Scene.play(main: Scene.adminLine + " shutdown_timeout 10m;", origin: { connection in
            _ = try connection.request()
            try eventually("the origin may answer", within: 120) { mayAnswer.withLock { $0 } }
            try connection.answer("finished")
        }) { scene throws in
            try eventually("it is ready") { try scene.admin("/readyz").status == 200 }
            let busy = try scene.client()
            try busy.get("/slow", token: scene.token())
            try eventually("the request is upstream") { scene.origin.received.contains("/slow") }
            scene.proxy.child.signal(SIGTERM)
            try eventually("it is not ready") { try scene.admin("/readyz").status == 503 }
            #expect(try Self.missing(scene.admin("/readyz")).map { $0["what"] } == ["draining"])
            #expect(try scene.admin("/healthz").status == 200)
            #expect(try scene.metrics()["antechamber_connections{side=\"client\",state=\"active\"}"] == 1)
            #expect(try scene.statusDocument()["draining"] as? Bool == true)
            mayAnswer.withLock { $0 = true }
            #expect(try busy.response().text == "finished")
            let ending = try scene.proxy.child.waitForEnd()
            #expect(ending == .exited(0))
        }
    }

    @Test("Every page is for GET and HEAD, is not to be stored, and ends its connection", arguments: [
        ("/", "text/html; charset=utf-8"), ("/healthz", "text/plain; charset=utf-8"), ("/readyz", "application/json"), ("/status", "application/json"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"), ("/metrics?since=1", "text/plain; version=0.0.4; charset=utf-8"),
    ])
    func pages(path: String, type: String) throws {
        try Scene.play(main: Scene.adminLine) { scene throws in
            try eventually("it is ready") { try scene.admin("/readyz").status == 200 }
            let client = try scene.adminClient()
            try client.get(path)
            let page = try client.response()
            #expect(page.status == 200)
            #expect(page["Content-Type"] == type)
            #expect(page["Cache-Control"] == "no-store")
            #expect(page["X-Content-Type-Options"] == "nosniff")
            #expect(page["Connection"] == "close")
            #expect(page["Date"] != nil)
            #expect(try client.isClosedByProxy())

            let head = try scene.adminClient()
            try head.request("HEAD", path)
            let bare = try head.response(toHead: true)
            #expect(bare.status == 200)
            #expect(bare["Content-Type"] == type)
            #expect(Int(bare["Content-Length"] ?? "") ?? 0 > 0)
            #expect(try head.isClosedByProxy())

            let post = try scene.adminClient()
            try post.request("POST", path, body: "x")
            let refused = try post.response()
            #expect(refused.status == 405)
            #expect(refused["Allow"] == "GET, HEAD")
        }
    }

    @Test("What is no page, or no request, gets its status", arguments: [
        ("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("POST /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /healthz/ HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /HEALTHZ HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
        ("GET http://x/healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        ("GET /healthz HTTP/1.1\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\nHost: x\n\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("TRACE /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        ("GET /healthz HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "a", count: 9000))\r\n\r\n", 431),
        ("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", 200),
    ])
    func requests(request: String, status: Int) throws {
        try Scene.play(main: Scene.adminLine) { scene throws in
            let client = try scene.adminClient()
            try client.send(request)
            #expect(try client.response().status == status)
        }
    }

    @Test("A name that a web site could have made lead here gets no page, unless it is configured")
    func hosts() throws {
        try Scene.play(main: "admin 127.0.0.1:0 host=status.example.com host=Two.Example;") { scene throws in
            func status(_ path: String, by host: String) throws -> Int {
                let client = try scene.adminClient()
                client.host = host
                try client.get(path)
                return try client.response().status
            }
            for host in [
                "127.0.0.1", "127.0.0.1:80", "[::1]:9090", "10.0.0.7", "[fd00::1]", "localhost:9090", "LOCALHOST", "",
                "a.localhost", "antechamber", "antechamber.prod.svc.cluster.local:9090", "vm7.internal",
                "status.example.com", "Status.Example.com:9090", "two.example",
            ] {
                #expect(try status("/healthz", by: host) == 200, "\(host)")
            }
            for host in [
                "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:9090", "evil.example.", "010.0.0.1",
                "x.status.example.com", "status.example.com.evil.example", "notlocal.notinternal", "local.evil",
            ] {
                for path in ["/", "/healthz", "/readyz", "/metrics", "/status", "/migration", "/nothing"] {
                    #expect(try status(path, by: host) == 421, "\(host)")
                }
            }
        }
    }

    @Test("A request that comes byte by byte is one request")
    func slowHead() throws {
        try Scene.play(main: Scene.adminLine) { scene throws in
            let client = try scene.adminClient()
            for byte in "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".utf8 { try client.send([byte]) }
            #expect(try client.response().text == "ok\n")
        }
    }

    @Test("Clients that only connect, send half a head or never read keep nobody out, and disturb no request")
    func slowClients() throws {
        try Scene.play(main: Scene.adminLine) { scene throws in
            let token = scene.token()
            // More than there is room for, of each kind.
            var idlers: [RawClient] = []
            for index in 0..<150 {
                let client = try scene.adminClient()
                switch index % 3 {
                case 0: break
                case 1: try client.send("GET /healthz HTTP/1.1\r\nHo")
                default: try client.get("/metrics")
                }
                idlers.append(client)
                if index % 10 == 0 { try scene.get(token: token, expecting: 200) }
            }
            for path in ["/", "/healthz", "/readyz", "/metrics", "/status"] {
                #expect(try scene.admin(path).status == 200, "\(path)")
            }
            withExtendedLifetime(idlers) {}
        }
    }

    @Test("A client that is gone before its answer is no loss")
    func goneClients() throws {
        try Scene.play(main: Scene.adminLine) { scene throws in
            for _ in 0..<50 {
                let client = try scene.adminClient()
                try client.get("/status")
                client.socket.reset()
            }
            #expect(try scene.admin("/healthz").status == 200)
        }
    }

    @Test("It can be a socket file, which is there when the proxy says that it listens, and goes with it")
    func unixSocket() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "admin.sock").path
            try Scene.play(main: "admin unix:\(path);") { scene throws in
                let client = RawClient(try Socket.connect(toPath: path))
                client.host = "localhost"
                try client.get("/healthz")
                #expect(try client.response().text == "ok\n")
                try eventually("it says so") { scene.proxy.child.errors.contains("admin on unix:\(path)") }
                scene.proxy.child.signal(SIGTERM)
                let ending = try scene.proxy.child.waitForEnd()
                #expect(ending == .exited(0))
                #expect(!FileManager.default.fileExists(atPath: path))
            }
        }
    }

    @Test("An admin address that is taken keeps the proxy from starting, and is named")
    func taken() throws {
        try withTemporaryFolder { folder in
            let holder = try Socket.boundToLoopback()
            try holder.startListening()
            let configuration = """
                listen 127.0.0.1:0;
                admin 127.0.0.1:\(try holder.port());
                upstream http://127.0.0.1:9;
                issuer http://127.0.0.1:9/ { audience a; }
                """
            let file = folder.appending(path: "proxy.conf")
            try configuration.write(to: file, atomically: true, encoding: .utf8)
            let result = try ProxyProcess.finish(["run", "--config", file.path], in: folder)
            #expect(result.ending == .exited(1))
            #expect(result.errors.contains("cannot listen on 127.0.0.1:\(try holder.port()): Address already in use"))
        }
    }
}
