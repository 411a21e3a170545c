// What the process keeps of the memory that it once needed.

import Foundation
import Testing

@Suite("Memory", .scenario)
struct MemoryTests {
    @Test("All threads share the arenas of malloc, of which there are no more than workers", arguments: [1, 2])
    func arenas(workers: Int) throws {
        try Scene.play(workers: workers) { scene throws in
            let clients = try (0..<50).map { _ in try scene.client() }
            for client in clients { try client.get(token: scene.token()) }
            for client in clients { #expect(try client.response().status == 200) }
            // The first arena is no mapping of its own.
            let arenas = try Self.arenas(of: scene.proxy.child)
            #expect(arenas < workers, "\(arenas) beside the first")
        }
    }

    /// How many arenas there are beside the first, by proc_pid_maps(5): each lies in mappings that together fill 64 MiB, the
    /// front of which is in use, and the rest of which may not be touched yet.
    private static func arenas(of child: ChildProcess) throws -> Int {
        let size: UInt64 = 64 << 20
        let text = try String(contentsOfFile: "/proc/\(child.id)/maps", encoding: .utf8)
        let mappings = text.matches(of: /(?m)^([0-9a-f]+)-([0-9a-f]+) ([rwxp-]{4}) [0-9a-f]+ [0-9a-f:]+ 0 *$/).map {
            (start: UInt64($0.1, radix: 16)!, end: UInt64($0.2, radix: 16)!, rights: $0.3)
        }
        try #require(!mappings.isEmpty)
        return zip(mappings, mappings.dropFirst()).count { used, rest in
            used.start % size == 0 && used.rights == "rw-p" && used.end == rest.start && rest.rights == "---p"
                && rest.end == used.start + size
        }
    }
}
