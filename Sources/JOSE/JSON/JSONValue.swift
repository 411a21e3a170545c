// Reading a parsed document: what is asked for is looked up on the tape, and nothing else is made.

internal import Bytes

/// A value within a document: a view that keeps the document alive. Copies nothing until asked for text.
public struct JSONValue: Sendable {
    let document: JSONDocument
    let index: Int

    var node: JSONNode { document.tape[index] }

    /// What it is; the accessors below answer nil to any other kind than theirs.
    public var kind: JSONKind { node.kind }

    /// The value of a bool, or nil where this is none.
    public var bool: Bool? { kind == .bool ? node.count == 1 : nil }

    /// The text of a string, escapes resolved, or nil where this is no string.
    public var string: String? {
        kind == .string ? JSONText.string(node, in: document.text) : nil
    }

    /// Whether this is a string of exactly the UTF-8 of `text`: no normalisation, no allocation.
    public func isString(_ text: String) -> Bool {
        kind == .string && JSONText.equals(node, text.utf8Span.span, in: document.text)
    }

    /// What `body` makes of a string's text in UTF-8, escapes resolved, or nil where this is no string. Allocates
    /// nothing where nothing is escaped.
    public func withText<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard kind == .string else { return nil }
        return try JSONText.withText(of: node, in: document.text, body)
    }

    /// What `body` makes of the digits of a number as the document spells them, or nil where this is none.
    public func withNumberText<Result>(_ body: (Span<UInt8>) -> Result) -> Result? {
        kind == .number ? body(document.text.extracting(node.range)) : nil
    }

    /// What a number is, exactly, or nil where this is none.
    public var number: JSONNumber? {
        kind == .number ? JSONNumber(document.text.extracting(node.range)) : nil
    }

    /// The number, if it is one, whole, and within Int64.
    public var integer: Int64? {
        if case .integer(let value) = number { value } else { nil }
    }

    /// The very digits of a number as the document spells them, or nil where this is none.
    public var numberText: String? {
        kind == .number ? document.text.extracting(node.range).text() : nil
    }

    /// Elements of an array or members of an object; 0 for anything else.
    public var count: Int { kind == .array || kind == .object ? Int(node.count) : 0 }

    /// The member of exactly that name (by its UTF-8), or nil; nil too where this is no object.
    public subscript(_ name: StaticString) -> JSONValue? {
        let bytes = document.text
        return member { JSONText.equals($0, name, in: bytes) }
    }

    /// The same for a name that is not known beforehand.
    public subscript(named name: String) -> JSONValue? {
        let bytes = document.text
        let name = name.utf8Span.span
        return member { JSONText.equals($0, name, in: bytes) }
    }

    @inline(__always)
    private func member(where isNamed: (JSONNode) -> Bool) -> JSONValue? {
        let tape = document.tape
        let object = tape[index]
        guard object.kind == .object else { return nil }
        let end = Int(object.end)
        var member = index &+ 1
        while member < end {
            if isNamed(tape[member]) { return JSONValue(document: document, index: member &+ 1) }
            member = Int(tape[member &+ 1].end)
        }
        return nil
    }

    /// Elements of an array, in order; none where this is no array.
    public var elements: Elements { Elements(self) }

    /// Members of an object, in document order; none where this is no object.
    public var members: Members { Members(self) }

    /// The elements of an array.
    public struct Elements: Sequence, IteratorProtocol, Sendable {
        private let document: JSONDocument
        private var index: Int
        private let end: Int

        fileprivate init(_ value: JSONValue) {
            document = value.document
            index = value.index + 1
            end = value.kind == .array ? Int(value.node.end) : index
        }

        public mutating func next() -> JSONValue? {
            guard index < end else { return nil }
            defer { index = Int(document.tape[index].end) }
            return JSONValue(document: document, index: index)
        }
    }

    /// A name and its value.
    public struct Member: Sendable {
        let nameValue: JSONValue
        public let value: JSONValue

        /// The name, escapes resolved.
        public var name: String { JSONText.string(nameValue.node, in: nameValue.document.text) }
    }

    /// The members of an object.
    public struct Members: Sequence, IteratorProtocol, Sendable {
        private let document: JSONDocument
        private var index: Int
        private let end: Int

        fileprivate init(_ value: JSONValue) {
            document = value.document
            index = value.index + 1
            end = value.kind == .object ? Int(value.node.end) : index
        }

        public mutating func next() -> Member? {
            guard index < end else { return nil }
            defer { index = Int(document.tape[index + 1].end) }
            return Member(
                nameValue: JSONValue(document: document, index: index),
                value: JSONValue(document: document, index: index + 1))
        }
    }
}
