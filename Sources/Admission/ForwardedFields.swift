// What this proxy tells the backend about the connection the request came by.

/// How the client reached us.
public enum ForwardedScheme: Sendable {
    case http
    case https

    var name: StaticString {
        switch self {
        case .http: "http"
        case .https: "https"
        }
    }
}

/// The values of `X-Forwarded-For`, `-Proto` and `X-Request-Id`, and the Host for a request without one.
///
/// All bytes are of our own making or the operator's, free of CR and LF.
public struct ForwardedFields: ~Escapable {
    /// The client's address without its port, an IPv6 address without brackets; empty (a Unix socket): no
    /// `X-Forwarded-For` is sent.
    public let clientAddress: Span<UInt8>
    public let scheme: ForwardedScheme
    public let requestID: Span<UInt8>
    /// `host[:port]` of the backend: the Host of an HTTP/1.0 request that named none (RFC 9112 §3.2 wants one).
    public let upstreamAuthority: Span<UInt8>

    @_lifetime(copy clientAddress, copy requestID, copy upstreamAuthority)
    public init(
        clientAddress: Span<UInt8>, scheme: ForwardedScheme, requestID: Span<UInt8>, upstreamAuthority: Span<UInt8>
    ) {
        self.clientAddress = clientAddress
        self.scheme = scheme
        self.requestID = requestID
        self.upstreamAuthority = upstreamAuthority
    }
}
