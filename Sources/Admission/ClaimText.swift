// Claims of a verified token that must be text, or lists of texts.

internal import JOSE

enum ClaimText {
    /// The claim if it is a string, nil if it is absent.
    static func string(_ name: StaticString, in claims: JSONValue) throws(Refusal) -> JSONValue? {
        guard let value = claims[name] else { return nil }
        guard value.kind == .string else { throw malformed(name, value, wanted: "a string") }
        return value
    }

    /// Throws unless the claim is a string or an array of strings, as `aud` is (RFC 7519 §4.1.3).
    static func checkStrings(_ name: StaticString, _ value: JSONValue) throws(Refusal) {
        if value.kind == .string { return }
        guard value.kind == .array else {
            throw malformed(name, value, wanted: "a string or an array of strings")
        }
        for element in value.elements where element.kind != .string {
            throw Refusal(
                .malformedClaim, "The claim \(name) holds \(description(element.kind)) where a string belongs.")
        }
    }

    /// The texts of a claim that is a string or an array of strings.
    static func strings(_ name: StaticString, _ value: JSONValue) throws(Refusal) -> [String] {
        try checkStrings(name, value)
        return value.string.map { [$0] } ?? value.elements.compactMap(\.string)
    }

    /// Whether a claim that is a string, or an array, is or holds `text`.
    static func holds(_ text: String, _ value: JSONValue) -> Bool {
        value.kind == .array ? value.elements.contains { $0.isString(text) } : value.isString(text)
    }

    static func malformed(_ name: StaticString, _ value: JSONValue, wanted: String) -> Refusal {
        Refusal(.malformedClaim, "The claim \(name) is \(description(value.kind)), not \(wanted).")
    }

    static func description(_ kind: JSONKind) -> String {
        switch kind {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
