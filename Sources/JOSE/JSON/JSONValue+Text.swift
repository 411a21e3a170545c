// A scalar of a parsed document as the text that stood there.

extension JSONValue {
    /// A string's text, a number's very digits, `true` or `false`; nil for null, an array and an object.
    public var scalarText: String? {
        switch kind {
        case .string: string
        case .number: numberText
        case .bool: bool == true ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}
