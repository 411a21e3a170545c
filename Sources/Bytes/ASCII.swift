/// Byte classes and spellings of ASCII, as the grammars of RFC 9110 and RFC 9112 use them.
public enum ASCII {
    // Computed, so that other modules get the constants themselves: a `static let` is a call and a check of its
    // initialisation on every use.
    @inlinable public static var tab: UInt8 { UInt8(ascii: "\t") }
    @inlinable public static var lf: UInt8 { UInt8(ascii: "\n") }
    @inlinable public static var cr: UInt8 { UInt8(ascii: "\r") }
    @inlinable public static var space: UInt8 { UInt8(ascii: " ") }
    @inlinable public static var colon: UInt8 { UInt8(ascii: ":") }

    /// tchar of RFC 9110 §5.6.2, as a bit a byte: 0–63 in the first word, 64–127 in the second.
    @inlinable static var tokenLow: UInt64 { 0x03FF_6CFA_0000_0000 }
    @inlinable static var tokenHigh: UInt64 { 0x57FF_FFFF_C7FF_FFFE }

    /// Whether the byte is a tchar (RFC 9110 §5.6.2).
    @inlinable
    public static func isToken(_ byte: UInt8) -> Bool {
        if byte >= 0x80 { return false }
        let word = byte < 64 ? tokenLow : tokenHigh
        return (word &>> UInt64(byte & 63)) & 1 == 1
    }

    /// DIGIT of RFC 5234 appendix B.1.
    @inlinable
    public static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// ALPHA of RFC 5234 appendix B.1, in either case.
    @inlinable
    public static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    /// A letter or a digit.
    @inlinable
    public static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }

    /// The byte in lower case; every byte that is not A–Z comes back as it is.
    @inlinable
    public static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The value of a hexadecimal digit of either case, or nil.
    @inlinable
    public static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    /// The lower-case hexadecimal digit for a value of 0…15; only the low four bits are read.
    @inlinable
    public static func hexDigit(_ value: UInt8) -> UInt8 {
        let nibble = value & 15
        return nibble < 10 ? nibble &+ 0x30 : nibble &+ 0x57
    }

    /// The eight lower-case hexadecimal digits of `value`, that of its highest four bits in the highest byte.
    @inlinable
    public static func hexDigits(_ value: UInt32) -> UInt64 {
        // A byte for each four bits, by halves.
        var digits = UInt64(value)
        digits = (digits | digits &<< 16) & 0x0000_FFFF_0000_FFFF
        digits = (digits | digits &<< 8) & 0x00FF_00FF_00FF_00FF
        digits = (digits | digits &<< 4) & 0x0F0F_0F0F_0F0F_0F0F
        // 1 in each byte of 10 or more, which is a letter.
        let letters = ((digits &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
        return digits &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }
}
