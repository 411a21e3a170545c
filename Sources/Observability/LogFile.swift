// A log's bytes on their way out, without ever making a worker wait.
//
// Workers hand over whole lines; one serial queue writes them. Where the disk is full or the pipe is stuck,
// at most `backlogBytesMax` are held, what comes after that is dropped, and the number of lost lines is said
// in the log itself, in the log's own form, once it moves again.

import Dispatch
import Glibc
import Synchronization

public final class LogFile: Sendable {
    /// Bytes handed over and not yet written, at most.
    public static let backlogBytesMax = 8 << 20

    private let descriptor: Int32
    private let lossNote: @Sendable (_ lines: Int) -> String
    /// Nil for the standard ones, which stay open.
    private let path: String?
    private let queue: DispatchQueue
    private let backlog = Atomic<Int>(0)
    private let lost = Atomic<Int>(0)

    /// Standard output (1) or standard error (2), which stay open. `lossNote` makes the line that tells of lost ones.
    public init(standardDescriptor descriptor: Int32, lossNote: @escaping @Sendable (_ lines: Int) -> String) {
        self.descriptor = descriptor
        self.lossNote = lossNote
        path = nil
        queue = DispatchQueue(label: "antechamber.log.\(descriptor)")
    }

    /// Appends to the file at `path`, made where it is not there (mode 0640).
    ///
    /// - Throws: the system's reason as text.
    public init(
        appendingTo path: String, lossNote: @escaping @Sendable (_ lines: Int) -> String
    ) throws(LogFileError) {
        self.lossNote = lossNote
        descriptor = LogFile.openForAppending(path)
        if descriptor < 0 { throw LogFileError(path: path, reason: unsafe String(cString: strerror(errno))) }
        self.path = path
        queue = DispatchQueue(label: "antechamber.log.\(path)")
    }

    deinit {
        if path != nil { Glibc.close(descriptor) }
    }

    /// Hands over `bytes`, which hold `lines` whole lines.
    public func write(_ bytes: [UInt8], lines: Int) {
        let held = backlog.add(bytes.count, ordering: .relaxed).newValue
        if held > LogFile.backlogBytesMax {
            backlog.subtract(bytes.count, ordering: .relaxed)
            lost.add(lines, ordering: .relaxed)
            return
        }
        queue.async {
            let missing = self.lost.exchange(0, ordering: .relaxed)
            if missing > 0, !self.writeAll(Array(self.lossNote(missing).utf8)) {
                self.lost.add(missing, ordering: .relaxed)
            }
            if !self.writeAll(bytes) { self.lost.add(lines, ordering: .relaxed) }
            self.backlog.subtract(bytes.count, ordering: .relaxed)
        }
    }

    /// Opens the file anew, after whoever rotates logs has moved it away. Lines handed over before go to the old one,
    /// and where the new one cannot be opened, the later ones do too.
    public func reopen() throws(LogFileError) {
        guard let path else { return }
        let fresh = LogFile.openForAppending(path)
        if fresh < 0 { throw LogFileError(path: path, reason: unsafe String(cString: strerror(errno))) }
        queue.async {
            // In place, so that no reader of `descriptor` sees it closed.
            dup2(fresh, self.descriptor)
            _ = fcntl(self.descriptor, F_SETFD, FD_CLOEXEC)
            Glibc.close(fresh)
        }
    }

    private static func openForAppending(_ path: String) -> Int32 {
        unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
    }

    /// Waits until what was handed over is written, for at most `timeoutMilliseconds`.
    public func flush(timeoutMilliseconds: Int) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + .milliseconds(timeoutMilliseconds))
    }

    /// False where the descriptor takes no more (a full disk, a reader that is gone).
    private func writeAll(_ bytes: [UInt8]) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
            }
            if count > 0 {
                written += count
            } else if errno == EAGAIN {
                // Someone made the shared descriptor non-blocking: wait for room here, on the log's own queue.
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&wait, 1, 1000)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}

/// A log that cannot be opened.
public struct LogFileError: Error, Sendable, CustomStringConvertible {
    public let path: String
    public let reason: String

    public var description: String { "cannot open log '\(path)': \(reason)" }
}
