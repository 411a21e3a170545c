// What a system call said, kept at the call: errno is gone by the time anyone asks again.

import Glibc

/// A failed system call and its errno.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    public let call: String
    public let code: Int32

    /// Takes the errno of the call that failed just now.
    init(_ call: String) {
        self.call = call
        code = errno
    }

    public init(_ call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// The system's own words, such as "Connection refused".
    public var reason: String {
        unsafe String(cString: strerror(code))
    }

    public var description: String { "\(call): \(reason)" }

    public var isAddressInUse: Bool { code == EADDRINUSE }
    /// The process or the machine has no descriptors or buffers left.
    public var isExhaustion: Bool { code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM }
}
