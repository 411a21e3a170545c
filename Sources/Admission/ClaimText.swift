// Claims of a verified token that must be text, or lists of texts.

internal import JOSE

enum ClaimText {
    /// The claim if it is a string, nil if it is absent.
    static func string(_ name: String, in claims: JSONValue) throws(Refusal) -> String? {
        guard let value = claims[name] else { return nil }
        guard let string = value.string else { throw malformed(name, value, wanted: "a string") }
        return string
    }

    /// The texts of a claim that is a string or an array of strings, as `aud` is (RFC 7519 §4.1.3).
    static func strings(_ name: String, _ value: JSONValue) throws(Refusal) -> [String] {
        if let string = value.string { return [string] }
        guard value.kind == .array else {
            throw malformed(name, value, wanted: "a string or an array of strings")
        }
        var strings: [String] = []
        for element in value.elements {
            guard let string = element.string else {
                throw Refusal(
                    .malformedClaim, "The claim \(name) holds \(description(element.kind)) where a string belongs.")
            }
            strings.append(string)
        }
        return strings
    }

    static func malformed(_ name: String, _ value: JSONValue, wanted: String) -> Refusal {
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
