// Who still uses a legacy audience: told while the proxy runs, and kept over its restarts.

import Foundation
import Glibc
import Testing

@Suite("The migration ledger", .scenario)
struct MigrationTests {
    private static let client = "SDFWRGRRSFDF3214"
    private static let block = """
        legacy_audience \(client) { name web; deprecated 2026-01-01T00:00:00Z; brownout 2099-01-01T00:00:00Z 2h; }
        legacy_audience other { name cli; }
        """

    private struct Answer: Decodable {
        struct Audience: Decodable {
            struct Entry: Decodable, Equatable {
                var name: String
                var count: Int
            }
            struct Day: Decodable {
                var requests: Int
                var subjects: Int
            }
            struct Window: Decodable, Equatable {
                var from: String
                var until: String
            }

            var issuer: String
            var name: String
            var audience: String
            var phase: String
            var deprecated: String?
            var brownouts: [Window]
            var requests: Int
            var first_seen: String?
            var last_seen: String?
            var last_issued: String?
            var counted_since: String
            var routes: [Entry]
            var user_agents: [Entry]
            var days: [Day]
        }

        var version: Int
        var instance: String
        var legacy_audiences: [Audience]
    }

    private func migration(at port: UInt16) throws -> Answer {
        try eventually("the ledger is read") {
            let client = try RawClient(adminPort: port)
            try client.get("/migration")
            let response = try client.response()
            return response.status == 503 ? nil : try JSONDecoder().decode(Answer.self, from: Data(response.body))
        }
    }

    /// What is said of the legacy audience `web`, which counts that many requests: at once, as workers are asked.
    private func web(
        at port: UInt16, requests: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Answer.Audience {
        let web = try #require(
            try migration(at: port).legacy_audiences.first { $0.name == "web" }, sourceLocation: sourceLocation)
        #expect(web.requests == requests, sourceLocation: sourceLocation)
        return web
    }

    @Test("It counts requests, subjects, routes and user agents of those who have not moved, over all workers")
    func counts() throws {
        try Scene.play(
            issuerBlock: Self.block, main: Scene.adminLine + " location /admin { methods GET; }", workers: 2
        ) { scene throws in
            for (path, subject, agent) in [("/", "a", "curl/8"), ("/admin", "b", "curl/8"), ("/admin/x", "b", "other")] {
                let token = scene.token(audience: Self.client, subject: subject)
                #expect(try scene.get(path, token: token, fields: ["User-Agent: \(agent)"]).status == 200)
            }
            // Neither who has moved nor who is refused is counted.
            try scene.get(token: scene.token(), expecting: 200)
            try scene.get(token: scene.token(audience: "nobody's"), expecting: 401)

            let port = try scene.proxy.adminPort()
            let web = try web(at: port, requests: 3)
            #expect(web.issuer == scene.issuer.identifier)
            #expect(web.audience == Self.client)
            #expect(web.phase == "deprecated" && web.deprecated == "2026-01-01T00:00:00Z")
            #expect(web.brownouts == [.init(from: "2099-01-01T00:00:00Z", until: "2099-01-01T02:00:00Z")])
            #expect(web.first_seen != nil && web.last_seen != nil && web.last_issued != nil)
            #expect(web.routes == [.init(name: "/admin", count: 2), .init(name: "main", count: 1)])
            #expect(web.user_agents == [.init(name: "curl/8", count: 2), .init(name: "other", count: 1)])
            // A day may end meanwhile.
            #expect(web.days.reduce(0) { $0 + $1.requests } == 3)
            #expect(web.days.map(\.subjects).max() == 2)

            let cli = try #require(try migration(at: port).legacy_audiences.last)
            #expect(cli.name == "cli" && cli.phase == "accepted" && cli.requests == 0 && cli.first_seen == nil)
            #expect(cli.brownouts.isEmpty)
            for secret in ["auth0|", "\"a\"", "\"b\""] {
                #expect(try !scene.admin("/migration").text.contains(secret), "a subject in clear")
            }
        }
    }

    @Test("What was counted up to the end survives a restart, and goes on being counted")
    func restart() throws {
        try withTemporaryFolder { state in
            try Scene.play(
                issuerBlock: Self.block, main: Scene.adminLine + " state_dir \(state.path);"
            ) { scene throws in
                for _ in 0..<3 { try scene.get(token: scene.token(audience: Self.client), expecting: 200) }
                let second = try restarted(scene)
                defer { second.child.kill() }
                let port = try second.adminPort()
                #expect(try web(at: port, requests: 3).days.map(\.subjects).max() == 1)
                let client = try RawClient(port: second.port)
                try client.get(token: scene.token(audience: Self.client))
                #expect(try client.finalResponse().status == 200)
                #expect(try web(at: port, requests: 4).first_seen != nil)
            }
        }
    }

    @Test("Since when it counts survives a restart too, even of an audience that nobody used")
    func countedSince() throws {
        try withTemporaryFolder { state in
            try Scene.play(
                issuerBlock: Self.block, main: Scene.adminLine + " state_dir \(state.path);"
            ) { scene throws in
                let before = try migration(at: scene.proxy.adminPort())
                // A second has to pass, as instants are written to the second.
                try eventually("the clock shows a later second") {
                    ISO8601DateFormatter().string(from: Date()) > before.legacy_audiences[1].counted_since
                }
                let second = try restarted(scene)
                defer { second.child.kill() }
                let after = try migration(at: second.adminPort())
                #expect(after.legacy_audiences.map(\.counted_since) == before.legacy_audiences.map(\.counted_since))
                #expect(after.instance != before.instance)
            }
        }
    }

    @Test("A damaged ledger is reported and begun anew, one of a later version is left as it is", arguments: [false, true])
    func damaged(_ isLater: Bool) throws {
        try withTemporaryFolder { state in
            try Scene.play(
                issuerBlock: Self.block, main: Scene.adminLine + " state_dir \(state.path);"
            ) { scene throws in
                try scene.get(token: scene.token(audience: Self.client), expecting: 200)
                let file = try eventually("the ledger is written") {
                    try FileManager.default.contentsOfDirectory(atPath: state.path)
                        .filter { $0.hasPrefix("migration-") && !$0.contains(".") }
                        .map { state.appending(path: $0) }
                        // There is one of the audience that nobody uses, too.
                        .first { try String(contentsOf: $0, encoding: .utf8).contains(Self.client) }
                }
                let second = try restarted(scene) {
                    let text = try String(contentsOf: file, encoding: .utf8)
                    let changed = isLater ? text.replacing("migration 1 ", with: "migration 2 ") : String(text.dropLast(9))
                    try changed.write(to: file, atomically: true, encoding: .utf8)
                    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
                }
                defer { second.child.kill() }
                try eventually("it is reported") {
                    second.child.errors.contains("legacy audience web: what state_dir says of its use")
                }
                let client = try RawClient(port: second.port)
                try client.get(token: scene.token(audience: Self.client))
                #expect(try client.finalResponse().status == 200)
                _ = try web(at: try second.adminPort(), requests: 1)
                second.child.signal(SIGTERM)
                #expect(try second.child.waitForEnd() == .exited(0))
                let text = try String(contentsOf: file, encoding: .utf8)
                #expect(text.hasPrefix(isLater ? "antechamber migration 2 " : "antechamber migration 1 "))
            }
        }
    }

    /// Ends the scene's proxy, and starts another one with the same configuration.
    private func restarted(_ scene: Scene, after change: () throws -> Void = {}) throws -> ProxyProcess {
        scene.proxy.child.signal(SIGTERM)
        #expect(try scene.proxy.child.waitForEnd() == .exited(0))
        try change()
        let folder = scene.folder.appending(path: "second")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = try String(contentsOf: scene.folder.appending(path: "proxy.conf"), encoding: .utf8)
        return try ProxyProcess(configuration: text, in: folder)
    }
}
