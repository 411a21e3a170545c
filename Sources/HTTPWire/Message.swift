// What a request and a response have in common: version, method, and how the body is delimited.

/// The versions that are spoken (RFC 9112 §2.3); every other one is refused.
public enum HTTPVersion: Sendable, Equatable { case http10, http11 }

/// A request method (RFC 9110 §9.3). Names are case-sensitive: `get` is `other`.
public enum Method: UInt8, Sendable, Equatable { case get, head, post, put, patch, delete, options, connect, trace, other }

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
