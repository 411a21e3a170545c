// The example of the audience migration, as a newcomer plays it: every step goes as its README tells.

import Foundation
import Glibc
import Testing

@Suite("The example of an audience migration", .scenario)
struct AudienceMigrationTests {
    private static let script = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Examples/audience-migration/story.mjs").path

    private func start(in folder: URL) throws -> ChildProcess {
        try ChildProcess("node", [Self.script, ProxyProcess.binary], in: folder, name: "story")
    }

    /// What stands under a heading.
    private func step(_ title: String, of output: String) throws -> Substring {
        let heading = try #require(output.firstRange(of: "── \(title)"), "there is no step '\(title)'")
        let rest = output[heading.upperBound...]
        return rest[..<(rest.firstRange(of: "\n── ")?.lowerBound ?? rest.endIndex)]
    }

    /// The answers of a step: who called, and what came back.
    private func answers(in step: Substring) -> [String] {
        step.matches(of: /\n  (web|cli)  GET \/orders  with [^\n]*\n    (\d{3})  (\S+)/).map { match in
            "\(match.1) \(match.2)" + (match.3.hasPrefix("{") ? "" : " \(match.3)")
        }
    }

    @Test("Each step goes as it is told, and the API sees no token whose signature does not hold")
    func story() throws {
        try withTemporaryFolder { folder in
            let story = try start(in: folder)
            let ending = try story.waitForEnd(within: 240)
            #expect(ending == .exited(0), "\(story.errors)\(story.output.suffix(3000))")
            let output = story.output

            let without = try step("0. Without the bridge", of: output)
            #expect(answers(in: without) == ["web 200", "cli 401"])
            #expect(without.contains("jwt audience invalid. expected: SDFWRGRRSFDF3214"))

            let bridge = try step("1. The bridge in front", of: output)
            #expect(answers(in: bridge) == ["web 200", "cli 200", "cli 401 bad_signature"])
            #expect(bridge.matches(of: /\n {9}sunset: .* GMT\n/).count == 2)

            let moved = try step("2. The CLI moves", of: output)
            #expect(answers(in: moved) == ["cli 200", "web 200"])
            #expect(moved.matches(of: /\n {9}sunset: .* GMT\n/).count == 1)

            let left = try step("3. Who is left?", of: output)
            #expect(left.contains("\n  1 of 2 is still used: web.\n\n  (exit status 1)\n"))

            let brownout = try step("4. A brownout", of: output)
            #expect(answers(in: brownout) == ["web 401 legacy_audience_brownout", "cli 200", "web 200"])
            #expect(brownout.contains("\n  None was used since "))
            #expect(brownout.contains("\n  (exit status 0)\n"))

            let end = try step("5. The cut-off", of: output)
            #expect(answers(in: end) == ["web 401 legacy_audience_expired", "web 200", "cli 200"])
            #expect(end.contains("is not accepted any more, since "))
            #expect(end.contains("This API's audience is \"https://api.example.com\" now."))

            // Two without the bridge, and then what was admitted, in order.
            let seen = try step("What the API has seen", of: output).split(separator: "\n").filter { $0.hasPrefix("  GET ") }
            let good = "  GET /orders 200 auth0|alice"
            let bad = "  GET /orders 401 jwt audience invalid. expected: SDFWRGRRSFDF3214"
            #expect(seen.map(String.init) == [good, bad] + Array(repeating: good, count: 8))
        }
    }

    @Test("Killed at any step, it leaves nothing running")
    func killed() throws {
        try withTemporaryFolder { folder in
            let story = try start(in: folder)
            try eventually("the bridge is in front", within: 120) {
                if let ending = story.ended { throw ScenarioError("the story ended (\(ending)):\n\(story.errors)") }
                return story.output.contains("── 2.")
            }
            let shells = story.children()
            let programs = shells.flatMap { ChildProcess.children(of: $0) }
            // The issuer, the API and, where it is not being started anew, the proxy.
            #expect(programs.count >= 2)
            story.signal(SIGKILL)
            #expect(try story.waitForEnd() == .signalled(SIGKILL))
            try eventually("its programs are gone") {
                !(shells + programs).contains { ChildProcess.isAlive($0) }
            }
            // Nobody was there to take its folder away.
            for name in story.output.matches(of: /audience-migration-\w{6}/).map({ String($0.output) }) {
                try? FileManager.default.removeItem(at: FileManager.default.temporaryDirectory.appending(path: name))
            }
        }
    }
}
