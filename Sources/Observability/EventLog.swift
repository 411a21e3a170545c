// The error log: what happened to the process, one line an event, for whoever runs it.
//
// `2026-11-23T10:14:05.123Z warn  issuer https://…: …`. Never a token, never a query, never a body.

internal import Bytes
import Glibc
import Synchronization

/// How much an event matters. The raw values are the words of `error_log`.
public enum LogLevel: Int, Sendable, Comparable {
    case debug, info, notice, warn, error

    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

    var word: StaticString {
        switch self {
        case .debug: "debug "
        case .info: "info  "
        case .notice: "notice "
        case .warn: "warn  "
        case .error: "error "
        }
    }
}

public final class EventLog: Sendable {
    private let file: Mutex<LogFile>
    private let level: Atomic<Int>

    /// Events below `level` are not written.
    public init(_ file: LogFile, level: LogLevel) {
        self.file = Mutex(file)
        self.level = Atomic(level.rawValue)
    }

    public func log(_ level: LogLevel, _ message: @autoclosure () -> String) {
        if level.rawValue < self.level.load(ordering: .relaxed) { return }
        current.write(EventLog.line(level, message()), lines: 1)
    }

    /// The line that tells of lost ones.
    @Sendable
    public static func lossNote(lines: Int) -> String {
        String(decoding: line(.warn, "\(lines) lines lost: this log could not be written"), as: UTF8.self)
    }

    private static func line(_ level: LogLevel, _ message: String) -> [UInt8] {
        let line = ByteBuffer(capacity: 256)
        Timestamp.append(wallNanoseconds: Timestamp.now(), to: line)
        line.append(ASCII.space)
        line.append(level.word)
        // A message may quote what a peer said: a line break in it must not make a second line.
        for byte in message.utf8 { line.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte) }
        line.append(ASCII.lf)
        return line.readable.copied()
    }

    /// Goes on with this level, and in this file; nil: in the one at hand.
    public func become(_ file: LogFile?, level: LogLevel) {
        if let file { self.file.withLock { $0 = file } }
        self.level.store(level.rawValue, ordering: .relaxed)
    }

    private var current: LogFile { file.withLock { $0 } }

    public func reopen() throws(LogFileError) {
        try current.reopen()
    }

    public func flush(timeoutMilliseconds: Int) {
        current.flush(timeoutMilliseconds: timeoutMilliseconds)
    }
}
