// Text out of a claim as the value of a header field.
//
// Whatever the text holds, the value is visible ASCII and inner spaces: no claim can end the line (CR, LF), cut it short
// in a C string (NUL), or lose a byte to the trimming of optional white space (RFC 9110 §5.5). And none can look like
// two where a list is joined: what joins is encoded inside the elements. `decodeURIComponent` restores the text.

internal import Bytes

enum FieldValue {
    /// Appends `text` in the `auto` encoding: visible ASCII and inner spaces as they are, `%` and every other byte of
    /// its UTF-8 percent-encoded.
    ///
    /// - Parameter join: what joins the list that the text is an element of; encoded too.
    static func append(_ text: Span<UInt8>, inListJoinedBy join: UInt8? = nil, to out: inout [UInt8]) {
        // Spaces are inner ones but for the first byte and the last.
        let leads = !text.isEmpty && text[0] == ASCII.space
        let trails = text.count > 1 && text[text.count - 1] == ASCII.space
        let limit = trails ? text.count - 1 : text.count
        var position = leads ? 1 : 0
        if leads { appendEncoded(ASCII.space, to: &out) }
        // Without one, % is looked for twice.
        let join = join ?? UInt8(ascii: "%")
        while true {
            let end = text.first(from: position, upTo: limit) { word in
                (ByteWord.below(0x20, word) | ByteWord.equal(0x7F, word) | ByteWord.equal(0x25, word)
                    | ByteWord.equal(UInt64(join), word) | word) & ByteWord.highBits
            } orByte: { byte in
                byte < 0x20 || byte >= 0x7F || byte == UInt8(ascii: "%") || byte == join
            }
            out.append(copying: text.extracting(position..<end))
            if end == limit { break }
            appendEncoded(text[end], to: &out)
            position = end + 1
        }
        if trails { appendEncoded(ASCII.space, to: &out) }
    }

    static func append(_ text: String, inListJoinedBy join: UInt8? = nil, to out: inout [UInt8]) {
        append(text.utf8Span.span, inListJoinedBy: join, to: &out)
    }

    /// Appends `text` with everything percent-encoded that RFC 3986 §2.3 does not list as unreserved.
    static func appendPercentEncoded(_ text: Span<UInt8>, to out: inout [UInt8]) {
        for index in text.indices {
            if isUnreserved(text[index]) { out.append(text[index]) } else { appendEncoded(text[index], to: &out) }
        }
    }

    /// Letters, digits and `-._~`: those that no encoding ever changes.
    static func isUnreserved(_ byte: UInt8) -> Bool {
        ASCII.isAlphanumeric(byte) || "-._~".utf8.contains(byte)
    }

    private static func appendEncoded(_ byte: UInt8, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "%"))
        out.append(upperHexDigit(byte &>> 4))
        out.append(upperHexDigit(byte & 15))
    }

    /// RFC 3986 §2.1 asks for upper-case digits.
    private static func upperHexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? nibble + 0x30 : nibble + 0x37
    }
}
