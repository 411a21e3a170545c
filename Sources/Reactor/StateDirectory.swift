// Files that have to survive a restart, and a crash in the middle of writing one.
//
// A file is replaced whole or not at all: the bytes go into another file of the same directory, which is synced and
// renamed over it, and the directory is synced last, as the rename is the directory's. A crash leaves the old file or
// the new one, and at worst one beside it that nobody reads.
//
// What is read back may decide who is admitted, so it has to be ours: a regular file of this process's user that nobody
// else can write to. In a directory that others can write to they can delete files, and not put any in their place.
//
// All of this may block, on a disk or a network, so it is done on a queue of the directory's own and never on a loop.

import Dispatch
import Glibc

/// A directory whose files are replaced whole. May be used from anywhere.
public final class StateDirectory: Sendable {
    private let path: String
    private let queue: DispatchQueue

    /// Touches nothing: a directory that is not there fails each call.
    public init(_ path: String) {
        self.path = path
        queue = DispatchQueue(label: "antechamber.state")
    }

    /// Has the file `name` hold exactly `bytes`, readable and writable by this process's user alone (mode 0600), and
    /// tells `completion`, on a queue of its own, that it is on the disk or why it is not. Calls are carried out in
    /// their order; how many are under way is the caller's to bound.
    public func replace(
        _ name: String, with bytes: [UInt8], completion: @escaping @Sendable (SystemError?) -> Void
    ) {
        let path = file(name)
        queue.async {
            do throws(SystemError) {
                try Self.replace(path, with: bytes, in: self.path)
                completion(nil)
            } catch {
                completion(error)
            }
        }
    }

    /// Hands the bytes of the file `name` to `completion`, on a queue of its own: nil where there is no such file.
    public func read(
        _ name: String, bytesMax: Int,
        completion: @escaping @Sendable (Result<[UInt8]?, StateFileError>) -> Void
    ) {
        let path = file(name)
        queue.async {
            do throws(StateFileError) {
                completion(.success(try Self.read(path, bytesMax: bytesMax)))
            } catch {
                completion(.failure(error))
            }
        }
    }

    private func file(_ name: String) -> String {
        precondition(!name.isEmpty && !name.hasPrefix(".") && !name.utf8.contains(UInt8(ascii: "/")), "a name, not a path")
        return path + "/" + name
    }

    // MARK: On the queue

    private static func replace(_ path: String, with bytes: [UInt8], in directory: String) throws(SystemError) {
        // At random, and new: two processes may share a directory, and nothing that lies there is to be written to.
        let fresh = path + "." + String(UInt64.random(in: .min ... .max), radix: 36)
        let descriptor = unsafe open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw SystemError("open") }
        do throws(SystemError) {
            defer { close(descriptor) }
            try write(bytes, to: descriptor)
            if fsync(descriptor) != 0 { throw SystemError("fsync") }
        } catch {
            _ = unsafe unlink(fresh)
            throw error
        }
        if unsafe rename(fresh, path) != 0 {
            let error = SystemError("rename")
            _ = unsafe unlink(fresh)
            throw error
        }
        try sync(directory: directory)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
            }
            if count < 0 && errno != EINTR { throw SystemError("write") }
            written += max(0, count)
        }
    }

    private static func sync(directory: String) throws(SystemError) {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw SystemError("open") }
        defer { close(descriptor) }
        // A file system that cannot sync a directory says EINVAL: there is nothing more to be done.
        if fsync(descriptor) != 0 && errno != EINVAL { throw SystemError("fsync") }
    }

    private static func read(_ path: String, bytesMax: Int) throws(StateFileError) -> [UInt8]? {
        // Neither a link nor, not blocking, a pipe that nobody writes to.
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw errno == ELOOP ? .notAFile : .failed(SystemError("open"))
        }
        defer { close(descriptor) }
        var status = stat()
        if unsafe fstat(descriptor, &status) != 0 { throw .failed(SystemError("fstat")) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
        guard status.st_uid == geteuid() else { throw .ofAnotherUser }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else { throw .writableByOthers }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count == 0 { return bytes }
            if count < 0 && errno != EINTR { throw .failed(SystemError("read")) }
            bytes += chunk.prefix(max(0, count))
            if bytes.count > bytesMax { throw .tooLarge(bytesMax) }
        }
    }
}

/// Why what lies in a state directory is not read.
public enum StateFileError: Error, Sendable, Equatable {
    case failed(SystemError)
    case notAFile
    case ofAnotherUser
    case writableByOthers
    /// More than so many bytes.
    case tooLarge(Int)

    /// The same words for the same failure.
    public var reason: String {
        switch self {
        case .failed(let error): error.reason
        case .notAFile: "it is not a regular file"
        case .ofAnotherUser: "it belongs to another user"
        case .writableByOthers: "others can write to it"
        case .tooLarge(let bytesMax): "it has more than \(bytesMax) bytes"
        }
    }
}
