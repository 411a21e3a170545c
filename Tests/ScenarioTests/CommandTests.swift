// The command line: exit statuses, what `check` says, and configuration by flags or environment alone.

import Foundation
import Glibc
import Testing

@Suite("Commands", .scenario)
struct CommandTests {
    private static let good = """
        listen 127.0.0.1:0;
        upstream http://127.0.0.1:3000;
        issuer https://example.eu.auth0.com/ {
            audience https://api.example.com;
        }

        """

    private func finish(
        _ command: String, configuration: String
    ) throws -> (ending: ChildProcess.Ending, output: String, errors: String) {
        try withTemporaryFolder { folder in
            let file = folder.appending(path: "proxy.conf")
            try configuration.write(to: file, atomically: true, encoding: .utf8)
            return try ProxyProcess.finish([command, "--config", file.path], in: folder)
        }
    }

    @Test("check says that a good file is good, and exits 0")
    func checkGood() throws {
        let outcome = try finish("check", configuration: Self.good)
        #expect(outcome.ending == .exited(0))
        #expect(!(outcome.output + outcome.errors).contains("error"))
    }

    @Test("A bad file is 78, for check and run alike, and each problem is told with its place", arguments: ["check", "run"])
    func invalid(_ command: String) throws {
        let text = Self.good.replacing("    audience https", with: "    audiance https").replacing("upstream", with: "upsteam")
        let outcome = try finish(command, configuration: text)
        #expect(outcome.ending == .exited(78))
        let said = outcome.output + outcome.errors
        #expect(said.contains("proxy.conf:4:5: error: unknown directive 'audiance'; did you mean 'audience'?"), "\(said)")
        #expect(said.contains("proxy.conf:2:1: error: unknown directive 'upsteam'; did you mean 'upstream'?"), "\(said)")
        #expect(said.contains("    audiance https://api.example.com;"), "\(said)")
        #expect(said.contains("^"), "\(said)")
    }

    @Test("An issuer without an audience is refused, as it would admit every audience")
    func issuerWithoutAudience() throws {
        let text = Self.good.replacing("    audience https://api.example.com;\n", with: "")
        let outcome = try finish("check", configuration: text)
        #expect(outcome.ending == .exited(78))
        #expect((outcome.output + outcome.errors).contains("audience"))
    }

    @Test("Wrong usage is 64", arguments: [["run", "--no-such-flag"], ["no-such-command"], ["run", "--config"]])
    func wrongUsage(_ arguments: [String]) throws {
        try withTemporaryFolder { folder in
            let outcome = try ProxyProcess.finish(arguments, in: folder)
            #expect(outcome.ending == .exited(64))
            #expect(!outcome.errors.isEmpty)
        }
    }

    @Test("A version and a help text are to be had, and are no failure", arguments: ["--version", "--help"])
    func information(_ flag: String) throws {
        try withTemporaryFolder { folder in
            let outcome = try ProxyProcess.finish([flag], in: folder)
            #expect(outcome.ending == .exited(0))
            #expect(!outcome.output.isEmpty)
        }
    }

    @Test("A port that is taken is a failure while running: 1")
    func portTaken() throws {
        let taken = try Socket.boundToLoopback()
        try taken.startListening()
        let text = Self.good.replacing("127.0.0.1:0", with: "127.0.0.1:\(try taken.port())")
        let outcome = try finish("run", configuration: text)
        #expect(outcome.ending == .exited(1))
        #expect(outcome.errors.contains("\(try taken.port())"))
    }

    @Test("A port that another proxy has is not shared with it: 1", arguments: [1, 2])
    func portOfAnotherProxy(workers: Int) throws {
        try Scene.play(workers: workers) { scene throws in
            let text = Self.good.replacing("127.0.0.1:0;", with: "127.0.0.1:\(scene.proxy.port); workers \(workers);")
            let outcome = try finish("run", configuration: text)
            #expect(outcome.ending == .exited(1))
            let reason = "cannot listen on 127.0.0.1:\(scene.proxy.port): Address already in use"
            #expect(outcome.errors.contains(reason), "\(outcome.errors)")
        }
    }

    @Test("A file that is not there is 78, and named")
    func missingFile() throws {
        try withTemporaryFolder { folder in
            let outcome = try ProxyProcess.finish(["run", "--config", folder.path + "/absent.conf"], in: folder)
            #expect(outcome.ending == .exited(78))
            #expect(outcome.errors.contains("absent.conf"))
        }
    }

    @Test("health is 0 while the proxy answers, and 1 when nobody does")
    func health() throws {
        try Scene.play { scene throws in
            let listen = ["health", "--config", scene.folder.path + "/proxy.conf", "--listen", "127.0.0.1:\(scene.proxy.port)"]
            #expect(try ProxyProcess.finish(listen, in: scene.folder).ending == .exited(0))
            scene.proxy.child.signal(SIGTERM)
            let ending = try scene.proxy.child.waitForEnd()
            #expect(ending == .exited(0))
            #expect(try ProxyProcess.finish(listen, in: scene.folder).ending == .exited(1))
        }
    }

    @Test("check --fetch is 0 when the issuer's keys can be had, and 1 when not")
    func checkFetch() throws {
        try withTemporaryFolder { folder throws in
            let issuer = try ScriptedIssuer(keys: [TokenMint()])
            defer { issuer.end() }
            let flags = [
                "check", "--fetch", "--upstream", "http://127.0.0.1:3000", "--issuer", issuer.identifier, "--audience",
                Scene.audience,
            ]
            let good = try ProxyProcess.finish(flags, in: folder)
            #expect(good.ending == .exited(0), "\(good.errors)")
            #expect(good.output.contains(issuer.identifier))
            issuer.answerKeySet(.status(500))
            let bad = try ProxyProcess.finish(flags, in: folder)
            #expect(bad.ending == .exited(1))
            #expect((bad.output + bad.errors).contains("500"))
        }
    }

    @Test("It runs by flags alone, by environment alone, and a flag beats the environment", arguments: [
        WayToConfigure.flags, .environment, .both,
    ])
    func withoutFile(_ way: WayToConfigure) throws {
        try withTemporaryFolder { folder in
            let mint = try TokenMint()
            let issuer = try ScriptedIssuer(keys: [mint])
            defer { issuer.end() }
            let origin = try ScriptedOrigin()
            defer { origin.end() }
            let flags = [
                "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:\(origin.port)", "--issuer",
                issuer.identifier, "--audience", "https://other.example.com", "--audience", Scene.audience,
            ]
            var environment = [
                "ANTECHAMBER_LISTEN": "127.0.0.1:0", "ANTECHAMBER_UPSTREAM": "http://127.0.0.1:\(origin.port)",
                "ANTECHAMBER_ISSUER": issuer.identifier,
                "ANTECHAMBER_AUDIENCE": "https://other.example.com,\(Scene.audience)",
            ]
            if way == .both { environment["ANTECHAMBER_AUDIENCE"] = "https://beaten.example.com" }
            let proxy = try ProxyProcess(
                arguments: ["run"] + (way == .environment ? [] : flags),
                environment: way == .flags ? [:] : environment, in: folder)
            let client = try RawClient(port: proxy.port)
            try client.get(token: mint.token(issuer: issuer.identifier))
            #expect(try client.response().status == 200)
        }
    }

    enum WayToConfigure: Sendable { case flags, environment, both }
}
