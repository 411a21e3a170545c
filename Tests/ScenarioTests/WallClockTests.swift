// A wall clock that is set, by an operator or by NTP: what tokens say of time is compared with it, and nothing else is.

import Foundation
import Glibc
import Testing

@Suite("A wall clock that is set", .scenario)
struct WallClockTests {
    private static let day = 86_400

    @Test("Tokens are judged by the clock as it is, and neither keys, cooldowns nor connections notice")
    func jumps() throws {
        try Scene.play(issuerBlock: "jwks_cooldown 1h;", keySource: { "jwks_uri \($0.keySetURL);" }) { scene throws in
            let clock = try WallClock(in: scene.folder)
            let proxy = try second(scene, clock)
            defer { proxy.child.kill() }
            let fetches = scene.issuer.keySetFetches
            let client = try RawClient(port: proxy.port)
            func get(_ token: String) throws -> RawMessage {
                try client.get(token: token)
                return try client.finalResponse()
            }

            let today = scene.token()
            for _ in 1...2 { #expect(try get(today).status == 200) }
            // A cooldown begins.
            #expect(try get(scene.token(header: ["kid": "unknown"])).status == 401)
            let after = scene.issuer.keySetFetches
            #expect(after > fetches)

            try clock.set(ahead: 2 * Self.day)
            #expect(try get(today).text.contains("\"token_expired\""))
            let later = scene.token(claims: times(ahead: 2 * Self.day))
            // Neither jwks_refresh nor jwks_max_stale is over, nor the cooldown, nor the connection's time.
            #expect(try get(later).status == 200)
            #expect(try get(scene.token(header: ["kid": "another"])).status == 401)

            try clock.set(ahead: -2 * Self.day)
            #expect(try get(later).text.contains("\"token_issued_in_future\""))
            #expect(try get(scene.token(claims: times(ahead: -2 * Self.day))).status == 200)
            #expect(try get(scene.token(header: ["kid": "a third"])).status == 401)

            try clock.set(ahead: 0)
            #expect(try get(today).status == 200)
            #expect(scene.issuer.keySetFetches == after)
        }
    }

    @Test("Stored keys from the future, or from too long ago, are not believed after a restart", arguments: [
        (-Self.day, "they were fetched later than it is now, so the clock was set"),
        (2 * Self.day, "s ago, which is beyond jwks_max_stale"),
    ])
    func storedKeys(_ ahead: Int, _ reason: String) throws {
        try withTemporaryFolder { state in
            try Scene.play(main: "state_dir \(state.path);") { scene throws in
                try scene.get(token: scene.token(), expecting: 200)
                try eventually("the keys are stored") {
                    try FileManager.default.contentsOfDirectory(atPath: state.path).contains {
                        $0.hasPrefix("keys-") && !$0.contains(".")
                    }
                }
                scene.issuer.answerDiscovery(.closing)
                let clock = try WallClock(in: scene.folder)
                try clock.set(ahead: ahead)
                let proxy = try second(scene, clock)
                defer { proxy.child.kill() }
                let client = try RawClient(port: proxy.port)
                try client.get(token: scene.token(claims: times(ahead: ahead)))
                #expect(try client.finalResponse().status == 503)
                #expect(proxy.child.errors.contains(reason))
            }
        }
    }

    /// Another proxy beside the scene's, with the same configuration and a clock of its own.
    private func second(_ scene: Scene, _ clock: WallClock) throws -> ProxyProcess {
        let folder = scene.folder.appending(path: "second")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = scene.folder.appending(path: "proxy.conf").path
        return try ProxyProcess(arguments: ["run", "--config", file], environment: clock.environment, in: folder)
    }

    private func times(ahead seconds: Int) -> [String: JSONValue?] {
        let now = Int(Date().timeIntervalSince1970) + seconds
        return ["iat": .number(now - 5), "exp": .number(now + 3600)]
    }
}
