// `antechamber report` against real proxies: a merge gate that must not pass by mistake.

import Foundation
import Glibc
import Testing

@Suite("The report on legacy audiences", .scenario)
struct ReportTests {
    private static let block = """
        legacy_audience SDFWRGRRSFDF3214 { name web; deprecated 2026-01-01T00:00:00Z; }
        legacy_audience CLI7F3KQ2ZPX9W1V { name cli; }
        """

    private typealias Outcome = (ending: ChildProcess.Ending, output: String, errors: String)

    private func report(_ arguments: [String], environment: [String: String] = [:], in folder: URL) throws -> Outcome {
        try ProxyProcess.finish(["report"] + arguments, environment: environment, in: folder)
    }

    private func object(_ outcome: Outcome) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome.output)")
    }

    private func url(of proxy: ProxyProcess) throws -> String { "http://127.0.0.1:\(try proxy.adminPort())" }

    /// Another proxy in front of the same backend, with its admin pages elsewhere.
    private func replica(of scene: Scene, admin: String) throws -> ProxyProcess {
        let folder = scene.folder.appending(path: "replica")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = try String(contentsOf: scene.folder.appending(path: "proxy.conf"), encoding: .utf8)
        return try ProxyProcess(configuration: text.replacing(Scene.adminLine, with: "admin \(admin);"), in: folder)
    }

    @Test("It is 0 while nobody uses a legacy audience, and 1 from the first request on that does")
    func beforeAndAfter() throws {
        try Scene.play(issuerBlock: Self.block, main: Scene.adminLine, workers: 2) { scene throws in
            let admin = ["--admin", try url(of: scene.proxy)]
            // Neither who has moved nor who is refused.
            try scene.get(token: scene.token(), expecting: 200)
            try scene.get(token: scene.token(audience: "nobody's"), expecting: 401)
            let before = try report(admin, in: scene.folder)
            #expect(before.ending == .exited(0), "\(before.errors)")
            #expect(before.output.contains("None was seen since"))
            #expect(try object(report(admin + ["--json"], in: scene.folder))["verdict"] as? String == "unused")

            try scene.get(
                "/x", token: scene.token(audience: "CLI7F3KQ2ZPX9W1V"), fields: ["User-Agent: curl/8"], expecting: 200)
            // At once: what workers have not handed over yet is asked for.
            let after = try report(admin, in: scene.folder)
            #expect(after.ending == .exited(1))
            #expect(after.errors == "")
            #expect(after.output.contains("\n\n1 of 2 is still used: cli.\n"), "\(after.output)")
            #expect(after.output.contains("\n  routes       main (1)\n  user agents  curl/8 (1)\n"))
            #expect(!after.output.contains("\u{1B}"), "a pipe gets no colours")
            let json = try report(admin + ["--json"], in: scene.folder)
            #expect(json.ending == .exited(1))
            let rows = try #require(try object(json)["legacy_audiences"] as? [[String: Any]])
            #expect(rows.map { $0["name"] as? String } == ["web", "cli"])
            #expect(rows.map { $0["in_use"] as? Bool } == [false, true])
            #expect(rows.map { $0["requests_since"] as? Int } == [0, 1])
        }
    }

    @Test("Two replicas are one report, over TCP and a socket file, and a subject of both is one")
    func replicas() throws {
        try withTemporaryFolder { folder in
            let socket = "unix:\(folder.path)/admin.sock"
            try Scene.play(issuerBlock: Self.block, main: Scene.adminLine) { scene throws in
                let second = try replica(of: scene, admin: socket)
                defer { second.child.kill() }
                let admins = ["--admin", try url(of: scene.proxy), "--admin", socket]
                #expect(try report(admins, in: scene.folder).ending == .exited(0))

                // Used at the second only.
                for port in [second.port, second.port] {
                    let client = try RawClient(port: port)
                    try client.get(token: scene.token(audience: "SDFWRGRRSFDF3214", subject: "bob"))
                    #expect(try client.finalResponse().status == 200)
                }
                let one = try report(admins + ["--json"], in: scene.folder)
                #expect(one.ending == .exited(1))
                #expect(try object(one)["verdict"] as? String == "in_use")
                // And at the first, by the same subject.
                try scene.get(token: scene.token(audience: "SDFWRGRRSFDF3214", subject: "bob"), expecting: 200)
                let both = try report(admins + ["--json"], in: scene.folder)
                let web = try #require((try object(both)["legacy_audiences"] as? [[String: Any]])?.first)
                #expect(web["requests_since"] as? Int == 3)
                #expect(web["subjects_since"] as? Int == 1)
                #expect(web["proxies"] as? Int == 2)
                let text = try report(admins, in: scene.folder)
                #expect(text.output.contains("at 2 proxies\n"))
            }
        }
    }

    @Test("A replica that cannot be asked is named and is never a zero", arguments: [false, true])
    func oneDown(isJSON: Bool) throws {
        try Scene.play(issuerBlock: Self.block, main: Scene.adminLine) { scene throws in
            let nobody = try Socket.boundToLoopback()
            let down = "http://127.0.0.1:\(try nobody.port())"
            let gone = "unix:\(scene.folder.path)/gone.sock"
            let arguments = ["--admin", try url(of: scene.proxy), "--admin", down, "--admin", gone]
            let outcome = try report(arguments + (isJSON ? ["--json"] : []), in: scene.folder)
            #expect(outcome.ending == .exited(1))
            let errors = outcome.errors
            #expect(errors.contains("antechamber: \(down): could not connect: Connection refused\n"), "\(errors)")
            #expect(errors.contains("antechamber: \(gone): could not connect: No such file"), "\(errors)")
            #expect(outcome.errors.contains("2 of 3 proxies could not be counted"))
            if isJSON {
                let object = try object(outcome)
                #expect(object["verdict"] as? String == "unknown")
                #expect((object["failures"] as? [[String: Any]])?.compactMap { $0["admin"] as? String } == [down, gone])
                #expect(object["legacy_audiences"] == nil)
            } else {
                #expect(outcome.output == "")
            }
        }
    }

    enum WrongAnswer: String, CaseIterable, Sendable {
        case empty, html, notFound, refused, redirect, cutOff, otherVersion, tooLong, truncated, silence

        var response: String {
            let ledger = "{\"version\":2,\"instance\":\"a\",\"time\":\"2027-01-15T00:00:00Z\",\"legacy_audiences\":[]}"
            return switch self {
            case .empty: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            case .html: "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
            case .notFound: "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nno\u{7}pe"
            case .refused: "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"
            case .redirect: "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
            case .cutOff: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"version\":1"
            case .otherVersion: "HTTP/1.1 200 OK\r\nContent-Length: \(ledger.utf8.count)\r\n\r\n\(ledger)"
            case .tooLong: "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{"
            case .truncated: "HTTP/1.1 200 OK\r\n\r\n{\"version\":1,\"legacy_audiences\":["
            case .silence: ""
            }
        }

        var reason: String {
            switch self {
            case .empty, .html, .truncated: "its answer is not that of an antechamber's /migration"
            case .notFound: "it answered /migration with 404: no?pe"
            case .refused: "it answered /migration with 401"
            case .redirect: "it answered /migration with 302"
            case .cutOff: "the response was cut off"
            case .otherVersion: "its answer is of version 2, and this antechamber reads version 1"
            case .tooLong: "the response's body is too large"
            case .silence: ""
            }
        }
    }

    @Test("A wrong answer is a failure with its reason, and never a pass", arguments: WrongAnswer.allCases)
    func wrongAnswer(_ answer: WrongAnswer) throws {
        let origin = try ScriptedOrigin { connection in
            _ = try connection.request()
            try connection.send(answer.response)
        }
        defer { origin.end() }
        try withTemporaryFolder { folder in
            let outcome = try report(["--admin", origin.url, "--json"], in: folder)
            #expect(outcome.ending == .exited(1))
            #expect(outcome.errors.hasPrefix("antechamber: \(origin.url): \(answer.reason)"), "\(outcome.errors)")
            #expect(try object(outcome)["verdict"] as? String == "unknown")
            #expect(origin.requestLines == ["GET /migration HTTP/1.1"])
        }
    }

    @Test("Without --admin the configuration's is asked, by flag or environment")
    func configured() throws {
        try withTemporaryFolder { folder in
            let socket = "unix:\(folder.path)/admin.sock"
            try Scene.play(issuerBlock: Self.block, main: "admin \(socket);") { scene throws in
                let file = scene.folder.appending(path: "proxy.conf").path
                #expect(try report(["--config", file], in: folder).ending == .exited(0))
                #expect(try report([], environment: ["ANTECHAMBER_CONFIG": file], in: folder).ending == .exited(0))
                try scene.get(token: scene.token(audience: "SDFWRGRRSFDF3214"), expecting: 200)
                let outcome = try report(["--config", file, "--json"], in: folder)
                #expect(outcome.ending == .exited(1))
                let proxies = try object(outcome)["proxies"] as? [[String: Any]]
                #expect(proxies?.map { $0["admin"] as? String } == [socket])
            }
        }
    }

    @Test(
        "With state_dir a restart changes nothing of it; without, it says since when it knows, and can be made to fail",
        arguments: [true, false])
    func restart(keepsState: Bool) throws {
        try withTemporaryFolder { state in
            let directive = keepsState ? " state_dir \(state.path);" : ""
            try Scene.play(issuerBlock: Self.block, main: Scene.adminLine + directive) { scene throws in
                try scene.get(token: scene.token(audience: "SDFWRGRRSFDF3214"), expecting: 200)
                scene.proxy.child.signal(SIGTERM)
                #expect(try scene.proxy.child.waitForEnd() == .exited(0))
                let second = try replica(of: scene, admin: "127.0.0.1:0")
                defer { second.child.kill() }
                let admin = ["--admin", try url(of: second)]
                let outcome = try eventually("the ledger is read") {
                    let outcome = try report(admin, in: scene.folder)
                    return outcome.errors.contains("503") ? nil : outcome
                }
                if keepsState {
                    #expect(outcome.ending == .exited(1))
                    #expect(outcome.output.contains("1 of 2 is still used: web."), "\(outcome.output)")
                } else {
                    #expect(outcome.ending == .exited(0))
                    #expect(outcome.output.contains("of the window before it knows nothing (with state_dir,"))
                    let strict = try report(admin + ["--whole-window"], in: scene.folder)
                    #expect(strict.ending == .exited(1))
                    #expect(strict.output.contains("Not known:"))
                }
            }
        }
    }

    @Test("What was last used before the window is not in it")
    func since() throws {
        try Scene.play(issuerBlock: Self.block, main: Scene.adminLine) { scene throws in
            try scene.get(token: scene.token(audience: "SDFWRGRRSFDF3214"), expecting: 200)
            let admin = ["--admin", try url(of: scene.proxy)]
            #expect(try report(admin + ["--since", "90d"], in: scene.folder).ending == .exited(1))
            try eventually("it was longer ago than the window") {
                try report(admin + ["--since", "1s"], in: scene.folder).ending == .exited(0)
            }
            // The window may begin with this very second, as where it is that of a release that goes out now.
            let this = ISO8601DateFormatter().string(from: Date())
            #expect(try report(admin + ["--since", this], in: scene.folder).ending == .exited(0))
            // Since then it is counted, and a window of that length is a whole one.
            let instant = ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: -1))
            #expect(try report(admin + ["--since", instant, "--whole-window"], in: scene.folder).ending == .exited(0))
        }
    }

    @Test("Wrong usage is 64 and says what was expected", arguments: [
        (["--admin", "127.0.0.1:9090"], "did you mean 'http://127.0.0.1:9090'?"),
        (["--admin", "http://127.0.0.1:9", "--admin", "http://127.0.0.1:9/"], "is given twice"),
        (["--admin", "http://127.0.0.1:9", "--since", "7"], "expected a duration from 1s to 90d"),
        (["--admin", "http://127.0.0.1:9", "--since", "91d"], "expected a duration"),
        (["--admin", "http://127.0.0.1:9", "--since", "0s"], "expected a duration"),
        (["--admin", "http://127.0.0.1:9", "--since", "500ms"], "expected a duration"),
        (["--admin", "http://127.0.0.1:9", "--since", "2999-01-01T00:00:00Z"], "or an instant of the last 90 days"),
        (["--admin", "http://127.0.0.1:9", "--since", "2020-01-01T00:00:00Z"], "or an instant of the last 90 days"),
        ([], "Name each proxy with --admin URL"),
    ])
    func wrongUsage(arguments: [String], message: String) throws {
        try withTemporaryFolder { folder in
            let outcome = try report(arguments, in: folder)
            #expect(outcome.ending == .exited(64))
            #expect(outcome.errors.contains(message), "\(outcome.errors)")
            #expect(outcome.output == "")
        }
    }

    @Test("A configuration without an admin address is wrong usage, an invalid one is 78")
    func configurationWithoutAdmin() throws {
        try withTemporaryFolder { folder in
            let file = folder.appending(path: "proxy.conf")
            let text = "upstream http://127.0.0.1:9; issuer http://127.0.0.1:9/ { audience a; }"
            try text.write(to: file, atomically: true, encoding: .utf8)
            let without = try report(["--config", file.path], in: folder)
            #expect(without.ending == .exited(64))
            #expect(without.errors.contains("the configuration has no 'admin' address to ask"))
            try (text + "bogus;").write(to: file, atomically: true, encoding: .utf8)
            #expect(try report(["--config", file.path], in: folder).ending == .exited(78))
        }
    }
}
