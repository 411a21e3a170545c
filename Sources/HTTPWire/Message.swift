// What a request and a response have in common: version, method, and how the body is delimited.

internal import Bytes

/// The versions that are spoken (RFC 9112 §2.3); every other one is refused.
public enum HTTPVersion: Sendable, Equatable { case http10, http11 }

/// A request method (RFC 9110 §9.3). Names are case-sensitive: `get` is `other`.
public enum Method: UInt8, Sendable, Equatable {
    case get, head, post, put, patch, delete, options, connect, trace, other
}

/// How the end of a body is found (RFC 9112 §6.3).
public enum BodyFraming: Sendable, Equatable {
    /// The message ends with its head.
    case none
    /// Exactly as many bytes follow.
    case length(UInt64)
    /// The chunked coding, read by `ChunkedDecoder`.
    case chunked
    /// All bytes until the connection closes. Responses only.
    case untilClose
}

/// What stands where an HTTP-version belongs (RFC 9112 §2.3). The name is case-sensitive and each number one digit;
/// 1.2 to 1.9 were never defined, so that nobody can say how the backend would read them.
enum VersionToken {
    case spoken(HTTPVersion)
    case notSpoken
    case malformed

    init(_ bytes: Span<UInt8>) {
        if bytes.equals("HTTP/1.1") {
            self = .spoken(.http11)
        } else if bytes.equals("HTTP/1.0") {
            self = .spoken(.http10)
        } else if bytes.count == 8, bytes.extracting(..<5).equals("HTTP/"), ASCII.isDigit(bytes[5]),
            bytes[6] == UInt8(ascii: "."), ASCII.isDigit(bytes[7])
        {
            self = .notSpoken
        } else {
            self = .malformed
        }
    }
}
