// A claim's text as the value of a header field.

enum FieldValue {
    /// Appends `text` in the `auto` encoding: visible ASCII and inner spaces as they are, `%` and every other byte of
    /// its UTF-8 percent-encoded, so that `decodeURIComponent` restores it.
    ///
    /// No claim can then end the line (CR, LF), cut it short in a C string (NUL), or lose a byte to the trimming of
    /// optional white space (RFC 9110 §5.5), which is why a leading or trailing space is encoded too.
    static func append(_ text: String, to out: inout [UInt8]) {
        let last = text.utf8.count - 1
        var index = 0
        for byte in text.utf8 {
            let isInnerSpace = byte == 0x20 && index > 0 && index < last
            if byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "%") || isInnerSpace {
                out.append(byte)
            } else {
                out.append(UInt8(ascii: "%"))
                out.append(upperHexDigit(byte &>> 4))
                out.append(upperHexDigit(byte & 15))
            }
            index += 1
        }
    }

    /// RFC 3986 §2.1 asks for upper-case digits.
    private static func upperHexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? nibble + 0x30 : nibble + 0x37
    }
}
