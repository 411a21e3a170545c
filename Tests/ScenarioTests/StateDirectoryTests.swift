// A restart on a bad day: the keys of the day before serve, as far as they are to be believed.

import Foundation
import Glibc
import Testing

@Suite("Keys that survive a restart", .scenario)
struct StateDirectoryTests {
    @Test("A restart while the issuer answers nobody serves at once, and keeps refusing what it refused")
    func restart() throws {
        try withTemporaryFolder { state in
            try Scene.play(issuerBlock: "jwks_timeout 60s;", main: "state_dir \(state.path);") { scene throws in
                let token = scene.token()
                try scene.get(token: token, expecting: 200)
                let file = try storedFile(in: state)
                #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)

                scene.issuer.answerDiscovery(.stalled)
                let second = try restarted(scene)
                defer { second.child.kill() }
                #expect(try get(second, token).status == 200)
                #expect(second.child.errors.contains("1 key of state_dir in use, fetched "))
                // The fetch goes on: a key that is not there is waited for, and works at its first use.
                let next = try TokenMint(keyID: "key-2")
                scene.issuer.publish([scene.mint, next])
                let waiting = try RawClient(port: second.port)
                try waiting.get(token: scene.token(from: next))
                try eventually("the issuer is asked") { scene.issuer.requests.count >= 3 }
                scene.issuer.answerDiscovery(.good)
                #expect(try waiting.finalResponse().status == 200)
            }
        }
    }

    @Test("Without stored keys, or with damaged ones, a restart while the issuer is down is 503 with Retry-After",
        arguments: [false, true])
    func nothingOfUse(_ isDamaged: Bool) throws {
        try withTemporaryFolder { state in
            try Scene.play(main: "state_dir \(state.path);") { scene throws in
                try scene.get(token: scene.token(), expecting: 200)
                let file = try storedFile(in: state)
                if isDamaged {
                    #expect(unsafe truncate(file, 100) == 0)
                } else {
                    try FileManager.default.removeItem(atPath: file)
                }
                scene.issuer.answerDiscovery(.closing)
                let second = try restarted(scene)
                defer { second.child.kill() }
                let response = try get(second, scene.token())
                #expect(response.status == 503)
                #expect(response["Retry-After"].flatMap { Int($0) } != nil)
                #expect(second.child.errors.contains("are ignored: the file is damaged") == isDamaged)
            }
        }
    }

    @Test("Stored keys come before a jwks_file")
    func beforeFile() throws {
        try withTemporaryFolder { state in
            let pinned = try TokenMint(keyID: "pinned")
            let file = state.appending(path: "pinned.json")
            try ScriptedIssuer.keySet(of: [pinned]).write(to: file, atomically: true, encoding: .utf8)
            try Scene.play(main: "state_dir \(state.path);", keySource: { issuer in
                "jwks_uri \(issuer.keySetURL); jwks_file \(file.path);"
            }) { scene throws in
                try scene.get(token: scene.token(), expecting: 200)
                _ = try storedFile(in: state)
                scene.issuer.answerKeySet(.closing)
                let second = try restarted(scene)
                defer { second.child.kill() }
                #expect(try get(second, scene.token()).status == 200)
                #expect(try get(second, scene.token(from: pinned)).status == 401)
            }
        }
    }

    @Test("A state_dir that is missing or no directory stops the start, and check says where", arguments: [
        ("missing", "No such file or directory"), ("proxy.conf", "Not a directory"),
    ])
    func noDirectory(_ name: String, _ reason: String) throws {
        try withTemporaryFolder { folder in
            let file = folder.appending(path: "proxy.conf")
            let text = "upstream http://127.0.0.1:1;\nstate_dir \(name);\nissuer https://issuer.example/ { audience a; }\n"
            try text.write(to: file, atomically: true, encoding: .utf8)
            for command in ["check", "run"] {
                let (ending, _, errors) = try ProxyProcess.finish([command, "--config", file.path], in: folder)
                #expect(ending == .exited(78))
                #expect(errors.contains("proxy.conf:2:11: error: "))
                #expect(errors.contains("cannot hold the state: \(reason)"))
            }
        }
    }

    private func storedFile(in folder: URL) throws -> String {
        try eventually("the keys are stored") {
            try FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasPrefix("keys-") && !$0.contains(".") }
                .map { folder.appending(path: $0).path }
        }
    }

    /// Ends the scene's proxy, and starts another one with the same configuration.
    private func restarted(_ scene: Scene) throws -> ProxyProcess {
        scene.proxy.child.signal(SIGTERM)
        #expect(try scene.proxy.child.waitForEnd() == .exited(0))
        let folder = scene.folder.appending(path: "second")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = try String(contentsOf: scene.folder.appending(path: "proxy.conf"), encoding: .utf8)
        return try ProxyProcess(configuration: text, in: folder)
    }

    private func get(_ proxy: ProxyProcess, _ token: String) throws -> RawMessage {
        let client = try RawClient(port: proxy.port)
        try client.get(token: token)
        return try client.finalResponse()
    }
}
