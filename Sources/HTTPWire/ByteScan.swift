// Searches for the first byte that ends a run, eight bytes at a time.
//
// A head's bytes are mostly long values (a token is 700 bytes and more), so that the speed of these loops is the
// speed of the parser. Eight bytes are looked at as one integer: a predicate gives a word in which the high bit of
// each byte tells whether that byte is a hit. It may be wrong above the first hit, never below it. (The standard
// library's SIMD types were measured thirty times slower: their comparisons with a scalar run lane by lane.)
//
// Every load is bounds-checked by the span; what is unsafe about it is only that bytes are looked at as an integer.

internal import Bytes

extension Span where Element == UInt8 {
    /// The first control byte other than HTAB in `start..<limit`, or `limit`: what may not stand in a field value
    /// (RFC 9110 §5.5), the CR that ends it included.
    func firstControl(from start: Int, upTo limit: Int) -> Int {
        let raw = unsafe bytes
        var position = start
        while true {
            // Values are long: by thirty-two bytes at first, where only whether there is a hit matters.
            while limit &- position >= 32 {
                let words = unsafe raw.unsafeLoadUnaligned(
                    fromByteOffset: position, as: (UInt64, UInt64, UInt64, UInt64).self)
                if controls(words.0) | controls(words.1) | controls(words.2) | controls(words.3) != 0 { break }
                position &+= 32
            }
            position = first(from: position, upTo: limit, inWord: controls) { byte in
                byte < 0x20 || byte == 0x7F
            }
            guard position < limit, self[position] == UInt8(ascii: "\t") else { return position }
            position &+= 1
        }
    }

    /// The first byte in `start..<limit` that is no tchar (RFC 9110 §5.6.2), or `limit`.
    func firstNonToken(from start: Int, upTo limit: Int) -> Int {
        // Almost every field name is letters and hyphens: those are skipped in words, the rest byte by byte.
        var position = first(from: start, upTo: limit) { word in
            ~(letters(word) | exactlyEqual(0x2D, word)) & highBits
        } orByte: { byte in
            !ASCII.isToken(byte)
        }
        while position < limit, ASCII.isToken(self[position]) { position &+= 1 }
        return position
    }

    /// The first byte in `start..<limit` that may not stand in a request-target, or `limit`: a space, a control, a
    /// byte above 0x7E, `#` (RFC 9112 §3.2 has no fragment) and `\`, which some backends read as `/`.
    func firstNonTarget(from start: Int, upTo limit: Int) -> Int {
        first(from: start, upTo: limit) { word in
            (below(0x21, word) | equal(0x7F, word) | equal(0x23, word) | equal(0x5C, word) | word) & highBits
        } orByte: { byte in
            byte < 0x21 || byte >= 0x7F || byte == 0x23 || byte == 0x5C
        }
    }

    /// The first byte in `start..<limit` that a predicate holds for, given once for eight bytes and once for one.
    @inline(__always)
    private func first(
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
}

/// High bits where a byte is a control, HTAB included; wrong above the first hit.
@inline(__always)
private func controls(_ word: UInt64) -> UInt64 { (below(0x20, word) | equal(0x7F, word)) & highBits }

private var highBits: UInt64 { 0x8080_8080_8080_8080 }
private var lowBits: UInt64 { 0x0101_0101_0101_0101 }

/// High bits where a byte is below `bound` (at most 0x80); wrong above the first hit, as the borrow runs upwards.
@inline(__always)
private func below(_ bound: UInt64, _ word: UInt64) -> UInt64 { (word &- lowBits &* bound) & ~word }

/// High bits where a byte equals `byte`; wrong above the first hit.
@inline(__always)
private func equal(_ byte: UInt64, _ word: UInt64) -> UInt64 { below(1, word ^ (lowBits &* byte)) }

/// High bits where a byte equals `byte` (below 0x80), everywhere.
@inline(__always)
private func exactlyEqual(_ byte: UInt64, _ word: UInt64) -> UInt64 {
    let difference = word ^ (lowBits &* byte)
    return ~(((difference & ~highBits) &+ ~highBits) | difference)
}

/// High bits where a byte is a letter, everywhere: no sum of two seven-bit numbers reaches the next byte.
@inline(__always)
private func letters(_ word: UInt64) -> UInt64 {
    let lower = (word | (lowBits &* 0x20)) & ~highBits
    return (lower &+ (lowBits &* 0x1F)) & ~(lower &+ (lowBits &* 0x05)) & ~word
}
