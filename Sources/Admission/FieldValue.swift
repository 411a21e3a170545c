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
    static func append(_ text: String, inListJoinedBy join: UInt8? = nil, to out: inout [UInt8]) {
        let last = text.utf8.count - 1
        var index = 0
        for byte in text.utf8 {
            let isVisible = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "%")
            let isInnerSpace = byte == 0x20 && index > 0 && index < last
            append(byte, plain: (isVisible || isInnerSpace) && byte != join, to: &out)
            index += 1
        }
    }

    /// Appends `text` with everything percent-encoded that RFC 3986 §2.3 does not list as unreserved.
    static func appendPercentEncoded(_ text: String, to out: inout [UInt8]) {
        for byte in text.utf8 { append(byte, plain: isUnreserved(byte), to: &out) }
    }

    /// Letters, digits and `-._~`: those that no encoding ever changes.
    static func isUnreserved(_ byte: UInt8) -> Bool {
        ASCII.isAlphanumeric(byte) || "-._~".utf8.contains(byte)
    }

    private static func append(_ byte: UInt8, plain: Bool, to out: inout [UInt8]) {
        if plain {
            out.append(byte)
        } else {
            out.append(UInt8(ascii: "%"))
            out.append(upperHexDigit(byte &>> 4))
            out.append(upperHexDigit(byte & 15))
        }
    }

    /// RFC 3986 §2.1 asks for upper-case digits.
    private static func upperHexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? nibble + 0x30 : nibble + 0x37
    }
}
