// What an idle connection of the pool does at the very moment when a request comes: never the client's problem.

import Glibc
import Synchronization
import Testing

@Suite("Pooled connections", .scenario)
struct PooledConnectionTests {
    enum Surprise: Sendable, CaseIterable { case strayResponse, reset }

    @Test("A connection that turned bad just before a request is not used for it", arguments: ["GET", "POST"], Surprise.allCases)
    func surprise(method: String, surprise: Surprise) throws {
        let isDue = Mutex(false)
        let stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
        try Scene.play(origin: { connection in
            while try connection.request() != nil {
                try connection.answer("answer of \(connection.index)")
                if connection.index > 0 { continue }
                try eventually("the surprise is due", within: 120) { isDue.withLock { $0 } }
                switch surprise {
                case .strayResponse: try connection.send(stray)
                case .reset: connection.socket.reset()
                }
            }
        }) { scene throws in
            let client = try scene.client()
            let token = scene.token()
            try client.get("/first", token: token)
            #expect(try client.response().text == "answer of 0")
            let upstream = try #require(scene.origin.connections.first)
            let (originPort, proxyPort) = try upstream.ports()

            // The proxy is stopped while both arrive, the request first, so that it learns of them in one go.
            scene.proxy.child.signal(SIGSTOP)
            try eventually("the proxy is stopped") { try scene.proxy.child.isStopped() }
            try client.request(method, "/second", token: token, body: method == "POST" ? "hi" : nil)
            try eventually("the request has arrived") { try client.socket.unreadByPeer() ?? 0 > 0 }
            isDue.withLock { $0 = true }
            try eventually("the surprise has arrived") {
                let end = try KernelQueues.end(at: proxyPort, peer: originPort)
                return surprise == .reset ? end == nil : end?.unread == stray.utf8.count
            }
            scene.proxy.child.signal(SIGCONT)

            let response = try client.response()
            #expect(response.status == 200)
            #expect(response.text == "answer of 1")
            #expect(scene.origin.requestLines == ["GET /first HTTP/1.1", "\(method) /second HTTP/1.1"])
        }
    }
}
