// Several servers behind one proxy: who gets which request, and what becomes of one whose server is not there.

import Foundation
import Synchronization
import Testing

@Suite("Several servers", .scenario)
struct UpstreamGroupTests {
    private static func named(_ name: String) -> ScriptedOrigin.Script {
        { connection in
            while try connection.request() != nil { try connection.answer(name) }
        }
    }

    /// Takes each request, and ends the connection without an answer.
    private static let dying: ScriptedOrigin.Script = { _ = try $0.request() }

    /// The answers to so many requests, one after the other.
    private func answers(_ count: Int, of scene: Scene, method: String = "GET") throws -> [String] {
        let client = try scene.client()
        let token = scene.token()
        return try (0..<count).map { _ in
            try client.request(method, token: token, body: method == "POST" ? "hello" : nil)
            let response = try client.response()
            #expect(response.status == 200, "\(response.text)")
            return response.text
        }
    }

    @Test("Requests are spread by weight, each server's over one kept connection")
    func weights() throws {
        let second = try ScriptedOrigin(Self.named("second"))
        defer { second.end() }
        let block = "server \(second.url) weight=2;"
        try Scene.play(upstreamBlock: block, origin: Self.named("first")) { scene throws in
            let served = try answers(9, of: scene)
            #expect(served.count { $0 == "first" } == 3)
            #expect(served.count { $0 == "second" } == 6)
            #expect(scene.origin.connections.count == 1)
            #expect(second.connections.count == 1)
        }
    }

    @Test("A server that refuses connections costs no request and one line in the log, and is used again once it is back")
    func deadAndBack() throws {
        let dead = try ScriptedOrigin(isOpen: false, Self.named("back"))
        defer { dead.end() }
        let block = "server \(dead.url);"
        try Scene.play(main: "access_log off;", upstreamBlock: block, origin: Self.named("first")) { scene throws in
            for method in ["GET", "POST"] {
                #expect(try answers(4, of: scene, method: method).allSatisfy { $0 == "first" })
            }
            try dead.open()
            // Nobody knows that it is back before it is tried again, a while after it failed.
            let token = scene.token()
            try eventually("it gets requests again") { try scene.get(token: token).text == "back" }
            #expect(try answers(4, of: scene).count { $0 == "back" } == 2)
            let lines = try eventually("its return is logged") {
                let name = "upstream 127.0.0.1:\(dead.port):"
                let lines = scene.proxy.child.errors.split(separator: "\n").filter { $0.contains(name) }
                return lines.contains { $0.contains("answers again") } ? lines : nil
            }
            #expect(lines.count { $0.contains("no connection: Connection refused; passed over") } == 1, "\(lines)")
            #expect(lines.count { $0.contains("answers again") } == 1, "\(lines)")
        }
    }

    @Test("Where no server is there, each was tried, and is tried by the next request too: 502")
    func allDead() throws {
        let second = try ScriptedOrigin(isOpen: false, Self.named("second"))
        defer { second.end() }
        try Scene.play(upstreamBlock: "server \(second.url);") { scene throws in
            scene.origin.end()
            for _ in 1...3 {
                let response = try scene.get(token: scene.token())
                #expect(response.status == 502)
                #expect(response.text.contains("\"code\":\"upstream_unreachable\""), "\(response.text)")
            }
            try second.open()
            #expect(try answers(3, of: scene) == ["second", "second", "second"])
        }
    }

    @Test("A server that takes no connection in time is followed by the next, and where none does: 504")
    func connectTimeout() throws {
        let full = try FullListener()
        let main = "proxy_connect_timeout 300ms;"
        try Scene.play(main: main, upstreamBlock: "server \(full.url);", origin: Self.named("first")) { scene throws in
            #expect(try answers(3, of: scene) == ["first", "first", "first"])
        }
        let other = try FullListener()
        let block = "server \(full.url);"
        try Scene.play(main: main, upstreamBlock: block, upstream: "127.0.0.1:\(other.port)") { scene throws in
            let response = try scene.get(token: scene.token())
            #expect(response.status == 504)
            #expect(response.text.contains("\"code\":\"upstream_timeout\""), "\(response.text)")
        }
    }

    @Test("A server that dies before a byte of its response: what can be repeated goes to the next server")
    func dyingServer() throws {
        let second = try ScriptedOrigin(Self.named("second"))
        defer { second.end() }
        try Scene.play(upstreamBlock: "server \(second.url);", origin: Self.dying) { scene throws in
            #expect(try answers(4, of: scene) == ["second", "second", "second", "second"])
            #expect(scene.origin.requestLines.count == 1, "it is passed over from then on")
        }
    }

    @Test("A POST that a server has taken is never sent to another one: 502", arguments: [nil, "", "hello"])
    func postIsNotRepeated(body: String?) throws {
        let second = try ScriptedOrigin(Self.named("second"))
        defer { second.end() }
        try Scene.play(upstreamBlock: "server \(second.url);", origin: Self.dying) { scene throws in
            let client = try scene.client()
            try client.request("POST", token: scene.token(), body: body)
            let response = try client.response()
            #expect(response.status == 502)
            #expect(response.text.contains("\"code\":\"upstream_unreachable\""), "\(response.text)")
            #expect(second.received == "")
            #expect(scene.origin.requestLines == ["POST / HTTP/1.1"])
        }
    }

    @Test("A 503 is an answer: it is passed on, and its server goes on getting requests")
    func errorsPass() throws {
        try Scene.play(upstreamBlock: "keepalive 1;", origin: { connection in
            while try connection.request() != nil { try connection.answer(status: "503 Service Unavailable") }
        }) { scene throws in
            for _ in 1...3 { try scene.get(token: scene.token(), expecting: 503) }
            #expect(scene.origin.requestLines.count == 3)
            #expect(!scene.proxy.child.errors.contains("passed over"))
        }
    }

    @Test("Unix sockets stand beside TCP servers, and one whose socket is gone is passed over")
    func unixSockets() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "b.sock").path
            let second = try ScriptedOrigin(unixPath: path, Self.named("unix"))
            defer { second.end() }
            let block = "server \(second.url); server unix:\(folder.path)/nothing.sock;"
            try Scene.play(upstreamBlock: block, origin: Self.named("tcp")) { scene throws in
                let served = try answers(6, of: scene)
                #expect(Set(served) == ["tcp", "unix"])
                #expect(second.received.contains("\r\nHost: api.example.com\r\n"))
                #expect(second.connections.count == 1)
            }
        }
    }

    @Test("An HTTP/1.0 request without Host gets the name of the server that it reaches")
    func fallbackHost() throws {
        let dead = try ScriptedOrigin(isOpen: false)
        let second = try ScriptedOrigin(Self.named("second"))
        defer { second.end() }
        let block = "server \(second.url);"
        try Scene.play(upstreamBlock: block, upstream: "127.0.0.1:\(dead.port)") { scene throws in
            let client = try scene.client()
            try client.send("GET / HTTP/1.0\r\nAuthorization: Bearer \(scene.token())\r\n\r\n")
            #expect(try latin1Text(client.rest()).hasSuffix("second"))
            #expect(second.received.contains("\r\nHost: 127.0.0.1:\(second.port)\r\n"), "\(second.received)")
            #expect(!second.received.contains(":\(dead.port)"))
        }
    }

    @Test("The access log names the server that a request reached")
    func accessLog() throws {
        let dead = try ScriptedOrigin(isOpen: false)
        try Scene.play(upstreamBlock: "server \(dead.url);") { scene throws in
            for _ in 1...3 { try scene.get(token: scene.token(), expecting: 200) }
            try eventually("three lines are written") {
                scene.proxy.child.output.split(separator: "\n")
                    .count { $0.contains("\"upstream\":\"127.0.0.1:\(scene.origin.port)\"") } == 3
            }
        }
    }

    @Test("Least connections: a server that is busy with a slow request gets no other while one is free")
    func leastConnections() throws {
        let second = try ScriptedOrigin(Self.named("second"))
        defer { second.end() }
        let block = "server \(second.url); balance least_connections;"
        let isDone = Mutex(false)
        try Scene.play(upstreamBlock: block, origin: { connection in
            while try connection.request() != nil {
                try eventually("the slow answer is due", within: 120) { isDone.withLock { $0 } }
                try connection.answer("first")
            }
        }) { scene throws in
            let slow = try scene.client()
            try slow.get("/slow", token: scene.token())
            try eventually("the slow one is under way") { scene.origin.requestLines == ["GET /slow HTTP/1.1"] }
            #expect(try answers(5, of: scene) == Array(repeating: "second", count: 5))
            isDone.withLock { $0 = true }
            #expect(try slow.response().text == "first")
            #expect(Set(try answers(4, of: scene)) == ["first", "second"])
        }
    }

    @Test("The bound on idle connections is one for all servers, and the one used last is kept")
    func keepaliveBound() throws {
        let closed = Mutex(0)
        let script: ScriptedOrigin.Script = { connection in
            while try connection.request() != nil { try connection.answer() }
            closed.withLock { $0 += 1 }
        }
        let second = try ScriptedOrigin(script)
        defer { second.end() }
        try Scene.play(upstreamBlock: "server \(second.url); keepalive 1;", origin: script) { scene throws in
            _ = try answers(1, of: scene)
            #expect(closed.withLock { $0 } == 0)
            _ = try answers(1, of: scene)
            try eventually("one of the two is closed") { closed.withLock { $0 } == 1 }
            _ = try answers(2, of: scene)
            try eventually("and again, twice") { closed.withLock { $0 } == 3 }
            #expect(scene.origin.connections.count == 2)
            #expect(second.connections.count == 2)
        }
    }
}

/// Listens, and takes no connection: its queue is full.
private final class FullListener {
    let port: UInt16
    let url: String
    private let listening: Socket
    private let queued: Socket

    init() throws {
        listening = try Socket.boundToLoopback()
        try listening.startListening(backlog: 0)
        port = try listening.port()
        url = "http://127.0.0.1:\(port)"
        queued = try Socket.connect(port: port)
    }
}
