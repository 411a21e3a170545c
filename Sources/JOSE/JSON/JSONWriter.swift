// JSON of our own making: problem bodies, key sets, log fragments.

public import Bytes

/// Writes JSON text (RFC 8259) into a buffer, without white space. Commas and escapes are its business; that every
/// container is closed, and that an object gets names and values in turn, is the caller's.
public struct JSONWriter {
    private let buffer: ByteBuffer
    private let asciiOnly: Bool
    private var needsComma = false

    /// - Parameter asciiOnly: escape what is not ASCII too, for places where nothing else may stand.
    public init(into buffer: ByteBuffer, asciiOnly: Bool = false) {
        self.buffer = buffer
        self.asciiOnly = asciiOnly
    }

    /// Names and values follow in turn, up to `endObject`.
    public mutating func beginObject() { open(UInt8(ascii: "{")) }
    /// Closes the innermost object.
    public mutating func endObject() { close(UInt8(ascii: "}")) }
    /// Values follow, up to `endArray`.
    public mutating func beginArray() { open(UInt8(ascii: "[")) }
    /// Closes the innermost array.
    public mutating func endArray() { close(UInt8(ascii: "]")) }

    /// The name of the member whose value comes next.
    public mutating func name(_ name: String) {
        string(name)
        buffer.append(ASCII.colon)
        needsComma = false
    }

    /// A string of this text, escaped.
    public mutating func string(_ text: String) {
        separate()
        buffer.append(UInt8(ascii: "\""))
        let bytes = text.utf8Span.span
        var start = 0
        // Most of a text stands for itself, and is copied as a piece.
        while true {
            let end = firstToEscape(in: bytes, from: start)
            buffer.append(bytes.extracting(start..<end))
            if end == bytes.count { break }
            guard bytes[end] < 0x80 else {
                // Beyond ASCII, and that is not wanted: by characters from here on.
                for scalar in String(decoding: bytes.extracting(end...).copied(), as: UTF8.self).unicodeScalars { append(scalar) }
                break
            }
            append(Unicode.Scalar(bytes[end]))
            start = end &+ 1
        }
        buffer.append(UInt8(ascii: "\""))
    }

    /// The first byte from `start` on that cannot stand in a string as it is, or the end.
    private func firstToEscape(in bytes: Span<UInt8>, from start: Int) -> Int {
        let high = asciiOnly ? ByteWord.highBits : 0
        return bytes.first(from: start, upTo: bytes.count) { word in
            let hits =
                ByteWord.below(0x20, word) | ByteWord.equal(0x22, word) | ByteWord.equal(0x5C, word)
                | ByteWord.equal(0x7F, word) | word & high
            return hits & ByteWord.highBits
        } orByte: { byte in
            byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == 0x7F || (byte >= 0x80 && asciiOnly)
        }
    }

    /// A number, in decimal digits: beyond 2^53 many readers round it.
    public mutating func integer(_ value: Int64) {
        separate()
        if value < 0 { buffer.append(UInt8(ascii: "-")) }
        buffer.appendDecimal(value.magnitude)
    }

    /// `true` or `false`.
    public mutating func bool(_ value: Bool) {
        separate()
        buffer.append(value ? "true" : "false")
    }

    /// A parsed value, anew: without the white space between its parts, and with the very digits of its numbers.
    public mutating func value(_ value: JSONValue) {
        switch value.kind {
        case .null, .bool, .number:
            separate()
            buffer.append(value.scalarText ?? "null")
        case .string:
            string(value.string ?? "")
        case .array:
            beginArray()
            for element in value.elements { self.value(element) }
            endArray()
        case .object:
            beginObject()
            for member in value.members {
                name(member.name)
                self.value(member.value)
            }
            endObject()
        }
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        buffer.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        buffer.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { buffer.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": buffer.append("\\\"")
        case "\\": buffer.append("\\\\")
        case "\n": buffer.append("\\n")
        case "\r": buffer.append("\\r")
        case "\t": buffer.append("\\t")
        case " "..."~": buffer.append(UInt8(truncatingIfNeeded: scalar.value))
        case _ where scalar.isASCII || asciiOnly:
            for unit in UTF16.encode(scalar)! { appendEscape(unit) }
        default:
            for byte in UTF8.encode(scalar)! { buffer.append(byte) }
        }
    }

    private func appendEscape(_ unit: UInt16) {
        buffer.append("\\u")
        for shift: UInt16 in [12, 8, 4, 0] { buffer.append(ASCII.hexDigit(UInt8(truncatingIfNeeded: unit >> shift))) }
    }
}
