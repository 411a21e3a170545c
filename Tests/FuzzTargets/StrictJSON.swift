// A second reader of JSON, with no part in the proxy: RFC 8259 as slow and as plain as it can be written, and as strict
// as JOSE's own promises to be. Where the two disagree, one of them is wrong.

/// A JSON value, read whole into a tree.
indirect enum StrictJSON: Equatable {
    case null
    case bool(Bool)
    /// In the digits of the text.
    case number(String)
    /// As scalars: strings of Swift that are canonically equivalent are equal, and these must not be.
    case string([Unicode.Scalar])
    case array([StrictJSON])
    case object([Member])

    struct Member: Equatable {
        var name: [Unicode.Scalar]
        var value: StrictJSON
    }

    /// Nil where the text is not the JSON that JOSE promises to take.
    static func read(_ bytes: [UInt8], depthMax: Int = 32) -> StrictJSON? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var reader = Reader(rest: Array(text.unicodeScalars)[...], depthMax: depthMax)
        guard let value = reader.value(depth: 0), reader.rest.isEmpty else { return nil }
        return value
    }

    /// The member of this name, where it is an object that has one.
    func member(_ name: String) -> StrictJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == Array(name.unicodeScalars) }?.value
    }

    /// The elements, where it is an array.
    var elements: [StrictJSON]? { if case .array(let elements) = self { elements } else { nil } }

    /// The text, where it is a string.
    var text: String? {
        if case .string(let scalars) = self { String(String.UnicodeScalarView(scalars)) } else { nil }
    }

    var isObject: Bool { if case .object = self { true } else { false } }

    /// JSON anew, everything that can be escaped escaped.
    var rewritten: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let digits): digits
        case .string(let scalars): Self.quoted(scalars)
        case .array(let elements): " [ " + elements.map(\.rewritten).joined(separator: " , ") + " ] "
        case .object(let members):
            "{" + members.map { Self.quoted($0.name) + ":" + $0.value.rewritten }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ scalars: [Unicode.Scalar]) -> String {
        let units = scalars.flatMap { Array(UTF16.encode($0)!) }
        let escapes = units.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        return "\"" + escapes.joined() + "\""
    }
}

private struct Reader {
    var rest: ArraySlice<Unicode.Scalar>
    let depthMax: Int

    /// A value with the white space on both its sides.
    mutating func value(depth: Int) -> StrictJSON? {
        skipSpace()
        guard let value = bareValue(depth: depth) else { return nil }
        skipSpace()
        return value
    }

    private mutating func bareValue(depth: Int) -> StrictJSON? {
        switch rest.first {
        case "{", "[": depth == depthMax ? nil : rest.first == "{" ? object(depth: depth + 1) : array(depth: depth + 1)
        case "\"": string().map { .string($0) }
        case "t": take("true") ? .bool(true) : nil
        case "f": take("false") ? .bool(false) : nil
        case "n": take("null") ? .null : nil
        default: number()
        }
    }

    private mutating func array(depth: Int) -> StrictJSON? {
        guard let elements = list("[", "]", { reader in reader.value(depth: depth) }) else { return nil }
        return .array(elements)
    }

    private mutating func object(depth: Int) -> StrictJSON? {
        let members = list("{", "}") { reader -> StrictJSON.Member? in
            reader.skipSpace()
            guard let name = reader.string() else { return nil }
            reader.skipSpace()
            guard reader.take(":"), let value = reader.value(depth: depth) else { return nil }
            return StrictJSON.Member(name: name, value: value)
        }
        guard let members, Set(members.map(\.name)).count == members.count else { return nil }
        return .object(members)
    }

    private mutating func list<Item>(
        _ opening: String, _ closing: String, _ item: (inout Reader) -> Item?
    ) -> [Item]? {
        guard take(opening) else { return nil }
        skipSpace()
        if take(closing) { return [] }
        var items: [Item] = []
        repeat {
            guard let next = item(&self) else { return nil }
            items.append(next)
        } while take(",")
        return take(closing) ? items : nil
    }

    private mutating func number() -> StrictJSON? {
        let start = rest
        _ = take("-")
        if !take("0") { guard digits() else { return nil } }
        if take(".") { guard digits() else { return nil } }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() else { return nil }
        }
        return .number(String(String.UnicodeScalarView(start.dropLast(rest.count))))
    }

    private mutating func digits() -> Bool {
        let others = rest.drop { "0" <= $0 && $0 <= "9" }
        defer { rest = others }
        return others.count < rest.count
    }

    private mutating func string() -> [Unicode.Scalar]? {
        guard take("\"") else { return nil }
        var scalars: [Unicode.Scalar] = []
        while let next = rest.popFirst() {
            switch next {
            case "\"": return scalars
            case "\\":
                guard let scalar = escape() else { return nil }
                scalars.append(scalar)
            case "\u{0}"..."\u{1F}": return nil
            default: scalars.append(next)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let kind = rest.popFirst() else { return nil }
        if kind != "u" { return Self.plainEscapes[kind] }
        guard let unit = hexUnit() else { return nil }
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard UTF16.isLeadSurrogate(unit), take("\\u"), let second = hexUnit(), UTF16.isTrailSurrogate(second) else {
            return nil
        }
        return Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + UInt32(second) - 0xDC00)
    }

    private static let plainEscapes: [Unicode.Scalar: Unicode.Scalar] = [
        "\"": "\"", "\\": "\\", "/": "/", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t",
    ]

    private mutating func hexUnit() -> UInt16? {
        let digits = rest.prefix(4)
        rest = rest.dropFirst(4)
        guard digits.count == 4, digits.allSatisfy({ $0.isASCII && $0.properties.isASCIIHexDigit }) else { return nil }
        return UInt16(String(String.UnicodeScalarView(digits)), radix: 16)
    }

    mutating func take(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        guard rest.starts(with: scalars) else { return false }
        rest = rest.dropFirst(scalars.count)
        return true
    }

    mutating func skipSpace() {
        rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" }
    }
}
