public enum JSONKind: UInt8, Sendable, Equatable { case null, bool, number, string, array, object }

/// What a JSON number is, exactly; nothing is rounded.
public enum JSONNumber: Sendable, Equatable {
    /// A whole number that fits: `1`, `1.0`, `1e3`, `-0`.
    case integer(Int64)
    /// Not whole; `floor` is the greatest integer below it.
    case fraction(floor: Int64)
    /// Beyond Int64, `1e400` say.
    case outOfRange(isNegative: Bool)
}

/// A value within a document: a view that keeps the document alive.
public struct JSONValue: Sendable {
    public var kind: JSONKind { fatalError() }
    public var isNull: Bool { kind == .null }
    public var bool: Bool? { fatalError() }
    /// The text of a string, or nil where this is no string.
    public var string: String? { fatalError() }
    public var number: JSONNumber? { fatalError() }
    /// The number if it is exactly an Int64.
    public var integer: Int64? { fatalError() }
    /// The very digits of a number as the document spells them.
    public var numberText: String? { fatalError() }
    /// Elements of an array or members of an object; 0 for a scalar.
    public var count: Int { fatalError() }
    /// The member of that name, or nil; nil too where this is no object.
    public subscript(_ name: String) -> JSONValue? { fatalError() }
    /// Elements of an array; none where this is no array.
    public var elements: Elements { fatalError() }
    /// Members of an object in document order; none where this is no object.
    public var members: Members { fatalError() }
    /// Whether this is a string of exactly these UTF-8 bytes (no normalisation).
    public func isString(_ text: String) -> Bool { fatalError() }

    public struct Elements: Sequence, IteratorProtocol, Sendable {
        public mutating func next() -> JSONValue? { fatalError() }
    }
    public struct Member: Sendable {
        public var name: String { fatalError() }
        public var value: JSONValue { fatalError() }
    }
    public struct Members: Sequence, IteratorProtocol, Sendable {
        public mutating func next() -> Member? { fatalError() }
    }
}
