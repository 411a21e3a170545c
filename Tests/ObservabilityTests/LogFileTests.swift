// What becomes of lines that cannot be written, for a while or for good.

import Foundation
import Glibc
import Observability
import Synchronization
import Testing

@Suite("Log files", .serialized)
struct LogFileTests {
    /// What was told when a log was written again.
    private final class Notes: Sendable {
        private let all = Mutex<[Int]>([])
        var told: [Int] { all.withLock { $0 } }
        func recovered(_ lines: Int) { all.withLock { $0.append(lines) } }
    }

    @Sendable private static func note(_ lines: Int) -> String { "lost \(lines)\n" }

    private static func line(_ number: Int, bytes: Int) -> String {
        let start = "line \(number) "
        return start + String(repeating: "x", count: bytes - start.utf8.count - 1) + "\n"
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "/log-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func wait(for condition: () -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: 60)
        while !condition() {
            try #require(Date() < deadline)
            usleep(2000)
        }
    }

    /// What comes out of a descriptor until the text ends so.
    private func read(_ descriptor: Int32, upTo end: String) throws -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while !bytes.suffix(end.utf8.count).elementsEqual(end.utf8) {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            try #require(count > 0)
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("A pipe that nobody reads holds nobody up; what is lost is counted, and told of once, with every other line whole")
    func stuckPipe() throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        let notes = Notes()
        let losses = LostLines()
        let log = LogFile(
            standardDescriptor: ends[1], losses: losses, lossNote: Self.note, recovered: { notes.recovered($0) })
        // Nobody reads while this goes on: a write that waits would wait for ever.
        let count = LogFile.backlogBytesMax / 1024 + 3000
        for number in 0..<count { log.write(Array(Self.line(number, bytes: 1024).utf8), lines: 1) }
        let lost = Int(losses.count)
        // What the pipe holds by itself is 64 KiB.
        #expect((2900...3000).contains(lost))
        #expect(notes.told.isEmpty)

        let kept = try read(ends[0], upTo: Self.line(count - lost - 1, bytes: 1024))
        log.write(Array("last\n".utf8), lines: 1)
        let lines = try (kept + read(ends[0], upTo: "last\n")).split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("lost") } == ["lost \(lost)"])
        let numbers = lines.filter { $0.hasPrefix("line ") }
        #expect(numbers.map { $0 + "\n" } == (0..<count - lost).map { Substring(Self.line($0, bytes: 1024)) })
        #expect(lines.count == count - lost + 2)
        log.flush(timeoutMilliseconds: 60_000)
        #expect(notes.told == [lost])
        #expect(losses.count == UInt64(lost))
    }

    @Test("On a full disk every line is lost and counted, and the log goes on where there is room again", arguments: [true, false])
    func fullDisk(hasNote: Bool) throws {
        try withFolder { folder in
            let (path, file) = (folder + "/log", folder + "/file")
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
            let notes = Notes()
            let note: @Sendable (Int) -> String = { hasNote ? Self.note($0) : "" }
            let losses = LostLines()
            let log = try LogFile(
                appendingTo: path, losses: losses, lossNote: note, recovered: { notes.recovered($0) })
            for _ in 0..<3 { log.write(Array("a\nb\nc\n".utf8), lines: 3) }
            log.flush(timeoutMilliseconds: 60_000)
            #expect(losses.count == 9)
            #expect(notes.told.isEmpty)

            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: file)
            try log.reopen()
            for _ in 0..<2 { log.write(Array("d\n".utf8), lines: 1) }
            log.flush(timeoutMilliseconds: 60_000)
            #expect(try String(contentsOfFile: file, encoding: .utf8) == (hasNote ? "lost 9\n" : "") + "d\nd\n")
            #expect(notes.told == [9])
            #expect(losses.count == 9)
        }
    }

    @Test("A line that was cut off has no other on its line, and counts as lost, it alone of those before it")
    func cutLine() throws {
        signal(SIGPIPE, SIG_IGN)
        try withFolder { folder in
            let path = folder + "/fifo"
            try #require(unsafe mkfifo(path, 0o600) == 0)
            #expect(throws: LogFileError.self) { try LogFile(appendingTo: path, lossNote: Self.note) }
            let first = unsafe open(path, O_RDONLY | O_NONBLOCK)
            let losses = LostLines()
            let log = try LogFile(appendingTo: path, losses: losses, lossNote: Self.note)
            log.write(Array((0..<200).map { Self.line($0, bytes: 1000) }.joined().utf8), lines: 200)
            var held: Int32 = 0
            try wait {
                _ = unsafe ioctl(first, UInt(FIONREAD), &held)
                return held == 65_536
            }
            // The last reader goes, and what the pipe holds stays for the next one.
            let second = unsafe open(path, O_RDONLY | O_NONBLOCK)
            close(first)
            var chunk = [UInt8](repeating: 0, count: 2000)
            try #require(unsafe Glibc.read(second, &chunk, chunk.count) == 2000)
            close(second)
            try wait { losses.count > 0 }
            let lost = Int(losses.count)

            let third = unsafe open(path, O_RDONLY)
            defer { close(third) }
            log.write(Array("next\n".utf8), lines: 1)
            let lines = try read(third, upTo: "next\n").split(separator: "\n")
            let whole = lines.filter { $0.utf8.count == 999 }
            #expect(lines.suffix(2) == ["lost \(lost)", "next"])
            #expect(whole.count == 200 - lost - 2)
            #expect(lines.count == whole.count + 3)
            #expect(lines[whole.count].hasPrefix("line \(200 - lost) "))
        }
    }

    @Test("Reopened, a log goes to a new file, and what was handed over before to the old one")
    func reopened() throws {
        try withFolder { folder in
            let log = try LogFile(appendingTo: folder + "/log", lossNote: Self.note)
            log.write(Array("old\n".utf8), lines: 1)
            try FileManager.default.moveItem(atPath: folder + "/log", toPath: folder + "/log.1")
            log.write(Array("older\n".utf8), lines: 1)
            try log.reopen()
            log.write(Array("new\n".utf8), lines: 1)
            log.flush(timeoutMilliseconds: 60_000)
            #expect(try String(contentsOfFile: folder + "/log.1", encoding: .utf8) == "old\nolder\n")
            #expect(try String(contentsOfFile: folder + "/log", encoding: .utf8) == "new\n")
        }
    }
}
