// The one place where OpenSSL's results become Swift's: every call that can fail goes through `succeed` or
// `handle`, which clear the thread's error queue first and empty it again when they have read it. What an earlier
// call left behind is thus never taken for this call's reason, and no later reader of the queue (SSL_get_error is
// one) trips over ours.

internal import COpenSSL

/// A failure inside OpenSSL: which step failed, and the reason its error queue gave.
public struct OpenSSLError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The OpenSSL function that failed.
    public let operation: String
    /// OpenSSL's own words, or "no reason given".
    public let reason: String

    public var description: String { "\(operation): \(reason)" }

    /// Reads and empties the error queue of this thread.
    static func taken(after operation: StaticString) -> OpenSSLError {
        // The last entry is the outermost; the first is the cause.
        let code = ERR_peek_error()
        ERR_clear_error()
        var reason = "no reason given"
        if let text = unsafe ERR_reason_error_string(code) { reason = unsafe String(cString: text) }
        return OpenSSLError(operation: "\(operation)", reason: reason)
    }
}

/// Runs a call that returns 1 for success.
func succeed(_ operation: StaticString, _ call: () -> Int32) throws(OpenSSLError) {
    ERR_clear_error()
    if call() != 1 { throw .taken(after: operation) }
}

/// Runs a call that returns something to be freed with `free`, or null.
func handle(
    _ operation: StaticString, freedBy free: @escaping (OpaquePointer) -> Void, _ make: () -> OpaquePointer?
) throws(OpenSSLError) -> Handle {
    ERR_clear_error()
    guard let raw = unsafe make() else { throw .taken(after: operation) }
    return unsafe Handle(owning: raw, freedBy: free)
}

/// Sole owner of one OpenSSL object, which goes with it.
@safe
struct Handle: ~Copyable {
    let raw: OpaquePointer
    private let free: (OpaquePointer) -> Void

    @unsafe
    init(owning raw: OpaquePointer, freedBy free: @escaping (OpaquePointer) -> Void) {
        unsafe self.raw = unsafe raw
        unsafe self.free = free
    }

    deinit { unsafe free(raw) }
}
