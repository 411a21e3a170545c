// Questions about a list of fields that heads of both directions answer alike.

public import Bytes

extension [Field] {
    @inlinable
    func first(_ kind: FieldKind, in kinds: FieldKindSet) -> Field? {
        guard kinds.contains(kind) else { return nil }
        for index in indices where self[index].kind == kind { return self[index] }
        return nil
    }

    @inlinable
    func count(of kind: FieldKind, in kinds: FieldKindSet) -> Int {
        guard kinds.contains(kind) else { return 0 }
        var count = 0
        for index in indices where self[index].kind == kind { count &+= 1 }
        return count
    }

    func connectionNominates(_ name: Span<UInt8>, in bytes: Span<UInt8>) -> Bool {
        containsListElement(of: .connection, in: bytes) { $0.equalsIgnoringCase(name) }
    }

    /// Whether an element of the lists (RFC 9110 §5.6.1) that the fields of that kind make is as asked; empty elements
    /// are asked about too. `bytes` are those the fields were parsed from.
    @inlinable
    public func containsListElement(
        of kind: FieldKind, in bytes: Span<UInt8>, where isWanted: (Span<UInt8>) -> Bool
    ) -> Bool {
        for index in indices where self[index].kind == kind {
            let value = bytes.slice(self[index].value)
            var cursor = 0
            while let element = value.nextListElement(&cursor) {
                if isWanted(value.slice(element)) { return true }
            }
        }
        return false
    }
}

extension Span where Element == UInt8 {
    /// The next element of a list (RFC 9110 §5.6.1), without the white space around it: may be empty. Nil: the list is
    /// over. Quotes mean nothing here: a separator within them separates.
    ///
    /// - Parameter cursor: 0 before the first element, moved on by each call.
    public func nextListElement(_ cursor: inout Int, separator: UInt8 = UInt8(ascii: ",")) -> ByteRange? {
        guard cursor <= count else { return nil }
        var start = cursor
        var end = firstIndex(of: separator, from: cursor) ?? count
        cursor = end &+ 1
        while start < end, isWhitespace(self[start]) { start &+= 1 }
        while start < end, isWhitespace(self[end &- 1]) { end &-= 1 }
        return ByteRange(start..<end)
    }
}

@inline(__always)
func isWhitespace(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }
