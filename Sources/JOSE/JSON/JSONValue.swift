// Reading a parsed document: what is asked for is looked up on the tape, and nothing else is made.

internal import Bytes

/// A value within a document: a view that keeps the document alive. Copies nothing until asked for text.
public struct JSONValue: Sendable {
    let document: JSONDocument
    let index: Int

    var node: JSONNode { document.nodes[index] }

    /// What it is; the accessors below answer nil to any other kind than theirs.
    public var kind: JSONKind { node.kind }

    /// The value of a bool, or nil where this is none.
    public var bool: Bool? { kind == .bool ? node.count == 1 : nil }

    /// The text of a string, escapes resolved, or nil where this is no string.
    public var string: String? {
        kind == .string ? JSONText.string(node, in: document.bytes.span) : nil
    }

    /// Whether this is a string of exactly the UTF-8 of `text`: no normalisation, no allocation.
    public func isString(_ text: String) -> Bool {
        kind == .string && JSONText.equals(node, text, in: document.bytes.span)
    }

    /// What a number is, exactly, or nil where this is none.
    public var number: JSONNumber? {
        kind == .number ? JSONNumber(document.bytes.span.extracting(node.range)) : nil
    }

    /// The number, if it is one, whole, and within Int64.
    public var integer: Int64? {
        if case .integer(let value) = number { value } else { nil }
    }

    /// The very digits of a number as the document spells them, or nil where this is none.
    public var numberText: String? {
        kind == .number ? document.bytes.span.extracting(node.range).text() : nil
    }

    /// Elements of an array or members of an object; 0 for anything else.
    public var count: Int { kind == .array || kind == .object ? Int(node.count) : 0 }

    /// The member of exactly that name (by its UTF-8), or nil; nil too where this is no object.
    public subscript(_ name: String) -> JSONValue? {
        guard kind == .object else { return nil }
        let end = Int(node.end)
        var member = index + 1
        while member < end {
            if JSONText.equals(document.nodes[member], name, in: document.bytes.span) {
                return JSONValue(document: document, index: member + 1)
            }
            member = Int(document.nodes[member + 1].end)
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
            defer { index = Int(document.nodes[index].end) }
            return JSONValue(document: document, index: index)
        }
    }

    /// A name and its value.
    public struct Member: Sendable {
        let nameValue: JSONValue
        public let value: JSONValue

        /// The name, escapes resolved.
        public var name: String { JSONText.string(nameValue.node, in: nameValue.document.bytes.span) }
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
            defer { index = Int(document.nodes[index + 1].end) }
            return Member(
                nameValue: JSONValue(document: document, index: index),
                value: JSONValue(document: document, index: index + 1))
        }
    }
}
