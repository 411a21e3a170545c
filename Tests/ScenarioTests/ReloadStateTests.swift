// What a reload leaves alone: keys, counts, health, the migration's course. And what else a SIGHUP meets.

import Foundation
import Glibc
import Synchronization
import Testing

@Suite("Reload, and what it keeps", .scenario)
struct ReloadStateTests {
    @Test("An issuer that stays keeps its keys: nothing is fetched, and no request waits, though it is down by then")
    func issuerStays() throws {
        try Scene.play(issuerBlock: "leeway 30s;", main: "# more") { scene throws in
            let token = scene.token()
            try scene.get(token: token, expecting: 200)
            #expect(scene.issuer.keySetFetches == 1)
            scene.issuer.answerDiscovery(.closing)
            scene.issuer.answerKeySet(.closing)
            for _ in 1...3 {
                #expect(try scene.proxy.reload())
                try scene.get(token: token, expecting: 200)
            }
            #expect(scene.issuer.requests.count == 2)
            // Rules for its tokens change nothing about its keys, and rules for its keys take none away.
            #expect(try scene.reload("leeway 30s;", "leeway 60s; jwks_cooldown 20s; jwks_refresh 5m;"))
            try scene.get(token: token, expecting: 200)
        }
    }

    @Test("An issuer that is new is asked at once, and one that has gone is trusted no more")
    func issuersChange() throws {
        let mint = try TokenMint(keyID: "second")
        let second = try ScriptedIssuer(keys: [mint])
        defer { second.end() }
        try Scene.play(main: "# more") { scene throws in
            let first = scene.token()
            try scene.get(token: first, expecting: 200)
            let token = try mint.token(issuer: second.identifier)
            try scene.get(token: token, expecting: 401)
            let one = scene.configuration
            #expect(try scene.reload("# more", "issuer \(second.identifier) { audience \(Scene.audience); }"))
            try eventually("it is asked before anybody needs it") { second.keySetFetches == 1 }
            try scene.get(token: token, expecting: 200)
            // The other way around in the file: each still has its own keys.
            let block = "issuer \(second.identifier) { audience \(Scene.audience); }\n"
            #expect(try scene.reload(as: block + one))
            try scene.get(token: token, expecting: 200)
            try scene.get(token: first, expecting: 200)
            #expect(second.keySetFetches == 1 && scene.issuer.keySetFetches == 1)
            #expect(try scene.reload(as: one))
            let refused = try scene.get(token: token)
            #expect(refused.text.contains("\"unknown_issuer\""))
        }
    }

    @Test("Key files are read again: a new key counts, an old one no more, and a broken file changes nothing")
    func keyFile() throws {
        let next = try TokenMint(keyID: "key-2")
        try withTemporaryFolder { folder in
            let file = folder.appending(path: "keys.json")
            func write(_ keys: [TokenMint]) throws {
                try ScriptedIssuer.keySet(of: keys).write(to: file, atomically: true, encoding: .utf8)
            }
            let mint = try TokenMint()
            try write([mint])
            try Scene.play(issuerBlock: "jwks_file \(file.path);") { scene throws in
                let old = scene.token(from: mint)
                let new = scene.token(from: next)
                try scene.get(token: old, expecting: 200)
                try scene.get(token: new, expecting: 401)
                try "{}".write(to: file, atomically: true, encoding: .utf8)
                #expect(try !scene.proxy.reload())
                try scene.get(token: old, expecting: 200)
                try write([next])
                #expect(try scene.proxy.reload())
                try scene.get(token: old, expecting: 401)
                try scene.get(token: new, expecting: 200)
            }
        }
    }

    @Test("Counters go on, also those of locations that have gone, and the status says what is served since when")
    func metrics() throws {
        try Scene.play(main: Scene.adminLine + " location /a { } location /b { }", workers: 2) { scene throws in
            let token = scene.token()
            for path in ["/a", "/b", "/b", "/c"] { try scene.get(path, token: token, expecting: 200) }
            try scene.get("/b", expecting: 401)
            func count(_ route: String, _ verdict: String = "verified", _ status: Int = 200) throws -> Int? {
                try scene.metrics()[
                    "antechamber_requests_total{route=\"\(route)\",verdict=\"\(verdict)\",status=\"\(status)\"}"]
            }
            let before = try scene.metrics()
            #expect(try scene.reload("location /a { } location /b { }", "location /new { } location /b { }"))
            let after = try scene.metrics()
            for (name, value) in before where name.contains("_total") && !name.contains("reloads") {
                #expect((after[name] ?? -1) >= value, "\(name)")
            }
            for path in ["/b", "/new", "/a"] { try scene.get(path, token: token, expecting: 200) }
            try eventually("all are counted") { try count("main") == 2 }
            #expect(try count("/a") == 1)
            #expect(try count("/b") == 3)
            #expect(try count("/new") == 1)
            #expect(try count("/b", "refused", 401) == 1)
            let status = try scene.statusDocument()["configuration"] as? [String: Any]
            #expect(status?["reloads"] as? Int == 1)
            #expect(status?["number"] as? Int == 2)
            #expect((status?["loaded_at"] as? String)?.hasSuffix("Z") == true)
        }
    }

    @Test("A server that health checks have seen stays ready through reloads, with others beside it and without")
    func health() throws {
        let other = try ScriptedOrigin()
        defer { other.end() }
        let check = "health_check /healthz interval=100ms rise=2 fall=1; # more"
        try Scene.play(main: Scene.adminLine, upstreamBlock: check + "\n", origin: ScriptedOrigin.answering) { scene throws in
            try eventually("it is ready") { try scene.admin("/readyz").status == 200 }
            #expect(try scene.reload("# more", "keepalive 9; server http://127.0.0.1:\(other.port); # more"))
            #expect(try scene.admin("/readyz").status == 200)
            try scene.get(token: scene.token(), expecting: 200)
            #expect(try scene.proxy.reload())
            #expect(try scene.admin("/readyz").status == 200)
            // It is watched on, by one watch: the former one has stopped.
            scene.origin.follow { connection in
                while try connection.request() != nil { try connection.answer(status: "503 Down") }
            }
            other.follow { connection in
                while try connection.request() != nil { try connection.answer(status: "503 Down") }
            }
            try eventually("it is not ready any more") { try scene.admin("/readyz").status == 503 }
        }
    }

    @Test("A legacy audience's record goes on, under the name that it has now")
    func ledger() throws {
        let block = "legacy_audience OLD { name web; }"
        try Scene.play(issuerBlock: block, main: Scene.adminLine + " state_dir \(NSTemporaryDirectory());") { scene throws in
            func requests(_ name: String) throws -> Int? {
                let all = try JSONSerialization.jsonObject(with: Data(scene.admin("/migration").body)) as? [String: Any]
                let audiences = all?["legacy_audiences"] as? [[String: Any]] ?? []
                return audiences.first { $0["name"] as? String == name }?["requests"] as? Int
            }
            let old = scene.token(audience: "OLD")
            try scene.get(token: old, expecting: 200)
            #expect(try scene.reload(block, "legacy_audience NEWER { name cli; } legacy_audience OLD { name site; }"))
            try scene.get(token: old, expecting: 200)
            try scene.get(token: scene.token(audience: "NEWER"), expecting: 200)
            try eventually("both are counted") { try requests("site") == 2 && requests("cli") == 1 }
            #expect(try requests("web") == nil)
            #expect(try scene.reload("legacy_audience OLD { name site; }", ""))
            #expect(try requests("site") == nil)
            try scene.get(token: old, expecting: 401)
            #expect(try scene.reload("legacy_audience NEWER", "legacy_audience OLD { name web; } legacy_audience NEWER"))
            #expect(try requests("web") == 2)
        }
    }

    @Test("Who is trusted is asked anew for each request, also on a connection that is there")
    func trustedProxies() throws {
        try Scene.play(main: "trusted_proxies 127.0.0.0/8;") { scene throws in
            let client = try scene.client()
            let token = scene.token()
            try client.get("/1", token: token, fields: ["X-Forwarded-For: 203.0.113.9"])
            #expect(try client.response().status == 200)
            #expect(scene.origin.received.contains("X-Forwarded-For: 203.0.113.9"))
            #expect(try scene.reload("trusted_proxies 127.0.0.0/8;", ""))
            try client.get("/2", token: token, fields: ["X-Forwarded-For: 203.0.113.10"])
            #expect(try client.response().status == 200)
            #expect(!scene.origin.received.contains("203.0.113.10"))
        }
    }

    @Test("Logs move with the configuration, and a log that cannot be opened refuses it")
    func logs() throws {
        try Scene.play(main: "access_log stdout;") { scene throws in
            let log = scene.folder.appending(path: "access.log")
            try scene.get("/one", token: scene.token(), expecting: 200)
            #expect(try !scene.reload("access_log stdout;", "access_log /nowhere/a.log;"))
            #expect(try scene.reload("access_log /nowhere/a.log;", "access_log \(log.path);"))
            try scene.get("/two", token: scene.token(), expecting: 200)
            try eventually("the line is in the new log") {
                (try? String(contentsOf: log, encoding: .utf8))?.contains("\"path\":\"/two\"") == true
            }
            #expect(scene.proxy.child.output.contains("/one") && !scene.proxy.child.output.contains("/two"))
        }
    }

    @Test("What needs a restart is said, and the rest is served")
    func kept() throws {
        try Scene.play(main: "# more", workers: 1) { scene throws in
            let next = scene.configuration.replacing("workers 1;", with: "workers 2; admin 127.0.0.1:0;")
            #expect(try scene.reload(as: next.replacing("# more", with: "location /x { public; }")))
            for directive in ["workers", "admin"] {
                #expect(scene.proxy.child.errors.contains("'\(directive)' has changed, which takes effect when"))
            }
            try scene.get("/x", expecting: 200)
        }
    }

    @Test("Signals in a row are each obeyed: the last file is what is served; and none once the proxy drains")
    func signals() throws {
        let mayAnswer = Mutex(false)
        try Scene.play(main: "# more", origin: { connection in
            while try connection.request() != nil {
                try eventually("the origin may answer", within: 120) { mayAnswer.withLock { $0 } }
                try connection.answer()
            }
        }) { scene throws in
            let first = scene.configuration
            let file = scene.folder.appending(path: "proxy.conf")
            for round in 1...20 {
                try first.replacing("# more", with: "location = /\(round) { methods PUT; }")
                    .write(to: file, atomically: true, encoding: .utf8)
                scene.proxy.child.signal(SIGHUP)
            }
            try eventually("the last one is served") { try scene.get("/20").status == 405 }
            let client = try scene.client()
            try client.get("/slow", token: scene.token())
            try eventually("the request is upstream") { scene.origin.received.contains("/slow") }
            scene.proxy.child.signal(SIGTERM)
            try eventually("the drain has begun") { scene.proxy.child.errors.contains("draining") }
            scene.proxy.child.signal(SIGHUP)
            try eventually("it says so") { scene.proxy.child.errors.contains("SIGHUP: not reloaded, as the proxy ends") }
            mayAnswer.withLock { $0 = true }
            #expect(try client.response().status == 200)
            #expect(try scene.proxy.child.waitForEnd() == .exited(0))
        }
    }

    @Test("Without a file, the same flags are obeyed again")
    func flags() throws {
        try withTemporaryFolder { folder in
            let proxy = try ProxyProcess(
                arguments: [
                    "run", "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:9", "--issuer",
                    "http://127.0.0.1:9/", "--audience", "a",
                ], in: folder)
            #expect(try proxy.reload())
            proxy.child.signal(SIGTERM)
            #expect(try proxy.child.waitForEnd() == .exited(0))
        }
    }

    @Test("A tunnel that is open stays so, whatever comes")
    func tunnel() throws {
        try Scene.play(main: "# more", origin: { connection in
            _ = try connection.head()
            try connection.send("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
            while true { try connection.send(connection.bytes(1)) }
        }) { scene throws in
            let client = try scene.client()
            try client.get(
                "/ws", token: scene.token(),
                fields: [
                    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                ])
            #expect(try client.response().status == 101)
            let next = scene.configuration.replacing("127.0.0.1:\(scene.origin.port)", with: "127.0.0.1:9")
            #expect(try scene.reload(as: next.replacing("# more", with: "upgrade off;")))
            for byte in UInt8(ascii: "a")...UInt8(ascii: "f") {
                try client.send([byte])
                #expect(try client.bytes(1) == [byte])
            }
        }
    }
}
