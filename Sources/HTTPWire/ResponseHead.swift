// A parsed response head: offsets into the bytes it was parsed from, where 0 is the head's first byte.

public import Bytes

/// The head of a response whose end can be found in one way only (RFC 9112 §6.3). A class, as a request's is.
public final class ResponseHead {
    /// 100…599.
    public internal(set) var statusCode = 0
    /// The reason phrase as it was sent; may be empty.
    public internal(set) var reason: ByteRange = .empty
    public internal(set) var version: HTTPVersion = .http11
    /// In the order received. The storage is reused for the next head: keep no copy of it across the parser's
    /// `reset()`.
    public internal(set) var fields: [Field] = []
    /// The known fields among `fields`.
    public internal(set) var kinds = FieldKindSet()
    public internal(set) var body: BodyFraming = .none
    /// What Content-Length says, where there is one: in the response to a HEAD, and in a 304, it is about a body that
    /// does not follow (RFC 9110 §8.6).
    public internal(set) var contentLength: UInt64?
    /// Whether the connection may serve another request after this response (RFC 9112 §9.3).
    public internal(set) var isPersistent = false
    /// Whether there is an Upgrade field that Connection names, on HTTP/1.1 (RFC 9110 §7.8).
    public internal(set) var hasUpgrade = false
    /// Length in bytes of the head, the empty line that ends it included.
    public internal(set) var byteCount = 0

    init() {}

    /// An interim response: 1xx except 101. Another head follows it (RFC 9110 §15.2).
    @inlinable
    public var isInformational: Bool { statusCode < 200 && statusCode != 101 }

    /// 101: what follows the head is no longer HTTP (RFC 9110 §15.2.2).
    @inlinable
    public var isSwitchingProtocols: Bool { statusCode == 101 }

    /// The first field of that kind, or nil.
    @inlinable
    public func first(_ kind: FieldKind) -> Field? { fields.first(kind, in: kinds) }

    /// How many fields are of that kind.
    @inlinable
    public func count(of kind: FieldKind) -> Int { fields.count(of: kind, in: kinds) }

    /// Whether a Connection field names `name`, so that the field of that name ends at this hop (RFC 9110 §7.6.1).
    /// `bytes` are those the head was parsed from.
    public func connectionNominates(_ name: Span<UInt8>, in bytes: Span<UInt8>) -> Bool {
        kinds.contains(.connection) && fields.connectionNominates(name, in: bytes)
    }
}

/// Why a response head is not passed on. After any of these the upstream connection is unusable.
public struct ResponseError: Error, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// Breaks the grammar of RFC 9112.
        case malformed
        /// The body's end could be found in two ways, or by a coding that is not taken.
        case ambiguousFraming
        /// More bytes or fields than allowed.
        case headTooLarge
        /// HTTP, but neither 1.0 nor 1.1.
        case unsupportedVersion
    }

    public var kind: Kind
    /// What was wrong, for the log: a constant text that holds nothing the upstream sent.
    public var detail: String

    public init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}
