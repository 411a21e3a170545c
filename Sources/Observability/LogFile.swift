// A log's bytes on their way out, without ever making a worker wait.
//
// Workers hand over whole lines; one serial queue writes them. Where the disk is full or the pipe is stuck,
// at most `backlogBytesMax` are held, what comes after that is dropped, and the number of lost lines is said
// in the log itself, in the log's own form, once it moves again. A line that was cut off stays alone on its line.

import Dispatch
import Glibc
import Synchronization

public final class LogFile: Sendable {
    /// Bytes handed over and not yet written, at most.
    public static let backlogBytesMax = 8 << 20

    private let descriptor: Int32
    private let lossNote: @Sendable (_ lines: Int) -> String
    private let recovered: (@Sendable (_ lines: Int) -> Void)?
    /// Nil for the standard ones, which stay open.
    private let path: String?
    private let queue: DispatchQueue
    private let backlog = Atomic<Int>(0)
    /// Lost, and not told of yet.
    private let lost = Atomic<Int>(0)
    private let losses: LostLines
    /// The log ends within a line. The queue's alone.
    private let isCut = Atomic<Bool>(false)

    /// A descriptor that is open and stays open: standard output (1) or standard error (2).
    ///
    /// - Parameters:
    ///   - losses: where lost lines are counted.
    ///   - lossNote: makes the line that tells of lost ones in the log itself; empty: there is none in its form.
    ///   - recovered: told of them too, once the log is written again.
    public init(
        standardDescriptor descriptor: Int32, losses: LostLines = LostLines(),
        lossNote: @escaping @Sendable (_ lines: Int) -> String, recovered: (@Sendable (_ lines: Int) -> Void)? = nil
    ) {
        self.losses = losses
        self.descriptor = descriptor
        self.lossNote = lossNote
        self.recovered = recovered
        path = nil
        queue = DispatchQueue(label: "antechamber.log.\(descriptor)")
    }

    /// Appends to the file at `path`, made where it is not there (mode 0640). Of a pipe nobody has open for reading, it
    /// cannot be opened.
    ///
    /// - Throws: the system's reason as text.
    public init(
        appendingTo path: String, losses: LostLines = LostLines(),
        lossNote: @escaping @Sendable (_ lines: Int) -> String, recovered: (@Sendable (_ lines: Int) -> Void)? = nil
    ) throws(LogFileError) {
        self.losses = losses
        self.lossNote = lossNote
        self.recovered = recovered
        descriptor = try LogFile.openForAppending(path)
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
            lose(lines)
            return
        }
        queue.async {
            self.append(bytes, lines: lines)
            self.backlog.subtract(bytes.count, ordering: .relaxed)
        }
    }

    /// Opens the file anew, after whoever rotates logs has moved it away. Lines handed over before go to the old one,
    /// and where the new one cannot be opened, the later ones do too.
    public func reopen() throws(LogFileError) {
        guard let path else { return }
        let fresh = try LogFile.openForAppending(path)
        queue.async {
            // In place, so that no reader of `descriptor` sees it closed.
            dup2(fresh, self.descriptor)
            _ = fcntl(self.descriptor, F_SETFD, FD_CLOEXEC)
            Glibc.close(fresh)
            self.isCut.store(false, ordering: .relaxed)
        }
    }

    private static func openForAppending(_ path: String) throws(LogFileError) -> Int32 {
        // Not blocking at first: a pipe without a reader would hold up whoever opens it.
        let descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o640)
        if descriptor < 0 { throw LogFileError(path: path, reason: unsafe String(cString: strerror(errno))) }
        _ = fcntl(descriptor, F_SETFL, O_APPEND)
        return descriptor
    }

    /// Waits until what was handed over is written, for at most `timeoutMilliseconds`.
    public func flush(timeoutMilliseconds: Int) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + .milliseconds(timeoutMilliseconds))
    }

    // MARK: On the queue

    private func append(_ bytes: [UInt8], lines: Int) {
        let missing = lost.exchange(0, ordering: .relaxed)
        if missing > 0 {
            let note = Array(lossNote(missing).utf8)
            guard put(note).isComplete else {
                lost.add(missing, ordering: .relaxed)
                lose(lines)
                return
            }
        }
        let (isComplete, linesWritten) = put(bytes)
        if !isComplete { lose(lines - linesWritten) }
        guard missing > 0 else { return }
        // Where the log's form has no note, only a line that went out shows that it moves again.
        if isComplete || !lossNote(missing).isEmpty {
            recovered?(missing)
        } else {
            lost.add(missing, ordering: .relaxed)
        }
    }

    private func lose(_ lines: Int) {
        lost.add(lines, ordering: .relaxed)
        losses.add(lines)
    }

    /// Writes whole lines, behind the end of one that was cut off, and tells how many of them went out whole.
    private func put(_ bytes: [UInt8]) -> (isComplete: Bool, linesWritten: Int) {
        if isCut.load(ordering: .relaxed) {
            guard writeAll([UInt8(ascii: "\n")]) == 1 else { return (false, 0) }
            isCut.store(false, ordering: .relaxed)
        }
        let written = bytes[..<writeAll(bytes)]
        if let last = written.last { isCut.store(last != UInt8(ascii: "\n"), ordering: .relaxed) }
        return (written.count == bytes.count, written.count { $0 == UInt8(ascii: "\n") })
    }

    /// Writes until all is out or the descriptor takes no more (a full disk, a reader that is gone): how many bytes went.
    private func writeAll(_ bytes: [UInt8]) -> Int {
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
                break
            }
        }
        return written
    }
}

/// A log that cannot be opened.
public struct LogFileError: Error, Sendable, CustomStringConvertible {
    public let path: String
    public let reason: String

    public var description: String { "cannot open log '\(path)': \(reason)" }
}
