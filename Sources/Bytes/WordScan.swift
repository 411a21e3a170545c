// Looking at eight bytes at a time.
//
// Eight bytes are looked at as one integer: a predicate gives a word in which the high bit of each byte tells whether
// that byte is a hit. It may be wrong above the first hit, never below it. (The standard library's SIMD types were
// measured thirty times slower: their comparisons with a scalar run lane by lane.)
//
// Every load is bounds-checked by the span; what is unsafe about it is only that bytes are looked at as an integer.

extension Span where Element == UInt8 {
    /// The first byte in `start..<limit` that a predicate holds for, given once for eight bytes and once for one, or
    /// `limit`. Traps where the range does not lie within the span.
    @inlinable
    @inline(__always)
    public func first(
        from start: Int, upTo limit: Int, inWord: (UInt64) -> UInt64, orByte: (UInt8) -> Bool
    ) -> Int {
        let raw = unsafe bytes
        var position = start
        while limit &- position >= 8 {
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
            let hits = inWord(UInt64(littleEndian: word))
            if hits != 0 { return position &+ hits.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        while position < limit, !orByte(self[position]) { position &+= 1 }
        return position
    }

    /// The 32 bytes at `position`; traps where the span does not have so many.
    @inlinable
    @inline(__always)
    func words(at position: Int) -> (UInt64, UInt64, UInt64, UInt64) {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position, as: (UInt64, UInt64, UInt64, UInt64).self)
    }

    /// Whether any byte of the 32 at `position` is a hit; traps where the span does not have so many.
    @inlinable
    @inline(__always)
    public func anyOf32(at position: Int, inWord: (UInt64) -> UInt64) -> Bool {
        let words = words(at: position)
        return inWord(words.0) | inWord(words.1) | inWord(words.2) | inWord(words.3) != 0
    }

    /// Whether the two hold the same bytes. However much of them is the same, it takes as long: for what must not be guessed
    /// bit by bit. How many they are shows.
    public func equalsInConstantTime(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var difference: UInt64 = 0
        var position = 0
        while count &- position >= 32 {
            let (left, right) = (words(at: position), other.words(at: position))
            difference |= (left.0 ^ right.0) | (left.1 ^ right.1) | (left.2 ^ right.2) | (left.3 ^ right.3)
            position &+= 32
        }
        while position < count {
            difference |= UInt64(self[position] ^ other[position])
            position &+= 1
        }
        return difference == 0
    }

    /// The eight bytes at `position`, the first of them lowest; traps where the span does not have so many.
    @inlinable
    @inline(__always)
    public func word(at position: Int) -> UInt64 {
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self))
    }
}

extension MutableSpan where Element == UInt8 {
    /// Writes the eight bytes of `word` at `position`, the highest first; traps where the span does not have so many.
    @inlinable
    @inline(__always)
    @_lifetime(self: copy self)
    public mutating func store(_ word: UInt64, at position: Int) {
        var raw = unsafe mutableBytes
        raw.storeBytes(of: word.bigEndian, toByteOffset: position, as: UInt64.self)
    }
}

/// Predicates over the bytes of a word: the high bit of each byte of the answer tells.
public enum ByteWord {
    @inlinable public static var highBits: UInt64 { 0x8080_8080_8080_8080 }
    @inlinable public static var lowBits: UInt64 { 0x0101_0101_0101_0101 }

    /// High bits where a byte is below `bound` (at most 0x80); wrong above the first hit, as the borrow runs upwards.
    @inlinable
    @inline(__always)
    public static func below(_ bound: UInt64, _ word: UInt64) -> UInt64 { (word &- lowBits &* bound) & ~word }

    /// High bits where a byte equals `byte`; wrong above the first hit.
    @inlinable
    @inline(__always)
    public static func equal(_ byte: UInt64, _ word: UInt64) -> UInt64 { below(1, word ^ (lowBits &* byte)) }

    /// High bits where a byte equals `byte` (below 0x80), everywhere.
    @inlinable
    @inline(__always)
    public static func exactlyEqual(_ byte: UInt64, _ word: UInt64) -> UInt64 {
        let difference = word ^ (lowBits &* byte)
        return ~(((difference & ~highBits) &+ ~highBits) | difference)
    }

    /// The same with each byte of A–Z in lower case.
    @inlinable
    @inline(__always)
    public static func lowercased(_ word: UInt64) -> UInt64 {
        let low = word & ~highBits
        let capitals = (low &+ lowBits &* 0x3F) & ~(low &+ lowBits &* 0x25) & ~word & highBits
        return word | capitals &>> 2
    }

    /// High bits where a byte is a letter, everywhere: no sum of two seven-bit numbers reaches the next byte.
    @inlinable
    @inline(__always)
    public static func letters(_ word: UInt64) -> UInt64 {
        let lower = (word | (lowBits &* 0x20)) & ~highBits
        return (lower &+ (lowBits &* 0x1F)) & ~(lower &+ (lowBits &* 0x05)) & ~word
    }
}
