// Searches for the first byte that ends a run, eight bytes at a time: a head's bytes are mostly long values (a token is
// 700 bytes and more), so that the speed of these loops is the speed of the parser.

internal import Bytes

extension Span where Element == UInt8 {
    /// The first control byte other than HTAB in `start..<limit`, or `limit`: what may not stand in a field value
    /// (RFC 9110 §5.5), the CR that ends it included.
    func firstControl(from start: Int, upTo limit: Int) -> Int {
        var position = start
        while true {
            // Values are long: by thirty-two bytes at first, where only whether there is a hit matters.
            while limit &- position >= 32, !anyOf32(at: position, inWord: controls) { position &+= 32 }
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
            ~(ByteWord.letters(word) | ByteWord.exactlyEqual(0x2D, word)) & ByteWord.highBits
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
            let hits =
                ByteWord.below(0x21, word) | ByteWord.equal(0x7F, word) | ByteWord.equal(0x23, word)
                | ByteWord.equal(0x5C, word) | word
            return hits & ByteWord.highBits
        } orByte: { byte in
            byte < 0x21 || byte >= 0x7F || byte == 0x23 || byte == 0x5C
        }
    }
}

extension Span where Element == UInt8 {
    /// Past `HTTP/1.1`, where it stands at `start` and a byte follows; else `start`, for whoever looks byte by byte.
    @inline(__always)
    func skipCommonVersion(from start: Int, upTo limit: Int) -> Int {
        // The bytes in their order, the first one lowest.
        let common: UInt64 = 0x312E_312F_5054_5448
        return limit &- start > 8 && word(at: start) == common ? start &+ 8 : start
    }
}

/// High bits where a byte is a control, HTAB included; wrong above the first hit.
@inline(__always)
private func controls(_ word: UInt64) -> UInt64 {
    (ByteWord.below(0x20, word) | ByteWord.equal(0x7F, word)) & ByteWord.highBits
}
