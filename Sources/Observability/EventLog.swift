// The error log: what happened to the process, one line an event, for whoever runs it.
//
// `2026-11-23T10:14:05.123Z warn  issuer https://…: …`. Never a token, never a query, never a body.

internal import Bytes
import Glibc

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
    private let file: LogFile
    private let level: LogLevel

    /// Events below `level` are not written.
    public init(_ file: LogFile, level: LogLevel) {
        self.file = file
        self.level = level
    }

    public func log(_ level: LogLevel, _ message: @autoclosure () -> String) {
        if level < self.level { return }
        file.write(EventLog.line(level, message()), lines: 1)
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

    public func reopen() throws(LogFileError) {
        try file.reopen()
    }

    public func flush(timeoutMilliseconds: Int) {
        file.flush(timeoutMilliseconds: timeoutMilliseconds)
    }
}
