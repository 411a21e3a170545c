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
    /// The peer was asked for a certificate, which it has to have, and showed none; OpenSSL's words for it.
    case noCertificate(String)
    /// The two ends have no version, cipher, group or protocol within TLS in common; OpenSSL's words for what it is.
    case disagreement(String)
    /// The peer has sent a fatal alert, such as that it does not believe our certificate; OpenSSL's words for it.
    case alert(String)
    /// The peer broke the protocol; OpenSSL's words for it.
    case handshake(String)

    /// What happened, in constant words of OpenSSL's, the system's or our own.
    public var reason: String {
        switch self {
        case .truncated: "the connection ended without TLS's close_notify"
        case .socket(let code): unsafe String(cString: strerror(code))
        case .plainHTTP: "it spoke HTTP without TLS"
        case .certificate(let reason): "certificate verify failed: \(reason)"
        case .noCertificate(let reason), .disagreement(let reason), .alert(let reason), .handshake(let reason):
            "TLS: \(reason)"
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
