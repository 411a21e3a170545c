// What the strings of a parsed document mean: the content between the quotes, with its escapes resolved.
//
// Only for strings that JSONParser has accepted: escapes are whole, surrogates come in pairs.

internal import Bytes

enum JSONText {
    /// The UTF-16 code unit of the `\uXXXX` at `escape`, or nil where these are not four hexadecimal digits.
    static func hexUnit(in bytes: Span<UInt8>, at escape: Int) -> UInt16? {
        guard bytes.count - escape >= 6 else { return nil }
        var unit: UInt16 = 0
        for index in (escape + 2)..<(escape + 6) {
            guard let digit = ASCII.hexValue(bytes[index]) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// Negative, 0 or positive as the first text's UTF-8 sorts before, is, or sorts after the second's.
    static func order(_ left: JSONNode, _ right: JSONNode, in bytes: Span<UInt8>) -> Int {
        if !left.isEscaped && !right.isEscaped {
            // Nearly every name, and the ones that an attacker makes long and alike.
            return bytes.extracting(left.range).order(bytes.extracting(right.range))
        }
        var left = DecodedText(left)
        var right = DecodedText(right)
        while true {
            switch (left.next(in: bytes), right.next(in: bytes)) {
            case (nil, nil): return 0
            case (nil, _): return -1
            case (_, nil): return 1
            case (let a?, let b?): if a != b { return Int(a) - Int(b) }
            }
        }
    }

    /// Whether the text of `node` is exactly `text`, in UTF-8.
    static func equals(_ node: JSONNode, _ text: Span<UInt8>, in bytes: Span<UInt8>) -> Bool {
        if !node.isEscaped { return Int(node.count) == text.count && bytes.extracting(node.range).equals(text) }
        // Escapes only ever lengthen.
        if node.count < text.count { return false }
        var decoded = DecodedText(node)
        for index in text.indices where decoded.next(in: bytes) != text[index] { return false }
        return decoded.next(in: bytes) == nil
    }

    @inline(__always)
    static func equals(_ node: JSONNode, _ text: StaticString, in bytes: Span<UInt8>) -> Bool {
        // Most names that are compared are of another length.
        if !node.isEscaped, Int(node.count) != text.utf8CodeUnitCount { return false }
        return withText(of: node, in: bytes) { $0.equals(text) }
    }

    /// The text of `node`.
    static func string(_ node: JSONNode, in bytes: Span<UInt8>) -> String {
        withText(of: node, in: bytes) { $0.text() }
    }

    /// What `body` makes of the text of `node`, in UTF-8. Nothing is copied where nothing is escaped.
    static func withText<Result, Failure: Error>(
        of node: JSONNode, in bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if !node.isEscaped { return try body(bytes.extracting(node.range)) }
        var content: [UInt8] = []
        content.reserveCapacity(Int(node.count))
        var decoded = DecodedText(node)
        while let byte = decoded.next(in: bytes) { content.append(byte) }
        return try body(content.span)
    }
}

/// The UTF-8 of a string, a byte at a time, escapes resolved on the way.
struct DecodedText {
    private var position: Int
    private let end: Int
    /// Bytes of a character that an escape stood for and that are not yet given out; the next one lowest.
    private var pending: UInt32 = 0

    init(_ node: JSONNode) {
        position = node.range.lowerBound
        end = node.range.upperBound
    }

    mutating func next(in bytes: Span<UInt8>) -> UInt8? {
        if pending != 0 {
            let byte = UInt8(truncatingIfNeeded: pending)
            pending >>= 8
            return byte
        }
        if position == end { return nil }
        let byte = bytes[position]
        if byte != UInt8(ascii: "\\") {
            position += 1
            return byte
        }
        return unescape(in: bytes)
    }

    private mutating func unescape(in bytes: Span<UInt8>) -> UInt8 {
        let escape = bytes[position + 1]
        if escape != UInt8(ascii: "u") {
            position += 2
            return switch escape {
            case UInt8(ascii: "b"): 0x08
            case UInt8(ascii: "f"): 0x0C
            case UInt8(ascii: "n"): 0x0A
            case UInt8(ascii: "r"): 0x0D
            case UInt8(ascii: "t"): 0x09
            default: escape
            }
        }
        var scalar = UInt32(JSONText.hexUnit(in: bytes, at: position) ?? 0)
        position += 6
        if scalar & 0xF800 == 0xD800 {
            let low = UInt32(JSONText.hexUnit(in: bytes, at: position) ?? 0)
            position += 6
            scalar = 0x10000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
        }
        return encode(scalar)
    }

    /// Keeps all but the first byte of the character's UTF-8; none of those kept is zero.
    private mutating func encode(_ scalar: UInt32) -> UInt8 {
        func continuation(_ shift: UInt32) -> UInt32 { 0x80 | (scalar >> shift) & 0x3F }
        switch scalar {
        case ..<0x80:
            return UInt8(scalar)
        case ..<0x800:
            pending = continuation(0)
            return UInt8(0xC0 | scalar >> 6)
        case ..<0x10000:
            pending = continuation(6) | continuation(0) << 8
            return UInt8(0xE0 | scalar >> 12)
        default:
            pending = continuation(12) | continuation(6) << 8 | continuation(0) << 16
            return UInt8(0xF0 | scalar >> 18)
        }
    }
}
