// SIGHUP: another configuration, all of it or nothing, without a request that notices.

import Foundation
import Glibc
import Synchronization
import Testing

@Suite("Reload", .scenario)
struct ReloadTests {
    @Test("Under load, ten reloads in a row fail no request, on old connections and new ones")
    func load() throws {
        let other = try ScriptedOrigin()
        defer { other.end() }
        let failures = Mutex<[String]>([])
        let done = Atomic<Int>(0)
        let isOver = Atomic<Bool>(false)
        try Scene.play(main: "access_log off; # more", workers: 2) { scene throws in
            let token = scene.token()
            let clients = (0..<4).map { number in
                Thread {
                    do {
                        var client = try scene.client()
                        var sent = 0
                        // Bounded, should the reloads hang.
                        while !isOver.load(ordering: .relaxed), sent < 100_000 {
                            if sent % 10 == 9 || number == 0 { client = try scene.client() }
                            try client.get("/\(number)/\(sent)", token: token)
                            let response = try client.response()
                            if response.status != 200 { failures.withLock { $0.append("\(response.startLine)") } }
                            sent += 1
                            done.add(1, ordering: .relaxed)
                        }
                    } catch {
                        failures.withLock { $0.append("\(error)") }
                    }
                    done.add(1_000_000_000, ordering: .relaxed)
                }
            }
            clients.forEach { $0.start() }
            let first = scene.configuration
            for round in 1...10 {
                let before = done.load(ordering: .relaxed)
                try eventually("500 more requests are through", within: 120) {
                    done.load(ordering: .relaxed) >= before + 500 || !failures.withLock { $0.isEmpty }
                }
                let next = first
                    .replacing("# more", with: "location /\(round % 3) { methods GET; }\nlisten 127.0.0.1:0;")
                    .replacing("127.0.0.1:\(scene.origin.port)", with: "127.0.0.1:\(round % 2 == 0 ? scene.origin.port : other.port)")
                #expect(try scene.reload(as: round % 4 == 0 ? first : next))
            }
            isOver.store(true, ordering: .relaxed)
            try eventually("the clients have ended") { done.load(ordering: .relaxed) >= 4_000_000_000 }
            #expect(done.load(ordering: .relaxed) % 1_000_000_000 >= 5_000)
            #expect(failures.withLock { $0 } == [])
            #expect(!other.connections.isEmpty && !scene.origin.connections.isEmpty)
        }
    }

    @Test("A token whose audience has gone is refused, though it was remembered, on the connection that it came by")
    func removedAudience() throws {
        try Scene.play(issuerBlock: "audience https://old.example;") { scene throws in
            let old = scene.token(audience: "https://old.example")
            let new = scene.token()
            let client = try scene.client()
            for token in [old, old, new] {
                try client.get(token: token)
                #expect(try client.response().status == 200)
            }
            #expect(try scene.reload("audience https://old.example;", ""))
            try client.get(token: old)
            let refused = try client.response()
            #expect(refused.status == 401)
            #expect(refused.text.contains("\"wrong_audience\""))
            try client.get(token: new)
            #expect(try client.response().status == 200)
        }
    }

    @Test("A file that is wrong is reported with all that is, and what was served is served on")
    func invalid() throws {
        try Scene.play(main: Scene.adminLine) { scene throws in
            try scene.get(token: scene.token(), expecting: 200)
            let good = scene.configuration
            #expect(try !scene.reload(as: good + "\nlocation /x { audiance a; }\nclient_body_timeout many;\n"))
            let log = scene.proxy.child.errors
            #expect(log.contains("error: unknown directive 'audiance'"))
            #expect(log.contains("error: 'many' is not a duration"), "\(log)")
            #expect(log.contains("location /x { audiance a; }"))
            #expect(log.firstMatch(of: /reload refused: it is invalid; the configuration of 20\S+Z serves on/) != nil)
            try scene.get("/x", token: scene.token(), expecting: 200)
            #expect(try scene.metrics()["antechamber_config_reloads_total{outcome=\"refused\"}"] == 1)
            #expect(try scene.reload(as: good))
            #expect(try scene.metrics()["antechamber_config_reloads_total{outcome=\"succeeded\"}"] == 1)
        }
    }

    @Test("Addresses come and go: one that stays keeps its connections, and those of one that goes end with their request")
    func listeners() throws {
        let mayAnswer = Mutex(false)
        try Scene.play(main: "listen 127.0.0.1:0; # two", workers: 2, origin: { connection in
            while let request = try connection.request() {
                if request.startLine.contains("/slow") {
                    try eventually("the origin may answer", within: 120) { mayAnswer.withLock { $0 } }
                }
                try connection.answer()
            }
        }) { scene throws in
            let token = scene.token()
            let ports = try eventually("it listens twice") { scene.listeningPorts.count == 2 ? scene.listeningPorts : nil }
            let stays = try RawClient(port: ports[0])
            let idle = try RawClient(port: ports[1])
            for client in [stays, idle] {
                try client.get(token: token)
                #expect(try client.response().status == 200)
            }
            let busy = try RawClient(port: ports[1])
            try busy.get("/slow", token: token)
            try eventually("the request is upstream") { scene.origin.received.contains("/slow") }

            #expect(try scene.reload("listen 127.0.0.1:0; # two", "listen unix:\(scene.folder.path)/s;"))
            #expect(scene.proxy.child.errors.contains("no longer listening on 127.0.0.1:\(ports[1])"))
            #expect(try idle.isClosedByProxy())
            #expect(throws: ConnectionRefused.self) { try RawClient(port: ports[1]) }
            try stays.get(token: token)
            #expect(try stays.response().status == 200)
            let unix = RawClient(try Socket.connect(toPath: "\(scene.folder.path)/s"))
            try unix.get(token: token)
            #expect(try unix.response().status == 200)

            mayAnswer.withLock { $0 = true }
            let last = try busy.response()
            #expect(last.status == 200)
            #expect(last["Connection"] == "close")
            #expect(try busy.isClosedByProxy())
            #expect(try scene.reload("listen unix:\(scene.folder.path)/s;", ""))
            #expect(!FileManager.default.fileExists(atPath: "\(scene.folder.path)/s"))
        }
    }

    @Test("An address that cannot be had refuses all of a reload, and the other new ones are given up")
    func taken() throws {
        let taken = try Socket.boundToLoopback()
        try taken.startListening()
        try Scene.play(main: "# more") { scene throws in
            let token = scene.token()
            try scene.get(token: token, expecting: 200)
            let path = "\(scene.folder.path)/s"
            #expect(
                try !scene.reload(
                    "# more", "listen unix:\(path); listen 127.0.0.1:\(try taken.port()); location / { methods PUT; }"))
            #expect(scene.proxy.child.errors.contains("reload refused: cannot listen on 127.0.0.1:\(try taken.port())"))
            #expect(!FileManager.default.fileExists(atPath: path))
            try scene.get(token: token, expecting: 200)
        }
    }

    @Test("A request in flight ends as it began, and the next one goes by the new configuration")
    func inFlight() throws {
        let other = try ScriptedOrigin { connection in
            while try connection.request() != nil { try connection.answer("from the other") }
        }
        defer { other.end() }
        let mayAnswer = Mutex(false)
        let isClosed = Mutex(false)
        try Scene.play(main: "# more", origin: { connection in
            while try connection.request() != nil {
                try eventually("the origin may answer", within: 120) { mayAnswer.withLock { $0 } }
                try connection.answer("from the first")
            }
            isClosed.withLock { $0 = true }
        }) { scene throws in
            let token = scene.token()
            let client = try scene.client()
            try client.request("POST", token: token, fields: ["Transfer-Encoding: chunked"])
            try client.send("5\r\nhello\r\n")
            try eventually("the request is upstream") { scene.origin.received.contains("hello") }
            let main = "location / { methods GET; client_max_body_size 1; }"
            #expect(try scene.reload(as: scene.configuration
                .replacing("127.0.0.1:\(scene.origin.port)", with: "127.0.0.1:\(other.port)").replacing("# more", with: main)))
            try client.send("6\r\n world\r\n0\r\n\r\n")
            mayAnswer.withLock { $0 = true }
            #expect(try client.finalResponse().text == "from the first")
            try client.request("POST", token: token, body: "x")
            #expect(try client.response().status == 405)
            try client.get(token: token)
            #expect(try client.response().text == "from the other")
            // The idle connection to the first one is not kept.
            try eventually("it is closed") { isClosed.withLock { $0 } }
        }
    }

    @Test("A request that waits for keys is judged by the configuration that has come meanwhile")
    func awaitingKeys() throws {
        try Scene.play(issuerBlock: "jwks_timeout 30s;", main: "# more") { scene throws in
            scene.issuer.answerKeySet(.stalled)
            let client = try scene.client()
            try client.get("/waiting", token: scene.token())
            let file = scene.folder.appending(path: "keys.json")
            try ScriptedIssuer.keySet(of: [scene.mint]).write(to: file, atomically: true, encoding: .utf8)
            #expect(try scene.reload("jwks_timeout 30s;", "jwks_file \(file.path);"))
            #expect(try client.response().status == 200)
            scene.issuer.answerKeySet(.good)
        }
    }
}
