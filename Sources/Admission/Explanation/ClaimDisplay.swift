// Claims as an operator reads them: in ASCII, escaped and cut, so that no claim can drive a terminal, end a line, or
// fill a screen.

internal import Bytes
internal import JOSE

enum ClaimDisplay {
    /// Claims that are shown; the rest are counted.
    static let claimsMax = 40
    /// Bytes of one value.
    static let valueBytesMax = 400
    /// Elements or members of one array or object.
    private static let elementsMax = 8
    private static let depthMax = 4
    private static let numberBytesMax = 40

    static func pairs(_ claims: JSONValue) -> [Explanation.Pair] {
        var pairs = claims.members.prefix(claimsMax).map { member in
            Explanation.Pair(name: name(member.name), value: value(member.name, member.value))
        }
        if claims.count > claimsMax { pairs.append(.init(name: "...", value: "\(claims.count - claimsMax) more")) }
        return pairs
    }

    /// A name as it is where that is plain, else quoted.
    static func name(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy {
            ASCII.isAlphanumeric($0) || "_-.:/".utf8.contains($0)
        }
        return isPlain && !name.isEmpty && name.utf8.count <= Quoted.bytesMax ? name : Quoted.text(name)
    }

    /// The value of a member, with the date where it is a time.
    static func value(_ name: String, _ value: JSONValue) -> String {
        let text = self.text(value)
        guard ["exp", "nbf", "iat", "auth_time"].contains(name), let seconds = value.integer else { return text }
        let date = ExplainedTime.date(seconds) ?? (seconds < 0 ? "before 1970" : "after the year 9999")
        return "\(text) (\(date))"
    }

    static func text(_ value: JSONValue) -> String {
        cut(text(value, depth: 1), to: valueBytesMax)
    }

    private static func text(_ value: JSONValue, depth: Int) -> String {
        switch value.kind {
        case .null: return "null"
        case .bool: return value.bool == true ? "true" : "false"
        case .number: return cut(value.numberText ?? "", to: numberBytesMax)
        case .string: return Quoted.text(value.string ?? "")
        case .array:
            if depth > depthMax { return "[...]" }
            let elements = value.elements.prefix(elementsMax).map { text($0, depth: depth + 1) }
            return "[" + (elements + rest(value)).joined(separator: ", ") + "]"
        case .object:
            if depth > depthMax { return "{...}" }
            let members = value.members.prefix(elementsMax).map { member in
                "\(Quoted.text(member.name)): \(text(member.value, depth: depth + 1))"
            }
            return "{" + (members + rest(value)).joined(separator: ", ") + "}"
        }
    }

    private static func rest(_ value: JSONValue) -> [String] {
        value.count > elementsMax ? ["\(value.count - elementsMax) more"] : []
    }

    /// `text` is ASCII, so any place is one to cut it at.
    private static func cut(_ text: String, to bytesMax: Int) -> String {
        text.utf8.count <= bytesMax ? text : String(text.prefix(bytesMax)) + "..."
    }
}
