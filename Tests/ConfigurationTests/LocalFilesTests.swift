import Configuration
import Foundation
import Testing

@Suite("Files of this machine")
struct LocalFilesTests {
    private let files = LocalFiles()

    /// Runs with a directory of its own, removed afterwards.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "/configuration-\(UUID().uuidString)/"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test("a file is read whole, up to the bound")
    func read() throws {
        try withDirectory { directory in
            let content = [UInt8]((0..<40_000).map { UInt8($0 % 251) })
            try Data(content).write(to: URL(fileURLWithPath: directory + "a"))
            #expect(try files.read(directory + "a", bytesMax: 40_000) == content)
            #expect(throws: FileProblem(reason: "it has more than 39999 bytes")) {
                try files.read(directory + "a", bytesMax: 39_999)
            }
        }
    }

    @Test("why a file cannot be read is said")
    func problems() throws {
        try withDirectory { directory in
            #expect(throws: FileProblem(reason: "No such file or directory")) {
                try files.read(directory + "none", bytesMax: 1)
            }
            #expect(throws: FileProblem(reason: "Is a directory")) { try files.read(directory, bytesMax: 1) }
            #expect(throws: FileProblem(reason: "its name holds a NUL")) {
                try files.read(directory + "\u{0}", bytesMax: 1)
            }
            #expect(throws: FileProblem(reason: "it has more than 100 bytes")) {
                try files.read("/dev/zero", bytesMax: 100)
            }
        }
    }

    @Test("a file that everybody may read is told from one that not everybody may")
    func readableByEveryone() throws {
        try withDirectory { directory in
            for (name, mode, isReadable) in [("a", 0o644, true), ("b", 0o640, false), ("c", 0o604, true), ("d", 0o600, false)] {
                try Data().write(to: URL(fileURLWithPath: directory + name))
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: directory + name)
                #expect(files.isReadableByEveryone(directory + name) == isReadable, "\(name)")
            }
            #expect(!files.isReadableByEveryone(directory + "none"))
            #expect(!files.isReadableByEveryone(directory + "a\u{0}"))
        }
    }

    @Test("a pattern gives the paths that match, in order")
    func glob() throws {
        try withDirectory { directory in
            for name in ["b.conf", "a.conf", "c.txt"] {
                try Data().write(to: URL(fileURLWithPath: directory + name))
            }
            #expect(try files.paths(matching: directory + "*.conf") == [directory + "a.conf", directory + "b.conf"])
            #expect(try files.paths(matching: directory + "*.none") == [])
        }
    }

    @Test("a pipe that nobody writes to reads as empty, and not for ever")
    func pipe() throws {
        try withDirectory { directory in
            try #require(unsafe mkfifo(directory + "pipe", 0o600) == 0)
            let bytes = try files.read(directory + "pipe", bytesMax: 1)
            #expect(bytes == [])
        }
    }

    @Test("an include is found below a directory whose name looks like a pattern", arguments: ["extra.conf", "ex*.conf"])
    func oddDirectory(include: String) throws {
        try withDirectory { parent in
            let directory = parent + "a[1]*?\\/"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try "upstream http://a; issuer https://b { audience c; }\ninclude \(include);\n"
                .write(toFile: directory + "proxy.conf", atomically: true, encoding: .utf8)
            try "error_detail terse;\n".write(toFile: directory + "extra.conf", atomically: true, encoding: .utf8)
            let result = ConfigurationLoader.load(file: directory + "proxy.conf", environment: [:])
            #expect(result.configuration?.admission.errorDetail == .terse)
            // A plain name has to be there.
            try "include absent.conf;\n".write(toFile: directory + "extra.conf", atomically: true, encoding: .utf8)
            #expect(ConfigurationLoader.load(file: directory + "proxy.conf", environment: [:]).configuration == nil)
        }
    }

    @Test("a configuration of several files loads from disk")
    func load() throws {
        try withDirectory { directory in
            try "upstream http://127.0.0.1:3000;\ninclude conf.d/*.conf;\n"
                .write(toFile: directory + "proxy.conf", atomically: true, encoding: .utf8)
            try FileManager.default.createDirectory(
                atPath: directory + "conf.d", withIntermediateDirectories: true)
            try "issuer https://issuer.example/ { audience a; }\n"
                .write(toFile: directory + "conf.d/issuer.conf", atomically: true, encoding: .utf8)
            let result = ConfigurationLoader.load(file: directory + "proxy.conf", environment: [:])
            #expect(result.configuration?.admission.issuers.map(\.audiences) == [["a"]])
        }
    }
}
