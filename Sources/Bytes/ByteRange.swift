/// A place in a byte buffer: where a parser found something, without a copy and without a pointer.
///
/// Eight bytes, so that a parsed head of a hundred fields stays in a few cache lines. A range means
/// nothing without the bytes it was made from; `Span.slice(_:)` checks it against them.
public struct ByteRange: Sendable, Hashable {
    public var offset: UInt32
    public var count: UInt32

    @inlinable
    public init(offset: Int, count: Int) {
        self.offset = UInt32(offset)
        self.count = UInt32(count)
    }

    @inlinable
    public init(_ range: Range<Int>) {
        self.init(offset: range.lowerBound, count: range.count)
    }

    /// The range that holds nothing.
    public static let empty = ByteRange(offset: 0, count: 0)

    @inlinable public var isEmpty: Bool { count == 0 }
    @inlinable public var lowerBound: Int { Int(offset) }
    @inlinable public var upperBound: Int { Int(offset) + Int(count) }
    @inlinable public var range: Range<Int> { lowerBound..<upperBound }
}
