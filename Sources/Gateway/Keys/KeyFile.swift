// Reads a key set from disk, bounded, and without waiting on something that is no file.

import Glibc

enum KeyFile {
    /// The whole file, of at most `bytesMax` bytes.
    static func read(_ path: String, bytesMax: Int) throws(KeyFileError) -> [UInt8] {
        // Not blocking: the path may lead to a pipe that nobody writes to.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 { throw .failed(errno) }
        defer { close(descriptor) }
        var status = stat()
        if unsafe fstat(descriptor, &status) != 0 { throw .failed(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
        guard status.st_size <= bytesMax else { throw .tooLarge(bytesMax) }
        var bytes = [UInt8](repeating: 0, count: bytesMax + 1)
        var count = 0
        while count < bytes.count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
            }
            if got == 0 { break }
            if got < 0 && errno != EINTR { throw .failed(errno) }
            count += max(0, got)
        }
        // It may have grown since it was asked for its size.
        if count > bytesMax { throw .tooLarge(bytesMax) }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}

enum KeyFileError: Error, Equatable {
    /// With errno.
    case failed(Int32)
    case notAFile
    case tooLarge(Int)

    /// The same words for the same failure.
    var reason: String {
        switch self {
        case .failed(let code): unsafe String(cString: strerror(code))
        case .notAFile: "not a regular file"
        case .tooLarge(let bytesMax): "larger than \(bytesMax) bytes"
        }
    }
}
