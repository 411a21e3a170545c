// The file system, by way of open, read, stat and glob: the only part of this module that touches the outside world.

import Glibc

/// The files of this machine; relative paths start from the working directory.
public struct LocalFiles: ConfigurationFiles {
    private static let pipeTimeoutMilliseconds: Int32 = 10_000

    public init() {}

    /// What this machine's clock says, in Unix seconds.
    public static var unixSeconds: Int64 { Int64(time(nil)) }

    public func read(_ path: String, bytesMax: Int) throws(FileProblem) -> [UInt8] {
        // A path with a NUL would be opened only up to it.
        if path.utf8.contains(0) { throw FileProblem(reason: "its name holds a NUL") }
        // Not blocking: a pipe without a writer reads as empty, instead of never.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 { throw FileProblem(reason: Self.reason(errno)) }
        defer { close(descriptor) }

        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN {
                    // A pipe whose writer is not done, as a shell's <(…) makes one.
                    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                    if unsafe poll(&request, 1, Self.pipeTimeoutMilliseconds) > 0 { continue }
                    throw FileProblem(reason: "nothing comes from it")
                }
                throw FileProblem(reason: Self.reason(errno))
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > bytesMax { throw FileProblem(reason: "it has more than \(bytesMax) bytes") }
        }
    }

    public func isReadableByEveryone(_ path: String) -> Bool {
        var status = stat()
        guard !path.utf8.contains(0), unsafe stat(path, &status) == 0 else { return false }
        return status.st_mode & S_IROTH != 0
    }

    public func paths(matching pattern: String) throws(FileProblem) -> [String] {
        if pattern.utf8.contains(0) { throw FileProblem(reason: "its name holds a NUL") }
        var found = unsafe glob_t()
        defer { unsafe globfree(&found) }
        switch unsafe glob(pattern, GLOB_ERR, nil, &found) {
        case 0: break
        case GLOB_NOMATCH: return []
        default: throw FileProblem(reason: Self.reason(errno))
        }
        return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
            unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
        }
    }

    public func isWritableByOthers(directory path: String) throws(FileProblem) -> Bool {
        if path.utf8.contains(0) { throw FileProblem(reason: "its name holds a NUL") }
        var status = stat()
        if unsafe stat(path, &status) != 0 { throw FileProblem(reason: Self.reason(errno)) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw FileProblem(reason: Self.reason(ENOTDIR)) }
        if unsafe faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) != 0 { throw FileProblem(reason: Self.reason(errno)) }
        return status.st_mode & (S_IWGRP | S_IWOTH) != 0
    }

    private static func reason(_ code: Int32) -> String {
        unsafe String(cString: strerror(code))
    }
}
