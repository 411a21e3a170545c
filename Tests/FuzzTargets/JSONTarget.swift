// JSON: taken exactly where a second reader takes it, with the same values, found under their names, and the same again
// once it is written anew.

import Bytes
import JOSE

extension FuzzTarget {
    static let json = FuzzTarget(name: "json") { bytes throws(Violation) in
        let theirs = StrictJSON.read(bytes)
        guard let document = try? JSONDocument(parsing: bytes.span) else {
            try expect(theirs == nil, "refused, and it is \(theirs!.rewritten)")
            return false
        }
        let ours = try tree(document.root)
        guard let theirs else { throw Violation(description: "accepted, as \(ours.rewritten)") }
        try expect(ours == theirs, "read as \(ours.rewritten), not \(theirs.rewritten)")

        let again = Array(ours.rewritten.utf8)
        guard let reread = try? JSONDocument(parsing: again.span) else {
            throw Violation(description: "refused as rewritten: \(ours.rewritten)")
        }
        try expect(try tree(reread.root) == ours, "rewritten, it is another value")
        return true
    }
}

/// The value as our reader tells it, by every way of asking that it has.
private func tree(_ value: JSONValue) throws(Violation) -> StrictJSON {
    try expect((value.string != nil) == (value.kind == .string), "a string is one, and nothing else")
    try expect((value.numberText != nil) == (value.kind == .number), "a number is one, and nothing else")
    try expect((value.bool != nil) == (value.kind == .bool), "a bool is one, and nothing else")
    switch value.kind {
    case .null: return .null
    case .bool: return .bool(value.bool == true)
    case .number:
        let digits = value.numberText!
        // Int64 reads a plus sign and leading zeros too; JSON has none of them.
        let isPlain = !digits.contains { ".eE".contains($0) }
        if isPlain { try expect(value.integer == Int64(digits), "\(digits) is \(value.integer.map(String.init) ?? "none")") }
        return .number(digits)
    case .string:
        let text = value.string!
        try expect(value.isString(text) && !value.isString(text + "x"), "\(text.debugDescription) is not itself")
        try expect(reread(text) == text.unicodeScalars.map { $0 }, "\(text.debugDescription) is written as another text")
        return .string(Array(text.unicodeScalars))
    case .array:
        var elements: [StrictJSON] = []
        for element in value.elements { elements.append(try tree(element)) }
        try expect(elements.count == value.count, "\(value.count) elements, and \(elements.count) come")
        return .array(elements)
    case .object:
        var members: [StrictJSON.Member] = []
        for member in value.members {
            let found = try tree(member.value)
            guard let byName = value[named: member.name] else { throw Violation(description: "a member without its name") }
            // As far as can be seen without reading all of it again, which would double the work with each level.
            let isSame = byName.kind == member.value.kind && byName.count == member.value.count
            try expect(
                isSame && byName.string == member.value.string && byName.numberText == member.value.numberText,
                "a name leads to another member")
            members.append(.init(name: Array(member.name.unicodeScalars), value: found))
        }
        try expect(members.count == value.count, "\(value.count) members, and \(members.count) come")
        return .object(members)
    }
}

/// The text behind our own writer and the second reader.
private func reread(_ text: String) -> [Unicode.Scalar]? {
    let buffer = ByteBuffer(capacity: 64)
    var writer = JSONWriter(into: buffer)
    writer.string(text)
    guard case .string(let scalars) = StrictJSON.read(buffer.readable.copied()) else { return nil }
    return scalars
}
