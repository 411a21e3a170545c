// Which known field a name is: its length and its first letter leave one or two names to compare.

internal import Bytes

extension FieldKind {
    /// The kind of the field of that name, in any case of ASCII.
    public init(name: Span<UInt8>) {
        self = name.isEmpty ? .other : Self.lookUp(name)
    }

    /// Both in one number, which the compiler finds among the others in a few steps; pairs it would compare one by one.
    @inline(__always)
    private static func key(_ count: Int, _ first: UInt8) -> Int { count &<< 8 | Int(first) }

    private static func lookUp(_ name: Span<UInt8>) -> FieldKind {
        switch key(name.count, ASCII.lowercased(name[0])) {
        case key(2, UInt8(ascii: "t")): name.is("te", .te)
        case key(4, UInt8(ascii: "h")): name.is("host", .host)
        case key(4, UInt8(ascii: "d")): name.is("date", .date)
        case key(4, UInt8(ascii: "v")): name.is("vary", .vary)
        case key(5, UInt8(ascii: "r")): name.is("range", .range)
        case key(6, UInt8(ascii: "a")): name.is("accept", .accept)
        case key(6, UInt8(ascii: "c")): name.is("cookie", .cookie)
        case key(6, UInt8(ascii: "e")): name.is("expect", .expect)
        case key(6, UInt8(ascii: "o")): name.is("origin", .origin)
        case key(7, UInt8(ascii: "t")): name.is("trailer", .trailer)
        case key(7, UInt8(ascii: "u")): name.is("upgrade", .upgrade)
        case key(8, UInt8(ascii: "l")): name.is("location", .location)
        case key(9, UInt8(ascii: "f")): name.is("forwarded", .forwarded)
        case key(10, UInt8(ascii: "c")): name.is("connection", .connection)
        case key(10, UInt8(ascii: "k")): name.is("keep-alive", .keepAlive)
        case key(10, UInt8(ascii: "s")): name.is("set-cookie", .setCookie)
        case key(10, UInt8(ascii: "t")): name.is("tracestate", .tracestate)
        case key(11, UInt8(ascii: "t")): name.is("traceparent", .traceparent)
        case key(12, UInt8(ascii: "c")): name.is("content-type", .contentType)
        case key(12, UInt8(ascii: "m")): name.is("max-forwards", .maxForwards)
        case key(12, UInt8(ascii: "x")): name.is("x-request-id", .xRequestID)
        case key(13, UInt8(ascii: "a")): name.is("authorization", .authorization)
        case key(13, UInt8(ascii: "c")): name.is("cache-control", .cacheControl, or: "content-range", .contentRange)
        case key(13, UInt8(ascii: "i")): name.is("if-none-match", .ifNoneMatch)
        case key(14, UInt8(ascii: "c")): name.is("content-length", .contentLength)
        case key(15, UInt8(ascii: "a")): name.is("accept-encoding", .acceptEncoding)
        case key(15, UInt8(ascii: "x")): name.is("x-forwarded-for", .xForwardedFor)
        case key(16, UInt8(ascii: "c")): name.is("content-encoding", .contentEncoding)
        case key(16, UInt8(ascii: "p")): name.is("proxy-connection", .proxyConnection)
        case key(16, UInt8(ascii: "w")): name.is("www-authenticate", .wwwAuthenticate)
        case key(16, UInt8(ascii: "x")): name.is("x-forwarded-host", .xForwardedHost)
        case key(17, UInt8(ascii: "s")): name.is("sec-websocket-key", .secWebSocketKey)
        case key(17, UInt8(ascii: "t")): name.is("transfer-encoding", .transferEncoding)
        case key(17, UInt8(ascii: "x")): name.is("x-forwarded-proto", .xForwardedProto)
        case key(18, UInt8(ascii: "p")): name.is("proxy-authenticate", .proxyAuthenticate)
        case key(20, UInt8(ascii: "s")): name.is("sec-websocket-accept", .secWebSocketAccept)
        case key(19, UInt8(ascii: "p")): name.is("proxy-authorization", .proxyAuthorization)
        case key(22, UInt8(ascii: "s")): name.is("sec-websocket-protocol", .secWebSocketProtocol)
        case key(29, UInt8(ascii: "a")): name.is("access-control-request-method", .accessControlRequestMethod)
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
