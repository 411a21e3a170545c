// A new process takes the place of a running one: at its addresses, once ready, and without a connection lost.

import Foundation
import Glibc
import Synchronization
import Testing

@Suite("Taking over", .scenario)
struct TakeOverTests {
    /// Starts another process with the scene's configuration, which takes over from the scene's.
    private func successor(of scene: Scene, _ number: Int = 1, _ configuration: String? = nil) throws -> ChildProcess {
        let file = scene.folder.appending(path: "successor-\(number).conf")
        try (configuration ?? scene.configuration).write(to: file, atomically: true, encoding: .utf8)
        return try ChildProcess(
            ProxyProcess.binary, ["run", "--config", file.path, "--take-over", "\(scene.proxy.child.id)"], in: scene.folder,
            name: "successor-\(number)")
    }

    /// A line for the listener at a port that is free at this moment.
    private func listener() throws -> (line: String, port: UInt16) {
        let port = try Socket.boundToLoopback().port()
        return ("listen 127.0.0.1:\(port);", port)
    }

    @Test("No new connection fails while one process takes over from the other, and what the old one has begun it ends")
    func underLoad() throws {
        let mayAnswer = Mutex(false)
        let (line, port) = try listener()
        let failures = Mutex<[String]>([])
        let done = Atomic<Int>(0)
        let isOver = Atomic<Bool>(false)
        try Scene.play(main: line, workers: 2, origin: { connection in
            while let request = try connection.request() {
                if request.startLine.contains("/slow") {
                    try eventually("the origin may answer", within: 120) { mayAnswer.withLock { $0 } }
                }
                try connection.answer()
            }
        }) { scene throws in
            let token = scene.token()
            let busy = try RawClient(port: port)
            try busy.get("/slow", token: token)
            try eventually("the request is upstream") { scene.origin.received.contains("/slow") }
            let clients = (0..<2).map { _ in
                Thread {
                    var sent = 0
                    while !isOver.load(ordering: .relaxed), sent < 50_000 {
                        sent += 1
                        do {
                            let client = try RawClient(port: port)
                            try client.get(token: token, fields: ["Connection: close"])
                            let response = try client.response()
                            if response.status != 200 { failures.withLock { $0.append("\(response.startLine)") } }
                        } catch {
                            failures.withLock { $0.append("\(error)") }
                        }
                        done.add(1, ordering: .relaxed)
                    }
                    done.add(1_000_000, ordering: .relaxed)
                }
            }
            clients.forEach { $0.start() }
            func moreRequests(_ count: Int) throws {
                let before = done.load(ordering: .relaxed)
                try eventually("\(count) more requests are through", within: 120) {
                    done.load(ordering: .relaxed) >= before + count
                }
            }
            try moreRequests(200)
            // Of the scene's two listeners the other one is at any port, and so not shared.
            let next = try successor(of: scene, 1, scene.configuration.replacing("listen 127.0.0.1:0 ;", with: ""))
            defer { next.kill() }
            try eventually("it takes over") { next.errors.contains("is told to finish what it has begun") }
            try moreRequests(500)
            #expect(scene.proxy.child.errors.contains("draining"))
            #expect(scene.proxy.child.ended == nil)
            mayAnswer.withLock { $0 = true }
            #expect(try busy.response().status == 200)
            #expect(try scene.proxy.child.waitForEnd() == .exited(0))
            try eventually("the successor knows") { next.errors.contains("process \(scene.proxy.child.id) has ended") }
            try moreRequests(200)
            isOver.store(true, ordering: .relaxed)
            try eventually("the clients have ended") { done.load(ordering: .relaxed) >= 2_000_000 }
            #expect(failures.withLock { $0 } == [])
            next.signal(SIGTERM)
            #expect(try next.waitForEnd() == .exited(0))
        }
    }

    @Test("It does not listen before it is ready, and the old one serves meanwhile")
    func readiness() throws {
        let (line, port) = try listener()
        try Scene.play(main: line) { scene throws in
            let token = scene.token()
            try scene.get(token: token, expecting: 200)
            scene.issuer.answerKeySet(.status(500))
            let next = try successor(of: scene, 1, scene.configuration.replacing("listen 127.0.0.1:0 ;", with: ""))
            defer { next.kill() }
            try eventually("it has asked in vain") { scene.issuer.keySetFetches >= 2 }
            for _ in 1...20 {
                let client = try RawClient(port: port)
                try client.get(token: token)
                #expect(try client.response().status == 200)
            }
            #expect(!next.errors.contains("listening on") && scene.proxy.child.ended == nil)
            scene.issuer.answerKeySet(.good)
            #expect(try scene.proxy.child.waitForEnd() == .exited(0))
            let client = try RawClient(port: port)
            try client.get(token: token)
            #expect(try client.response().status == 200)
            next.signal(SIGTERM)
            #expect(try next.waitForEnd() == .exited(0))
        }
    }

    @Test("A socket file leads to the new process, and the old one leaves it there")
    func unixSocket() throws {
        try withTemporaryFolder { place in
            let path = place.appending(path: "s").path
            try Scene.play(main: "listen unix:\(path);") { scene throws in
                let token = scene.token()
                func get() throws -> Int {
                    let client = RawClient(try Socket.connect(toPath: path))
                    try client.get(token: token)
                    return try client.response().status
                }
                #expect(try get() == 200)
                let next = try successor(of: scene)
                defer { next.kill() }
                #expect(try scene.proxy.child.waitForEnd() == .exited(0))
                #expect(try get() == 200)
                next.signal(SIGTERM)
                #expect(try next.waitForEnd() == .exited(0))
                #expect(!FileManager.default.fileExists(atPath: path))
                #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == [])
            }
        }
    }

    @Test("The record of legacy audiences goes over whole")
    func ledger() throws {
        let (line, port) = try listener()
        try withTemporaryFolder { place in
            let main = "\(line) state_dir \(place.path); \(Scene.adminLine)"
            try Scene.play(issuerBlock: "legacy_audience OLD { name web; }", main: main) { scene throws in
                let old = scene.token(audience: "OLD")
                for _ in 1...3 { try scene.get(token: old, expecting: 200) }
                let next = try successor(of: scene, 1, scene.configuration.replacing("listen 127.0.0.1:0 ;", with: ""))
                defer { next.kill() }
                let id = scene.proxy.child.id
                try eventually("it has taken over") { next.errors.contains("process \(id) has ended") }
                for _ in 1...2 {
                    let client = try RawClient(port: port)
                    try client.get(token: old)
                    #expect(try client.response().status == 200)
                }
                let admin = try #require(next.errors.firstMatch(of: /admin on 127\.0\.0\.1:([0-9]+)/).flatMap { UInt16($0.1) })
                try eventually("all five are counted") {
                    let client = try RawClient(port: admin)
                    client.host = "127.0.0.1"
                    try client.get("/migration")
                    return try client.response().text.contains("\"requests\":5")
                }
                next.signal(SIGTERM)
                #expect(try next.waitForEnd() == .exited(0))
            }
        }
    }

    @Test("Without being told to, no second process gets in, and a process that is not there cannot be taken over from", arguments: [
        1, 2,
    ])
    func refused(workers: Int) throws {
        let (line, port) = try listener()
        try Scene.play(main: line, workers: workers) { scene throws in
            let file = scene.folder.appending(path: "second.conf")
            try scene.configuration.replacing("listen 127.0.0.1:0 ;", with: "")
                .write(to: file, atomically: true, encoding: .utf8)
            let second = try ProxyProcess.finish(["run", "--config", file.path], in: scene.folder)
            #expect(second.ending == .exited(1))
            #expect(second.errors.contains("cannot listen on 127.0.0.1:\(port): Address already in use"))
            for (id, status) in [("1", 64), ("999999999", 1), ("0", 64), ("x", 64)] {
                let wrong = try ProxyProcess.finish(
                    ["run", "--config", file.path, "--take-over", id], in: scene.folder)
                #expect(wrong.ending == .exited(Int32(status)), "\(id): \(wrong.errors)")
            }
            try scene.get(token: scene.token(), expecting: 200)
        }
    }
}
