// How the proxy ends: what is in flight is finished, within a bound.

import Glibc
import Synchronization
import Testing

@Suite("Shutdown", .scenario)
struct ShutdownTests {
    @Test("A drain takes no new connection, finishes what is in flight, closes idle ones, and exits 0", arguments: [SIGTERM, SIGINT])
    func drain(_ signal: Int32) throws {
        let mayAnswer = Mutex(false)
        try Scene.play(main: "shutdown_timeout 10m;", origin: { connection in
            while let request = try connection.request() {
                if request.startLine.contains("/slow") {
                    try eventually("the origin may answer", within: 120) { mayAnswer.withLock { $0 } }
                }
                try connection.answer("finished")
            }
        }) { scene throws in
            let token = scene.token()
            let idle = try scene.client()
            try idle.get(token: token)
            #expect(try idle.response().status == 200)
            let busy = try scene.client()
            try busy.get("/slow", token: token)
            try eventually("the request is upstream") { scene.origin.received.contains("/slow") }

            scene.proxy.child.signal(signal)
            #expect(try idle.isClosedByProxy())
            try eventually("new connections are refused") { try scene.refusesConnections() }
            #expect(scene.proxy.child.ended == nil)
            mayAnswer.withLock { $0 = true }
            let response = try busy.response()
            #expect(response.text == "finished")
            #expect(try busy.isClosedByProxy())
            let ending = try scene.proxy.child.waitForEnd()
            #expect(ending == .exited(0))
        }
    }

    @Test("A connection that was new when the drain began gets its first request answered, and no second one")
    func newConnection() throws {
        try Scene.play { scene throws in
            let token = scene.token()
            let new = try scene.client()
            // The proxy accepts in the order in which clients came.
            try scene.get(token: token, expecting: 200)
            scene.proxy.child.signal(SIGTERM)
            try eventually("the drain has begun") { scene.proxy.child.errors.contains("draining") }
            try new.get("/late", token: token)
            let response = try new.response()
            #expect(response.status == 200)
            #expect(response["connection"] == "close")
            #expect(try new.isClosedByProxy())
            let ending = try scene.proxy.child.waitForEnd()
            #expect(ending == .exited(0))
        }
    }

    @Test("A connection on which nothing comes holds a drain up for a moment only")
    func silentConnection() throws {
        try Scene.play(main: "shutdown_timeout 10m; client_header_timeout 10m;") { scene throws in
            let silent = try scene.client()
            try scene.get(token: scene.token(), expecting: 200)
            scene.proxy.child.signal(SIGTERM)
            #expect(try silent.isClosedByProxy())
            let ending = try scene.proxy.child.waitForEnd()
            #expect(ending == .exited(0))
        }
    }

    @Test("A signal is heard as soon as the proxy listens", arguments: [SIGTERM, SIGINT])
    func early(_ signal: Int32) throws {
        for _ in 1...3 {
            try Scene.play { scene throws in
                scene.proxy.child.signal(signal)
                let ending = try scene.proxy.child.waitForEnd()
                #expect(ending == .exited(0))
            }
        }
    }

    @Test("A drain ends at shutdown_timeout, whatever is still in flight")
    func bound() throws {
        try Scene.play(main: "shutdown_timeout 300ms;", origin: { $0.waitForClose() }) { scene throws in
            let client = try scene.client()
            try client.get(token: scene.token())
            try eventually("the request is upstream") { !scene.origin.received.isEmpty }
            scene.proxy.child.signal(SIGTERM)
            let ending = try scene.proxy.child.waitForEnd()
            #expect(ending == .exited(0))
        }
    }

    @Test("A second signal ends it at once, and that is no clean end: 1")
    func second() throws {
        try Scene.play(main: "shutdown_timeout 10m;", ending: .exited(1), origin: { $0.waitForClose() }) { scene throws in
            let client = try scene.client()
            try client.get(token: scene.token())
            try eventually("the request is upstream") { !scene.origin.received.isEmpty }
            scene.proxy.child.signal(SIGTERM)
            try eventually("the drain has begun") { try scene.refusesConnections() }
            scene.proxy.child.signal(SIGTERM)
            let ending = try scene.proxy.child.waitForEnd()
            #expect(ending == .exited(1))
        }
    }
}
