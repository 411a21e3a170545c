// One field line of a head or a trailer section, as places in the bytes that were parsed.

public import Bytes

/// A field line (RFC 9110 §5): where its name and its value stand, and which known field it is.
public struct Field: Sendable, Equatable {
    public var name: ByteRange
    /// Without the white space around it (RFC 9112 §5.1); may be empty.
    public var value: ByteRange
    public var kind: FieldKind

    @inlinable
    public init(name: ByteRange, value: ByteRange, kind: FieldKind) {
        self.name = name
        self.value = value
        self.kind = kind
    }
}

/// The fields that some step of a request's way asks for; every other one is `other`.
public enum FieldKind: UInt8, Sendable, CaseIterable {
    case other
    // Routing and framing.
    case host, contentLength, transferEncoding, trailer, te, expect
    // The connection (RFC 9110 §7.6.1).
    case connection, keepAlive, proxyConnection, upgrade, proxyAuthorization, proxyAuthenticate
    // Credentials.
    case authorization, wwwAuthenticate, cookie, setCookie, secWebSocketProtocol
    // The handshake of a WebSocket (RFC 6455 §11.3).
    case secWebSocketKey, secWebSocketAccept
    // What a decision or a response of our own looks at.
    case accept, acceptEncoding, origin, accessControlRequestMethod
    // What proxies tell each other.
    case forwarded, xForwardedFor, xForwardedProto, xForwardedHost, xRequestID, traceparent, tracestate
    // The content.
    case contentType, contentEncoding, contentRange
    // Controls of a request or a response (RFC 9110 §6.5.1).
    case cacheControl, date, range, ifNoneMatch, vary, location, maxForwards
}

extension FieldKind {
    /// Whether the field speaks to the next hop only and is never forwarded (RFC 9110 §7.6.1).
    @inlinable
    public var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade, .proxyAuthenticate,
            .proxyAuthorization:
            true
        default:
            false
        }
    }

    /// Whether the field has no business in a trailer section: it frames, routes, authorises or controls a message
    /// that has already been acted upon (RFC 9110 §6.5.1). So it is with every field that is known here.
    @inlinable
    public var isForbiddenInTrailer: Bool { self != .other }
}

/// A set of field kinds, one bit each: which known fields a head has, asked without walking it.
public struct FieldKindSet: Sendable, Equatable {
    @usableFromInline var bits: UInt64 = 0

    @inlinable
    public init() {}

    /// Whether a field of that kind was put in; one look at a bit.
    @inlinable
    public func contains(_ kind: FieldKind) -> Bool { bits &>> UInt64(kind.rawValue) & 1 == 1 }

    /// Puts the kind in; once is as good as often.
    @inlinable
    public mutating func insert(_ kind: FieldKind) { bits |= 1 &<< UInt64(kind.rawValue) }
}
