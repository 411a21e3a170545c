// Health checks: a server that says it is not well gets no requests, until it says otherwise.

import Synchronization
import Testing

@Suite("Health checks", .scenario)
struct HealthCheckTests {
    private static let check = "health_check /healthz?deep=1 interval=100ms rise=2 fall=2;"

    /// A server whose health is decided by `status`, and who answers everything else with its name.
    private static func server(_ name: String, health status: @escaping @Sendable () -> String) -> ScriptedOrigin.Script {
        { connection in
            while let request = try connection.request() {
                if request.startLine.contains("/healthz") {
                    try connection.answer(status: status())
                } else {
                    try connection.answer(name)
                }
            }
        }
    }

    private func answer(of scene: Scene, to token: String) throws -> String {
        let response = try scene.get("/orders", token: token)
        #expect(response.status == 200, "\(response.text)")
        return response.text
    }

    @Test("A server whose checks fail gets no requests, and gets them again once they pass")
    func downAndUp() throws {
        let status = Mutex("204 No Content")
        let second = try ScriptedOrigin(Self.server("second") { status.withLock { $0 } })
        defer { second.end() }
        let block = "server \(second.url); " + Self.check
        try Scene.play(upstreamBlock: block, origin: Self.server("first") { "302 Found" }) { scene throws in
            let token = scene.token()
            #expect(try Set((0..<4).map { _ in try answer(of: scene, to: token) }) == ["first", "second"])

            status.withLock { $0 = "503 Service Unavailable" }
            try eventually("it is taken out") {
                scene.proxy.child.errors.contains("127.0.0.1:\(second.port): health checks fail: status 503")
            }
            // The workers hear of it right after the log.
            try eventually("requests go to the other one") {
                try (0..<8).allSatisfy { _ in try answer(of: scene, to: token) == "first" }
            }

            status.withLock { $0 = "200 OK" }
            try eventually("it is back") { try answer(of: scene, to: token) == "second" }
            #expect(scene.proxy.child.errors.contains("127.0.0.1:\(second.port): health checks pass again"))
            #expect(!scene.proxy.child.errors.contains("127.0.0.1:\(scene.origin.port): health"))
        }
    }

    @Test("A check is one plain request on a connection of its own")
    func request() throws {
        try Scene.play(upstreamBlock: Self.check) { scene throws in
            let record = try eventually("a check has come") { scene.origin.connections.first { !$0.bytes.isEmpty } }
            let expected = """
                GET /healthz?deep=1 HTTP/1.1\r
                Host: 127.0.0.1:\(scene.origin.port)\r
                Connection: close\r
                User-Agent: antechamber\r
                \r

                """
            try eventually("it is whole") { latin1Text(record.bytes) == expected }
        }
    }

    @Test("What is not a whole head with 200 to 399 in time has failed", arguments: [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "SSH-2.0-OpenSSH\r\n",
        "",
    ])
    func failures(response: String) throws {
        let second = try ScriptedOrigin { connection in
            _ = try connection.head()
            try connection.send(response)
        }
        defer { second.end() }
        try Scene.play(upstreamBlock: "server \(second.url); " + Self.check) { scene throws in
            try eventually("it is taken out") {
                scene.proxy.child.errors.contains("127.0.0.1:\(second.port): health checks fail: ")
            }
        }
    }

    @Test("A check that is not answered in time, or not connected, has failed")
    func silence() throws {
        let silent = try ScriptedOrigin { $0.waitForClose() }
        defer { silent.end() }
        let closed = try ScriptedOrigin(isOpen: false)
        let block = "server \(silent.url); server \(closed.url); " + Self.check
        try Scene.play(upstreamBlock: block) { scene throws in
            try eventually("both are taken out") {
                let log = scene.proxy.child.errors
                return log.contains("127.0.0.1:\(silent.port): health checks fail: timed out")
                    && log.contains("127.0.0.1:\(closed.port): health checks fail: Connection refused")
            }
        }
    }

    @Test("Where the checks speak against every server, requests are tried all the same")
    func allUnhealthy() throws {
        try Scene.play(upstreamBlock: Self.check, origin: Self.server("first") { "500 Broken" }) { scene throws in
            try eventually("it is taken out") { scene.proxy.child.errors.contains("health checks fail: status 500") }
            #expect(try answer(of: scene, to: scene.token()) == "first")
        }
    }
}
