// The demo as a newcomer meets it: what it prints is pasted into a shell, and does what is said beside it.

import Foundation
import Glibc
import Testing

private let curlIsInstalled: Bool =
    (try? withTemporaryFolder { folder in
        try ChildProcess("curl", ["--version"], in: folder).waitForEnd() == .exited(0)
    }) ?? false

@Suite("Demo", .scenario, .enabled(if: curlIsInstalled, "curl is missing: use scripts/test"))
struct DemoTests {
    /// Starts the demo at this address, and waits for the story's last line.
    private func play(listen: String, in folder: URL, _ scenario: (ChildProcess) throws -> Void) throws {
        let demo = try ChildProcess(ProxyProcess.binary, ["demo", "--listen", listen], in: folder, name: "demo")
        defer { demo.kill() }
        try eventually("the story is told") {
            if let ending = demo.ended { throw ScenarioError("the demo ended (\(ending)):\n\(demo.errors)\(demo.output)") }
            return demo.output.contains("Ctrl-C")
        }
        try scenario(demo)
    }

    @Test("Each line to paste gives the status that is announced above it")
    func story() throws {
        try withTemporaryFolder { folder in
            try play(listen: "127.0.0.1:0", in: folder) { demo throws in
                let announced = demo.output.matches(of: /\n\s*\d\. [^\n]*: (\d{3})\b[^\n]*\n\s*(curl [^\n]*)\n/)
                #expect(announced.map { $0.1 } == ["200", "401", "401", "401"])
                for (number, line) in announced.enumerated() {
                    let shell = try ChildProcess(
                        "/bin/sh", ["-c", "\(line.2) --silent --max-time 30"], in: folder, name: "curl-\(number)")
                    let ending = try shell.waitForEnd()
                    #expect(ending == .exited(0))
                    #expect(shell.output.hasPrefix("HTTP/1.1 \(line.1) "), "\(line.2)\n\(shell.output)")
                    if number == 0 { #expect(shell.output.contains("auth0|alice")) }
                    if number == 2 { #expect(shell.output.contains("ID token")) }
                }
            }
        }
    }

    @Test("The issuer alone publishes its metadata and keys, and gives tokens for whatever is asked")
    func issuerAlone() throws {
        try withTemporaryFolder { folder in
            let issuer = try ChildProcess(ProxyProcess.binary, ["demo", "--issuer-only"], in: folder, name: "issuer")
            defer { issuer.kill() }
            let port = try eventually("it says where it listens") {
                issuer.output.firstMatch(of: /listening on http:\/\/127\.0\.0\.1:([0-9]+)\//).flatMap { UInt16($0.1) }
            }
            let check = try ProxyProcess.finish(
                [
                    "check", "--fetch", "--upstream", "http://127.0.0.1:9", "--issuer", "http://127.0.0.1:\(port)/",
                    "--audience", "https://api.example.com",
                ], in: folder)
            #expect(check.ending == .exited(0), "\(check.errors)")
            let client = try RawClient(port: port)
            let form = "client_id=cli&audience=https%3A%2F%2Fapi.example.com"
            try client.request(
                "POST", "/oauth/token", fields: ["Content-Type: application/x-www-form-urlencoded"], body: form)
            let answer = try client.response()
            #expect(answer.status == 200)
            #expect(answer.text.contains("\"access_token\":\"ey"))
            let usage = try ProxyProcess.finish(["demo", "--issuer-only", "--listen", "8080"], in: folder)
            #expect(usage.ending == .exited(64))
        }
    }

    @Test("A port that is taken is told, and another one used")
    func portTaken() throws {
        let taken = try Socket.boundToLoopback()
        try taken.startListening()
        let port = try taken.port()
        try withTemporaryFolder { folder in
            try play(listen: "127.0.0.1:\(port)", in: folder) { demo in
                #expect(demo.output.contains("port \(port) is taken"))
                let used = try #require(demo.output.firstMatch(of: /http:\/\/127\.0\.0\.1:(\d+)\/orders/)?.1)
                #expect(used != "\(port)")
            }
        }
    }

    @Test("An interrupt ends it with all it started", arguments: [SIGINT, SIGTERM])
    func interrupt(_ signal: Int32) throws {
        try expectNothingLeft(expecting: .exited(0)) { $0.signal(signal) }
    }

    @Test("Even when it is killed, it leaves nothing running")
    func killed() throws {
        try expectNothingLeft(expecting: .signalled(SIGKILL)) { $0.signal(SIGKILL) }
    }

    @Test("It ends by itself, and says why, when its backend dies")
    func backendDies() throws {
        try expectNothingLeft(expecting: .exited(1)) { demo in
            for child in demo.children() { Glibc.kill(child, SIGKILL) }
        }
    }

    private func expectNothingLeft(expecting ending: ChildProcess.Ending, after end: (ChildProcess) -> Void) throws {
        try withTemporaryFolder { folder in
            try play(listen: "127.0.0.1:0", in: folder) { demo in
                let children = demo.children()
                #expect(!children.isEmpty)
                end(demo)
                let ended = try demo.waitForEnd()
                #expect(ended == ending, "\(demo.errors)\(demo.output.suffix(500))")
                try eventually("the demo's children are gone") { !children.contains { ChildProcess.isAlive($0) } }
            }
        }
    }
}
