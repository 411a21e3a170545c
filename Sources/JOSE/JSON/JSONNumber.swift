// What a JSON number is as a mathematical value. Going through a Double would make 9007199254740993 even and 1e400
// infinite; a time or an amount in a token is compared exactly or not at all.

internal import Bytes

/// A JSON number as an exact integer, or why it is none.
public enum JSONNumber: Sendable, Equatable {
    /// A whole number that fits, however it is spelled: `1`, `1.0`, `1e3`, `-0`.
    case integer(Int64)
    /// Not whole; `floor` is the greatest integer below it.
    case fraction(floor: Int64)
    /// Beyond Int64: `1e400`, say.
    case outOfRange(isNegative: Bool)

    /// Reads a text of RFC 8259's number grammar.
    init(_ text: Span<UInt8>) {
        let isNegative = text[0] == UInt8(ascii: "-")
        var firstDigit = -1  // the first digit that is not zero, counted from 0 over all digits
        var lastDigit = -1  // the last one that is not zero
        var digits = 0  // of the integer and the fraction
        var wholeDigits = -1  // in front of the point
        var index = isNegative ? 1 : 0
        while index < text.count, text[index] | 0x20 != UInt8(ascii: "e") {
            if text[index] == UInt8(ascii: ".") {
                wholeDigits = digits
            } else {
                if text[index] != UInt8(ascii: "0") {
                    if firstDigit < 0 { firstDigit = digits }
                    lastDigit = digits
                }
                digits += 1
            }
            index += 1
        }
        if firstDigit < 0 {
            self = .integer(0)
            return
        }
        if wholeDigits < 0 { wholeDigits = digits }
        // The value is 0.DDD… × 10^magnitude, its digits D running from firstDigit to lastDigit.
        let magnitude = wholeDigits - firstDigit + Self.exponent(text, from: index)
        let isWhole = lastDigit - firstDigit < magnitude
        if magnitude > 19 {
            self = .outOfRange(isNegative: isNegative)
            return
        }
        // At most 19 digits, so it fits.
        let whole = Self.whole(text, from: firstDigit, through: lastDigit, count: max(magnitude, 0))
        if isNegative {
            // -2^63 is the least there is, and the floor of a fraction lies one below its whole part.
            let floor = isWhole ? whole : whole + 1
            if floor > UInt64(Int64.max) + 1 {
                self = .outOfRange(isNegative: true)
            } else {
                let value = Int64(truncatingIfNeeded: 0 &- floor)
                self = isWhole ? .integer(value) : .fraction(floor: value)
            }
        } else if let value = Int64(exactly: whole) {
            self = isWhole ? .integer(value) : .fraction(floor: value)
        } else {
            self = .outOfRange(isNegative: false)
        }
    }

    /// The exponent at `start`, which is the `e` or the end of the text; beyond what any text can undo it stays put.
    private static func exponent(_ text: Span<UInt8>, from start: Int) -> Int {
        guard start < text.count else { return 0 }
        var value = 0
        var isNegative = false
        for index in (start + 1)..<text.count {
            if text[index] == UInt8(ascii: "-") { isNegative = true }
            guard ASCII.isDigit(text[index]) else { continue }
            value = min(value * 10 + Int(text[index] &- 0x30), 1 << 40)
        }
        return isNegative ? -value : value
    }

    /// The `count` digits from the one numbered `first`; those behind `last` are zeros, written or not.
    private static func whole(_ text: Span<UInt8>, from first: Int, through last: Int, count: Int) -> UInt64 {
        var value: UInt64 = 0
        var digit = 0
        var taken = 0
        var index = 0
        while taken < count, digit <= last {
            if ASCII.isDigit(text[index]) {
                if digit >= first {
                    value = value * 10 + UInt64(text[index] &- 0x30)
                    taken += 1
                }
                digit += 1
            }
            index += 1
        }
        while taken < count {
            value *= 10
            taken += 1
        }
        return value
    }
}
