// Reading bytes in place: slices, comparisons and searches over a borrowed span.

public import Glibc

extension Span where Element == UInt8 {
    /// The bytes at `range`. Traps where the range does not lie within the span: ranges come from our own parsers.
    @inlinable
    @_lifetime(copy self)
    public func slice(_ range: ByteRange) -> Span<UInt8> {
        extracting(range.range)
    }

    /// Whether these are exactly the bytes of `literal`.
    @inlinable
    public func equals(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        return unsafe withUnsafeBufferPointer { bytes in
            unsafe memcmp(bytes.baseAddress ?? literal.utf8Start, literal.utf8Start, bytes.count) == 0
        }
    }

    /// Whether the two hold the same bytes. Not constant-time: for public values only.
    @inlinable
    public func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        if isEmpty { return true }
        return unsafe withUnsafeBufferPointer { left in
            unsafe other.withUnsafeBufferPointer { right in
                unsafe memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0
            }
        }
    }

    /// Negative, zero or positive as these bytes come before, are the same as, or come after `other`: byte by byte, a
    /// beginning before what goes on.
    @inlinable
    public func order(_ other: Span<UInt8>) -> Int {
        let shared = Swift.min(count, other.count)
        if shared > 0 {
            let difference = unsafe withUnsafeBufferPointer { left in
                unsafe other.withUnsafeBufferPointer { right in
                    unsafe Int(memcmp(left.baseAddress!, right.baseAddress!, shared))
                }
            }
            if difference != 0 { return difference }
        }
        return count - other.count
    }

    /// Whether these bytes spell `literal` in any case. `literal` must be in lower case.
    @inlinable
    public func equalsIgnoringCase(_ literal: StaticString) -> Bool {
        equalsIgnoringCase(unsafe Span(_unsafeStart: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    /// Whether the two spell the same word in any case of ASCII.
    @inlinable
    public func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        guard count >= 8 else {
            for index in indices where ASCII.lowercased(self[index]) != ASCII.lowercased(other[index]) { return false }
            return true
        }
        // By eight bytes; the last eight may overlap those before.
        let last = count &- 8
        var position = 0
        while position < last {
            guard hasSameLetters(as: other, at: position) else { return false }
            position &+= 8
        }
        return hasSameLetters(as: other, at: last)
    }

    @inlinable
    @inline(__always)
    func hasSameLetters(as other: Span<UInt8>, at position: Int) -> Bool {
        ByteWord.lowercased(word(at: position)) == ByteWord.lowercased(other.word(at: position))
    }

    /// The index of the first `byte` at or after `start`, or nil. Runs on memchr.
    @inlinable
    public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        precondition(start >= 0)
        guard start < count else { return nil }
        return unsafe withUnsafeBufferPointer { bytes in
            let base = bytes.baseAddress!
            guard let found = unsafe memchr(base + start, Int32(byte), bytes.count - start) else { return nil }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// A copy of these bytes.
    @inlinable
    public func copied() -> [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// These bytes as text; what is not UTF-8 becomes U+FFFD. For messages and logs, never for a decision.
    @inlinable
    public func text() -> String {
        unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension [UInt8] {
    /// Appends a copy of these bytes.
    @inlinable
    public mutating func append(copying bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends the bytes of `literal`.
    @inlinable
    public mutating func append(copying literal: StaticString) {
        unsafe append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }
}
