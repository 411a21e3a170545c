// What a head's Content-Length and Transfer-Encoding say of its body (RFC 9112 §6), the same for both directions.
//
// Two parties that find the end of a body differently are a request smuggled between them. So there is one
// spelling of each: a single decimal number that fits 64 bits, or the one word `chunked`; and never both.

internal import Bytes

/// Why the framing of a message is refused.
enum FramingFault: Error {
    case ambiguous(String)
    /// A list of codings that exist, ending in chunked: could be read by somebody who knows them (§6.1).
    case codingNotTaken
}

/// The framing that the head declares: nil where it says nothing. The caller applies what method and status imply.
func declaredFraming(
    _ fields: borrowing [Field], kinds: FieldKindSet, version: HTTPVersion, in bytes: Span<UInt8>
) throws(FramingFault) -> BodyFraming? {
    let hasLength = kinds.contains(.contentLength)
    if kinds.contains(.transferEncoding) {
        if hasLength { throw .ambiguous("both Content-Length and Transfer-Encoding") }
        if version == .http10 { throw .ambiguous("Transfer-Encoding on HTTP/1.0") }
        let value = try single(.transferEncoding, of: fields, in: bytes, "more than one Transfer-Encoding")
        if value.equalsIgnoringCase("chunked") { return .chunked }
        throw isKnownCodingsThenChunked(value) ? .codingNotTaken : .ambiguous("Transfer-Encoding is not chunked")
    }
    guard hasLength else { return nil }
    let value = try single(.contentLength, of: fields, in: bytes, "more than one Content-Length")
    guard let length = decimal(value) else { throw .ambiguous("Content-Length is not one decimal number") }
    return .length(length)
}

@_lifetime(copy bytes)
private func single(
    _ kind: FieldKind, of fields: borrowing [Field], in bytes: Span<UInt8>, _ repeated: String
) throws(FramingFault) -> Span<UInt8> {
    var found: ByteRange?
    for index in fields.indices where fields[index].kind == kind {
        if found != nil { throw .ambiguous(repeated) }
        found = fields[index].value
    }
    return bytes.slice(found ?? .empty)
}

/// 1*DIGIT within 64 bits. Leading zeros change nothing, as the number is written anew when it is forwarded.
private func decimal(_ digits: Span<UInt8>) -> UInt64? {
    if digits.isEmpty { return nil }
    var value: UInt64 = 0
    for index in digits.indices {
        let byte = digits[index]
        guard ASCII.isDigit(byte) else { return nil }
        let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
        let (sum, carried) = product.addingReportingOverflow(UInt64(byte &- 0x30))
        if overflowed || carried { return nil }
        value = sum
    }
    return value
}

/// `gzip, chunked` and the like. Where chunked is not the last coding the end cannot be found at all (§6.3), so that
/// a lone `gzip` is not among them.
private func isKnownCodingsThenChunked(_ value: Span<UInt8>) -> Bool {
    var cursor = 0
    var codings = 0
    while let range = value.nextListElement(&cursor) {
        let coding = value.slice(range)
        if coding.equalsIgnoringCase("chunked") { return codings > 0 && cursor > value.count }
        guard
            coding.equalsIgnoringCase("gzip") || coding.equalsIgnoringCase("x-gzip")
                || coding.equalsIgnoringCase("deflate") || coding.equalsIgnoringCase("compress")
                || coding.equalsIgnoringCase("x-compress")
        else { return false }
        codings &+= 1
    }
    return false
}
