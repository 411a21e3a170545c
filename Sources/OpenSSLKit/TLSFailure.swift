// How a TLS connection breaks.

internal import COpenSSL
internal import Glibc

public enum TLSFailure: Error, Sendable, Equatable {
    /// The peer's bytes ended without `close_notify`: somebody else may have ended them (RFC 8446 §6.1), so that what came
    /// last cannot be taken for the end of anything.
    case truncated
    /// The socket failed, with this errno.
    case socket(Int32)
    /// The peer began with a request in clear.
    case plainHTTP
    /// The peer's certificate is not believed; OpenSSL's words for why.
    case certificate(String)
    /// The peer broke the protocol, or says that we did; OpenSSL's words for it.
    case handshake(String)

    /// What happened, in constant words of OpenSSL's, the system's or our own.
    public var reason: String {
        switch self {
        case .truncated: "the connection ended without TLS's close_notify"
        case .socket(let code): unsafe String(cString: strerror(code))
        case .plainHTTP: "it spoke HTTP without TLS"
        case .certificate(let reason): "certificate verify failed: \(reason)"
        case .handshake(let reason): "TLS: \(reason)"
        }
    }

    /// The same of a server that was connected to.
    public var connectReason: String {
        switch self {
        case .truncated: "TLS: it closed the connection within the handshake"
        // What OpenSSL calls bytes that are no record.
        case .handshake("wrong version number"): "TLS: it answered in something else (does it speak TLS?)"
        default: reason
        }
    }
}
