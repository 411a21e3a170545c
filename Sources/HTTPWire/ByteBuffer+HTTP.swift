// Serialising: what leaves is always written anew, in the one canonical spelling (RFC 9112 §2.1).
//
// Names and values come from the parsers or from our own constants, so that they hold no CR, LF or NUL.

public import Bytes

extension ByteBuffer {
    /// `HTTP/1.1 CODE REASON CRLF` (RFC 9112 §4). `statusCode` is 100…999.
    public func appendStatusLine(_ statusCode: Int, reason: Span<UInt8>) {
        reserve(15 + reason.count)
        appendStatusCode(statusCode)
        append(reason)
        appendLineEnd()
    }

    /// `HTTP/1.1 CODE REASON CRLF` with a reason of our own.
    public func appendStatusLine(_ statusCode: Int, reason: StaticString) {
        appendStatusCode(statusCode)
        append(reason)
        appendLineEnd()
    }

    private func appendStatusCode(_ statusCode: Int) {
        precondition(statusCode >= 100 && statusCode <= 999)
        append("HTTP/1.1 ")
        appendDecimal(UInt64(statusCode))
        append(ASCII.space)
    }

    /// `METHOD TARGET HTTP/1.1 CRLF`, the target in origin-form (RFC 9112 §3.2.1), or `*`.
    /// `bytes` are those the head was parsed from.
    public func appendRequestLine(_ head: borrowing RequestHead, from bytes: Span<UInt8>) {
        append(bytes.slice(head.methodName))
        append(ASCII.space)
        appendTarget(head, from: bytes)
        append(" HTTP/1.1\r\n")
    }

    /// The request-target in origin-form, or `*`. An absolute-form without a path becomes `/`, or `*` for an OPTIONS
    /// without a query (RFC 9112 §3.2.4).
    public func appendTarget(_ head: borrowing RequestHead, from bytes: Span<UInt8>) {
        appendTargetPath(head, from: bytes)
        if let query = head.query {
            append(UInt8(ascii: "?"))
            append(bytes.slice(query))
        }
    }

    /// What stands in front of the target's query.
    public func appendTargetPath(_ head: borrowing RequestHead, from bytes: Span<UInt8>) {
        if head.path.isEmpty {
            append(head.method == .options && head.query == nil ? "*" : "/")
        } else {
            append(bytes.slice(head.path))
        }
    }

    /// `NAME: VALUE CRLF` (RFC 9112 §5).
    @inlinable
    public func appendFieldLine(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        reserve(name.count &+ value.count &+ 4)
        append(name)
        append(": ")
        append(value)
        appendLineEnd()
    }

    /// `NAME: VALUE CRLF` with a name of our own.
    @inlinable
    public func appendFieldLine(_ name: StaticString, _ value: Span<UInt8>) {
        append(name)
        append(": ")
        append(value)
        appendLineEnd()
    }

    /// `NAME: VALUE CRLF`, both our own.
    @inlinable
    public func appendFieldLine(_ name: StaticString, _ value: StaticString) {
        append(name)
        append(": ")
        append(value)
        appendLineEnd()
    }

    /// The field line that says how the body is delimited; nothing for `none` and `untilClose` (RFC 9112 §6.2, §6.1).
    public func appendFramingField(_ body: BodyFraming) {
        switch body {
        case .none, .untilClose:
            break
        case .length(let length):
            append("Content-Length: ")
            appendDecimal(length)
            appendLineEnd()
        case .chunked:
            append("Transfer-Encoding: chunked\r\n")
        }
    }

    /// CRLF: ends a line, a chunk's data, a head, or a trailer section.
    @inlinable
    public func appendLineEnd() {
        append("\r\n")
    }

    /// The line before a chunk's data (RFC 9112 §7.1). A chunk of 0 bytes would end the body: `byteCount` is above 0.
    public func appendChunkSizeLine(_ byteCount: UInt64) {
        precondition(byteCount > 0)
        appendHexadecimal(byteCount)
        appendLineEnd()
    }

    /// The last chunk's line `0 CRLF`: trailer lines and `appendLineEnd()` follow.
    public func appendLastChunkLine() {
        append("0\r\n")
    }

    /// The end of a chunked body that has no trailers.
    public func appendLastChunk() {
        append("0\r\n\r\n")
    }
}
