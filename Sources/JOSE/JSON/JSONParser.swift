// RFC 8259, read once from front to back onto a tape.
//
// The work is linear in the text but for the search for duplicate names, which JSONNames bounds. Recursion goes as
// deep as `JSONDocument.depthMax` and no deeper.

internal import Bytes

struct JSONParser: ~Escapable {
    /// Up to the end of the text.
    private let bytes: Span<UInt8>
    private let start: Int
    private var position: Int
    private var nodes: [JSONNode]

    /// Parses the text at `place` in `bytes` and appends its nodes, the root's first. Offsets in nodes count from the
    /// beginning of `bytes`, those in errors from that of the text. After an error `nodes` is empty. How long a text may be
    /// is for the caller to say.
    static func parse(
        _ bytes: Span<UInt8>, at place: ByteRange, onto nodes: inout [JSONNode]
    ) throws(JSONError) {
        var taken: [JSONNode] = []
        swap(&taken, &nodes)
        var parser = JSONParser(bytes.extracting(first: place.upperBound), from: place.lowerBound, onto: taken)
        try parser.parseDocument()
        nodes = parser.takeNodes()
    }

    @_lifetime(copy bytes)
    private init(_ bytes: Span<UInt8>, from start: Int, onto nodes: consuming [JSONNode]) {
        self.bytes = bytes
        self.start = start
        position = start
        self.nodes = nodes
        // Claims have about one node for every ten bytes; a text that is denser makes the array grow.
        self.nodes.reserveCapacity(self.nodes.count + min((bytes.count - start) / 8 + 4, 4096))
    }

    private consuming func takeNodes() -> [JSONNode] { nodes }

    private mutating func parseDocument() throws(JSONError) {
        if bytes.count - start >= 3, bytes[start] == 0xEF, bytes[start + 1] == 0xBB, bytes[start + 2] == 0xBF {
            throw error(.byteOrderMark)
        }
        skipWhiteSpace()
        try parseValue(depth: 0)
        skipWhiteSpace()
        if position < bytes.count { throw error(.trailingBytes) }
    }

    private mutating func parseValue(depth: Int) throws(JSONError) {
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        switch bytes[position] {
        case UInt8(ascii: "\""): try parseString()
        case UInt8(ascii: "{"): try parseObject(depth: depth + 1)
        case UInt8(ascii: "["): try parseArray(depth: depth + 1)
        case UInt8(ascii: "t"): try parseLiteral("true", .bool, value: 1)
        case UInt8(ascii: "f"): try parseLiteral("false", .bool, value: 0)
        case UInt8(ascii: "n"): try parseLiteral("null", .null, value: 0)
        case UInt8(ascii: "-"), 0x30...0x39: try parseNumber()
        default: throw error(.unexpectedByte)
        }
    }

    private mutating func parseObject(depth: Int) throws(JSONError) {
        let node = try openContainer(.object, depth: depth)
        if take(UInt8(ascii: "}")) { return closeContainer(node, count: 0) }
        var names = JSONNames(after: node)
        repeat {
            skipWhiteSpace()
            guard position < bytes.count else { throw error(.unexpectedEnd) }
            guard bytes[position] == UInt8(ascii: "\"") else { throw error(.unexpectedByte) }
            let name = nodes.count
            try parseString()
            if names.repeats(name, on: nodes.span, in: bytes) { throw duplicate(of: name) }
            skipWhiteSpace()
            try expect(UInt8(ascii: ":"))
            skipWhiteSpace()
            try parseValue(depth: depth)
            skipWhiteSpace()
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
        closeContainer(node, count: names.count)
        if let name = names.repeatedAmongMany(on: nodes.span, in: bytes) { throw duplicate(of: name) }
    }

    private mutating func parseArray(depth: Int) throws(JSONError) {
        let node = try openContainer(.array, depth: depth)
        if take(UInt8(ascii: "]")) { return closeContainer(node, count: 0) }
        var count = 0
        repeat {
            skipWhiteSpace()
            try parseValue(depth: depth)
            count += 1
            skipWhiteSpace()
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
        closeContainer(node, count: count)
    }

    /// Steps over the bracket and the white space behind it; returns the index of the container's node.
    private mutating func openContainer(_ kind: JSONKind, depth: Int) throws(JSONError) -> Int {
        if depth > JSONDocument.depthMax { throw error(.tooDeep) }
        append(kind, offset: position, count: 0)
        position += 1
        skipWhiteSpace()
        return nodes.count - 1
    }

    private mutating func closeContainer(_ node: Int, count: Int) {
        nodes[node].count = UInt32(count)
        nodes[node].end = UInt32(nodes.count)
    }

    private mutating func parseLiteral(_ literal: StaticString, _ kind: JSONKind, value: Int) throws(JSONError) {
        let length = literal.utf8CodeUnitCount
        guard bytes.count - position >= length else { throw error(.unexpectedEnd) }
        guard bytes.extracting(position..<(position + length)).equals(literal) else { throw error(.unexpectedByte) }
        append(kind, offset: position, count: value)
        position += length
    }

    /// RFC 8259 §6: no leading zeros, no bare point, no plus in front.
    private mutating func parseNumber() throws(JSONError) {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try parseDigits() }
        if take(UInt8(ascii: ".")) { try parseDigits() }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try parseDigits()
        }
        append(.number, offset: start, count: position - start)
    }

    private mutating func parseDigits() throws(JSONError) {
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        guard ASCII.isDigit(bytes[position]) else { throw error(.unexpectedByte) }
        repeat { position += 1 } while position < bytes.count && ASCII.isDigit(bytes[position])
    }

    private mutating func parseString() throws(JSONError) {
        position += 1
        let start = position
        var isEscaped = false
        while true {
            position = bytes.first(from: position, upTo: bytes.count, inWord: Self.notPlain) { byte in
                byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
            }
            guard position < bytes.count else { throw error(.unexpectedEnd) }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                try parseEscape()
            } else if byte >= 0x80 {
                let length = UTF8Sequence.byteCount(in: bytes, at: position)
                if length == 0 { throw error(.invalidUTF8) }
                position += length
            } else {
                throw error(.controlCharacter)
            }
        }
        append(.string, offset: start, count: position - start, isEscaped: isEscaped)
        position += 1
    }

    /// High bits where a byte is no plain character of a string: it ends it, starts an escape or a character beyond
    /// ASCII, or may not stand there.
    @inline(__always)
    private static func notPlain(_ word: UInt64) -> UInt64 {
        (ByteWord.below(0x20, word) | ByteWord.equal(0x22, word) | ByteWord.equal(0x5C, word) | word) & ByteWord.highBits
    }

    /// RFC 8259 §7. A surrogate must come in its pair: what a lone one decodes to is up to each reader.
    private mutating func parseEscape() throws(JSONError) {
        guard position + 1 < bytes.count else {
            position = bytes.count
            throw error(.unexpectedEnd)
        }
        switch bytes[position + 1] {
        case UInt8(ascii: "u"):
            let unit = try hexUnit(at: position)
            if unit & 0xF800 != 0xD800 {
                position += 6
                return
            }
            guard unit < 0xDC00, position + 7 < bytes.count, bytes[position + 6] == UInt8(ascii: "\\"),
                bytes[position + 7] == UInt8(ascii: "u"), try hexUnit(at: position + 6) & 0xFC00 == 0xDC00
            else { throw error(.loneSurrogate) }
            position += 12
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        default:
            throw error(.badEscape)
        }
    }

    private func hexUnit(at escape: Int) throws(JSONError) -> UInt16 {
        guard let unit = JSONText.hexUnit(in: bytes, at: escape) else {
            throw JSONError(kind: .badEscape, offset: escape - start)
        }
        return unit
    }

    private mutating func append(_ kind: JSONKind, offset: Int, count: Int, isEscaped: Bool = false) {
        nodes.append(
            JSONNode(
                offset: UInt32(truncatingIfNeeded: offset), count: UInt32(truncatingIfNeeded: count),
                end: UInt32(truncatingIfNeeded: nodes.count &+ 1), kind: kind, isEscaped: isEscaped))
    }

    @inline(__always)
    private mutating func skipWhiteSpace() {
        // Tokens have none.
        if position < bytes.count, bytes[position] > 0x20 { return }
        skipSomeWhiteSpace()
    }

    private mutating func skipSomeWhiteSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position &+= 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position &+= 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        guard bytes[position] == byte else { throw error(.unexpectedByte) }
        position &+= 1
    }

    private func error(_ kind: JSONError.Kind) -> JSONError { JSONError(kind: kind, offset: position - start) }

    private func duplicate(of name: Int) -> JSONError {
        JSONError(kind: .duplicateMember, offset: Int(nodes[name].offset) - start)
    }
}

/// Well-formed UTF-8 (Unicode, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
enum UTF8Sequence {
    /// Bytes of the sequence of two or more that starts at `index`, or 0 where none does.
    static func byteCount(in bytes: Span<UInt8>, at index: Int) -> Int {
        let lead = bytes[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if lead == 0xE0 { second = 0xA0...0xBF }
            if lead == 0xED { second = 0x80...0x9F }
        case 0xF0...0xF4:
            length = 4
            if lead == 0xF0 { second = 0x90...0xBF }
            if lead == 0xF4 { second = 0x80...0x8F }
        default: return 0
        }
        guard bytes.count - index >= length, second.contains(bytes[index + 1]) else { return 0 }
        for offset in 2..<max(length, 2) where bytes[index + offset] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
