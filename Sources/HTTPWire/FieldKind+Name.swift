// Which known field a name is: its length and its first letter leave one or two names to compare.

internal import Bytes

extension FieldKind {
    /// The kind of the field of that name, in any case of ASCII.
    public init(name: Span<UInt8>) {
        self = name.isEmpty ? .other : Self.lookUp(name)
    }

    private static func lookUp(_ name: Span<UInt8>) -> FieldKind {
        switch (name.count, ASCII.lowercased(name[0])) {
        case (2, UInt8(ascii: "t")): name.is("te", .te)
        case (4, UInt8(ascii: "h")): name.is("host", .host)
        case (4, UInt8(ascii: "d")): name.is("date", .date)
        case (4, UInt8(ascii: "v")): name.is("vary", .vary)
        case (5, UInt8(ascii: "r")): name.is("range", .range)
        case (6, UInt8(ascii: "a")): name.is("accept", .accept)
        case (6, UInt8(ascii: "c")): name.is("cookie", .cookie)
        case (6, UInt8(ascii: "e")): name.is("expect", .expect)
        case (6, UInt8(ascii: "o")): name.is("origin", .origin)
        case (7, UInt8(ascii: "t")): name.is("trailer", .trailer)
        case (7, UInt8(ascii: "u")): name.is("upgrade", .upgrade)
        case (8, UInt8(ascii: "l")): name.is("location", .location)
        case (9, UInt8(ascii: "f")): name.is("forwarded", .forwarded)
        case (10, UInt8(ascii: "c")): name.is("connection", .connection)
        case (10, UInt8(ascii: "k")): name.is("keep-alive", .keepAlive)
        case (10, UInt8(ascii: "s")): name.is("set-cookie", .setCookie)
        case (10, UInt8(ascii: "t")): name.is("tracestate", .tracestate)
        case (11, UInt8(ascii: "t")): name.is("traceparent", .traceparent)
        case (12, UInt8(ascii: "c")): name.is("content-type", .contentType)
        case (12, UInt8(ascii: "m")): name.is("max-forwards", .maxForwards)
        case (12, UInt8(ascii: "x")): name.is("x-request-id", .xRequestID)
        case (13, UInt8(ascii: "a")): name.is("authorization", .authorization)
        case (13, UInt8(ascii: "c")): name.is("cache-control", .cacheControl, or: "content-range", .contentRange)
        case (13, UInt8(ascii: "i")): name.is("if-none-match", .ifNoneMatch)
        case (14, UInt8(ascii: "c")): name.is("content-length", .contentLength)
        case (15, UInt8(ascii: "a")): name.is("accept-encoding", .acceptEncoding)
        case (15, UInt8(ascii: "x")): name.is("x-forwarded-for", .xForwardedFor)
        case (16, UInt8(ascii: "c")): name.is("content-encoding", .contentEncoding)
        case (16, UInt8(ascii: "p")): name.is("proxy-connection", .proxyConnection)
        case (16, UInt8(ascii: "w")): name.is("www-authenticate", .wwwAuthenticate)
        case (16, UInt8(ascii: "x")): name.is("x-forwarded-host", .xForwardedHost)
        case (17, UInt8(ascii: "s")): name.is("sec-websocket-key", .secWebSocketKey)
        case (17, UInt8(ascii: "t")): name.is("transfer-encoding", .transferEncoding)
        case (17, UInt8(ascii: "x")): name.is("x-forwarded-proto", .xForwardedProto)
        case (18, UInt8(ascii: "p")): name.is("proxy-authenticate", .proxyAuthenticate)
        case (20, UInt8(ascii: "s")): name.is("sec-websocket-accept", .secWebSocketAccept)
        case (19, UInt8(ascii: "p")): name.is("proxy-authorization", .proxyAuthorization)
        case (22, UInt8(ascii: "s")): name.is("sec-websocket-protocol", .secWebSocketProtocol)
        case (29, UInt8(ascii: "a")): name.is("access-control-request-method", .accessControlRequestMethod)
        default: .other
        }
    }
}

extension Span where Element == UInt8 {
    @inline(__always)
    fileprivate func `is`(_ spelling: StaticString, _ kind: FieldKind) -> FieldKind {
        equalsIgnoringCase(spelling) ? kind : .other
    }

    fileprivate func `is`(
        _ spelling: StaticString, _ kind: FieldKind, or another: StaticString, _ anotherKind: FieldKind
    ) -> FieldKind {
        equalsIgnoringCase(spelling) ? kind : `is`(another, anotherKind)
    }
}
