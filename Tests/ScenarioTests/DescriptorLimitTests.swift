// How many connections the process may hold: what the system lets it have, not the soft limit that it was started with.

import Foundation
import Testing

@Suite("Descriptors", .scenario)
struct DescriptorLimitTests {
    @Test("The soft limit on open files is raised to the hard one, and more connections than it allowed are served")
    func raised() throws {
        let atStart = 64
        try withTemporaryFolder { folder in
            let proxy = try ProxyProcess(
                arguments: [
                    "run", "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:1", "--issuer",
                    "http://127.0.0.1:1/", "--audience", Scene.audience,
                ],
                descriptorsAtStart: atStart, in: folder)
            let limits = try Self.openFiles(of: proxy.child)
            #expect(limits.hard > atStart)
            #expect(limits.soft == limits.hard)

            let clients = try (0..<2 * atStart).map { _ in try RawClient(port: proxy.port) }
            for client in clients {
                try client.get()
                #expect(try client.response().status == 401)
            }
        }
    }

    /// The line of proc_pid_limits(5).
    private static func openFiles(of child: ChildProcess) throws -> (soft: Int, hard: Int) {
        let text = try String(contentsOfFile: "/proc/\(child.id)/limits", encoding: .utf8)
        let match = try #require(text.firstMatch(of: /Max open files +([0-9]+) +([0-9]+) +files/), "\(text)")
        return (try #require(Int(match.1)), try #require(Int(match.2)))
    }
}
