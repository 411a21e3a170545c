// base64url without padding (RFC 4648 §5, RFC 7515 §2), in its one canonical spelling.
//
// Strict, since a token that can be spelled in two ways can be remembered, revoked or logged under one of them and
// used under the other: no padding, no white space, no `+` or `/`, and the bits that do not fill a byte are zero.

/// Strict base64url (RFC 7515 §2).
public enum Base64URL {
    /// Bytes that `count` characters stand for.
    @inlinable
    public static func decodedByteCount(_ count: Int) -> Int { count / 4 * 3 + count % 4 * 3 / 4 }

    /// Decodes into `bytes`, whose storage is reused and whose earlier content is gone, whatever the outcome.
    public static func decode(_ text: Span<UInt8>, into bytes: inout [UInt8]) throws(Base64URLError) {
        bytes.removeAll(keepingCapacity: true)
        try decode(text, appendingTo: &bytes)
    }

    /// Appends the bytes that `text` spells. Where it spells none, what is appended has no meaning.
    public static func decode(_ text: Span<UInt8>, appendingTo bytes: inout [UInt8]) throws(Base64URLError) {
        let start = bytes.count
        bytes.append(copying: text)
        try decodeInPlace(&bytes, from: start)
        bytes.removeLast(text.count - decodedByteCount(text.count))
    }

    /// Decodes what stands from `start` on and puts the outcome there: it is shorter, and what is written was read.
    private static func decodeInPlace(_ bytes: inout [UInt8], from start: Int) throws(Base64URLError) {
        let remainder = (bytes.count - start) & 3
        if remainder == 1 { throw .badLength }
        var text = bytes.mutableSpan
        var source = start
        var target = start
        // Eight characters at a time. Their word of output ends in two bytes without meaning, which come to lie where
        // characters stood that have been read.
        while text.count &- source >= 8 {
            let word = text.span.word(at: source)
            let a = values[Int(word & 255)]
            let b = values[Int(word &>> 8 & 255)]
            let c = values[Int(word &>> 16 & 255)]
            let d = values[Int(word &>> 24 & 255)]
            let e = values[Int(word &>> 32 & 255)]
            let f = values[Int(word &>> 40 & 255)]
            let g = values[Int(word &>> 48 & 255)]
            let h = values[Int(word &>> 56)]
            if (a | b | c | d | e | f | g | h) & 0x80 != 0 { throw badCharacter(in: text.span, from: source, start) }
            let high = UInt64(a) &<< 18 | UInt64(b) &<< 12 | UInt64(c) &<< 6 | UInt64(d)
            let low = UInt64(e) &<< 18 | UInt64(f) &<< 12 | UInt64(g) &<< 6 | UInt64(h)
            text.store(high &<< 40 | low &<< 16, at: target)
            source &+= 8
            target &+= 6
        }
        if text.count &- source >= 4 {
            let a = values[Int(text[source])]
            let b = values[Int(text[source &+ 1])]
            let c = values[Int(text[source &+ 2])]
            let d = values[Int(text[source &+ 3])]
            if (a | b | c | d) & 0x80 != 0 { throw badCharacter(in: text.span, from: source, start) }
            text[target] = a &<< 2 | b &>> 4
            text[target &+ 1] = b &<< 4 | c &>> 2
            text[target &+ 2] = c &<< 6 | d
            source &+= 4
            target &+= 3
        }
        if remainder == 0 { return }
        let a = values[Int(text[source])]
        let b = values[Int(text[source + 1])]
        let c = remainder == 3 ? values[Int(text[source + 2])] : 0
        if (a | b | c) & 0x80 != 0 { throw badCharacter(in: text.span, from: source, start) }
        if remainder == 2 {
            if b & 0x0F != 0 { throw .nonCanonical }
        } else {
            if c & 0x03 != 0 { throw .nonCanonical }
        }
        text[target] = a &<< 2 | b &>> 4
        if remainder == 3 { text[target + 1] = b &<< 4 | c &>> 2 }
    }

    /// The bytes that `text` spells.
    public static func decode(_ text: Span<UInt8>) throws(Base64URLError) -> [UInt8] {
        var bytes: [UInt8] = []
        try decode(text, into: &bytes)
        return bytes
    }

    /// The canonical spelling of `bytes`.
    public static func encode(_ bytes: Span<UInt8>) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: (bytes.count * 4 + 2) / 3)
        var output = text.mutableSpan
        var target = 0
        var source = 0
        while source < bytes.count {
            let b = source + 1 < bytes.count ? bytes[source &+ 1] : 0
            let c = source + 2 < bytes.count ? bytes[source &+ 2] : 0
            let bits = UInt32(bytes[source]) &<< 16 | UInt32(b) &<< 8 | UInt32(c)
            var shift: UInt32 = 18
            // A group of one byte has two characters, one of two bytes three.
            for _ in 0..<min(4, output.count &- target) {
                output[target] = alphabet[Int(bits &>> shift & 63)]
                target &+= 1
                shift &-= 6
            }
            source &+= 3
        }
        return text
    }

    private static func badCharacter(in text: Span<UInt8>, from first: Int, _ start: Int) -> Base64URLError {
        var offset = first
        while offset < text.count - 1, values[Int(text[offset])] != invalid { offset += 1 }
        return .badCharacter(offset: offset - start)
    }

    /// RFC 4648 table 2.
    private static let alphabet: InlineArray<64, UInt8> = [
        0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F, 0x50,
        0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
        0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76,
        0x77, 0x78, 0x79, 0x7A, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x2D, 0x5F,
    ]

    private static let invalid: UInt8 = 0xFF

    /// The six bits that a character stands for, or `invalid`.
    private static let values: InlineArray<256, UInt8> = [
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x3E, 0xFF, 0xFF,
        0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E,
        0x0F, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F,
        0xFF, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
        0x29, 0x2A, 0x2B, 0x2C, 0x2D, 0x2E, 0x2F, 0x30, 0x31, 0x32, 0x33, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    ]
}

/// Why a text is not canonical base64url.
public enum Base64URLError: Error, Sendable, Equatable {
    /// A length that no bytes encode to: one more than a multiple of four.
    case badLength
    /// A character outside A–Z a–z 0–9 - _; padding is one.
    case badCharacter(offset: Int)
    /// The last character carries bits that no byte has.
    case nonCanonical
}
