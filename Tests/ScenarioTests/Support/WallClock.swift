// A wall clock that a scenario sets, for the proxies that it starts with it.

import Foundation

/// The wall clock of child processes, moved by a library that is preloaded into them.
final class WallClock {
    private let file: FileHandle
    /// What a child has to be started with.
    let environment: [String: String]

    /// In step with the machine's own. Its files are put into `folder`.
    init(in folder: URL) throws {
        let (library, offset) = (folder.appending(path: "wall_clock.so"), folder.appending(path: "wall_clock"))
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "C/wall_clock.c")
        // The compiler that every Swift toolchain has.
        let compiler = try ChildProcess(
            "clang", ["-shared", "-fPIC", "-O1", "-o", library.path, source.path], in: folder, name: "clang")
        guard try compiler.waitForEnd() == .exited(0) else { throw ScenarioError("clang: \(compiler.errors)") }
        try Data(count: 8).write(to: offset)
        file = try FileHandle(forWritingTo: offset)
        environment = ["LD_PRELOAD": library.path, "WALL_CLOCK_FILE": offset.path]
    }

    /// Sets it: so many seconds ahead of the machine's, or behind.
    func set(ahead seconds: Int) throws {
        try file.seek(toOffset: 0)
        // An int64_t of the machines that Swift runs on, whose least significant byte comes first.
        try file.write(contentsOf: Data((0..<8).map { UInt8(truncatingIfNeeded: seconds >> (8 * $0)) }))
    }
}
