// Files of the kernel's that hold a line or two.

import Glibc

/// Reads them whole.
public enum SmallFile {
    /// What lies beyond is not read.
    public static let bytesMax = 4096

    /// The first `bytesMax` bytes as text, or nil where it cannot be read.
    public static func read(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return nil }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }
}
