// The four forms of a request-target (RFC 9112 §3.2), of which three are taken.
//
// Checked here: which form it is, and that no percent-encoding is broken or hides a NUL, CR or LF, in the path and in
// the query. Dot segments, `//`, `%2f` and the like are the router's: they are a matter of which rule applies.

internal import Bytes

/// A request-target taken apart; ranges count from where the target's bytes do.
struct RequestTarget {
    var path: ByteRange
    var query: ByteRange?
    /// Of the absolute-form only.
    var authority: ByteRange?

    /// `range` of `bytes` holds no byte that `firstNonTarget` stops at.
    init(_ range: ByteRange, of method: Method, in bytes: Span<UInt8>) throws(RequestError) {
        let target = bytes.slice(range)
        try Self.checkPercentEncoding(target)
        var pathStart = range.lowerBound
        if target.isEmpty { throw RequestError(.badRequest, "the request-target is empty") }
        if target.equals("*") {
            guard method == .options else {
                throw RequestError(.badRequest, "the request-target * belongs to OPTIONS alone")
            }
        } else if target[0] != UInt8(ascii: "/") {
            guard let schemeEnd = Self.schemeEnd(target) else {
                throw RequestError(.badRequest, "the request-target is neither a path nor an http URI")
            }
            var end = schemeEnd
            while end < target.count, target[end] != UInt8(ascii: "/"), target[end] != UInt8(ascii: "?") { end &+= 1 }
            guard isAuthority(target.extracting(schemeEnd..<end)) else {
                throw RequestError(.badRequest, "the request-target's authority is not host[:port]")
            }
            authority = ByteRange((range.lowerBound &+ schemeEnd)..<(range.lowerBound &+ end))
            pathStart = range.lowerBound &+ end
        }
        if let place = target.firstIndex(of: UInt8(ascii: "?"), from: pathStart &- range.lowerBound) {
            let mark = range.lowerBound &+ place
            path = ByteRange(pathStart..<mark)
            query = ByteRange((mark &+ 1)..<range.upperBound)
        } else {
            path = ByteRange(pathStart..<range.upperBound)
        }
    }

    /// Past `http://` or `https://`, or nil.
    private static func schemeEnd(_ target: Span<UInt8>) -> Int? {
        if target.count >= 7, target.extracting(..<7).equalsIgnoringCase("http://") { return 7 }
        if target.count >= 8, target.extracting(..<8).equalsIgnoringCase("https://") { return 8 }
        return nil
    }

    private static func checkPercentEncoding(_ target: Span<UInt8>) throws(RequestError) {
        var from = 0
        while let mark = target.firstIndex(of: UInt8(ascii: "%"), from: from) {
            guard mark &+ 2 < target.count, let high = ASCII.hexValue(target[mark &+ 1]),
                let low = ASCII.hexValue(target[mark &+ 2])
            else { throw RequestError(.badRequest, "a broken percent-encoding in the request-target") }
            let byte = high &<< 4 | low
            if byte == 0 || byte == ASCII.cr || byte == ASCII.lf {
                throw RequestError(.badRequest, "an encoded NUL, CR or LF in the request-target")
            }
            from = mark &+ 3
        }
    }
}
