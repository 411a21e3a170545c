// Searches for the first byte that ends a run, sixteen bytes at a time.
//
// A head's bytes are mostly long values (a token is 700 bytes and more), so that the speed of these loops is the
// speed of the parser. Every load is bounds-checked by the span; what is unsafe about them is only that bytes are
// looked at as a vector.

internal import Bytes

extension Span where Element == UInt8 {
    /// The first control byte other than HTAB in `start..<limit`, or `limit`: what may not stand in a field value
    /// (RFC 9110 §5.5), the CR that ends it included.
    func firstControl(from start: Int, upTo limit: Int) -> Int {
        var position = start
        while true {
            position = first(from: position, upTo: limit) { block in
                (block .< 0x20) .| (block .== 0x7F)
            } orByte: { byte in
                byte < 0x20 || byte == 0x7F
            }
            guard position < limit, self[position] == ASCII.tab else { return position }
            position &+= 1
        }
    }

    /// The first byte in `start..<limit` that is no tchar (RFC 9110 §5.6.2), or `limit`.
    func firstNonToken(from start: Int, upTo limit: Int) -> Int {
        // Almost every field name is letters and hyphens: those are skipped as vectors, the rest one by one.
        var position = first(from: start, upTo: limit) { block in
            (((block | 0x20) &- 0x61) .>= 26) .& (block .!= 0x2D)
        } orByte: { byte in
            !ASCII.isToken(byte)
        }
        while position < limit, ASCII.isToken(self[position]) { position &+= 1 }
        return position
    }

    /// The first byte in `start..<limit` that may not stand in a request-target, or `limit`: a space, a control, a
    /// byte above 0x7E, `#` (RFC 9112 §3.2 has no fragment) and `\`, which some backends read as `/`.
    func firstNonTarget(from start: Int, upTo limit: Int) -> Int {
        first(from: start, upTo: limit) { block in
            ((block &- 0x21) .>= 0x5E) .| (block .== 0x23) .| (block .== 0x5C)
        } orByte: { byte in
            byte &- 0x21 >= 0x5E || byte == 0x23 || byte == 0x5C
        }
    }

    /// The first byte in `start..<limit` that a predicate holds for, given once for a vector and once for a byte.
    @inline(__always)
    private func first(
        from start: Int, upTo limit: Int, inBlock: (SIMD16<UInt8>) -> SIMDMask<SIMD16<Int8>>,
        orByte: (UInt8) -> Bool
    ) -> Int {
        let raw = unsafe bytes
        var position = start
        while limit &- position >= 16 {
            let block = unsafe raw.unsafeLoadUnaligned(fromByteOffset: position, as: SIMD16<UInt8>.self)
            let hits = unsafe unsafeBitCast(inBlock(block), to: SIMD2<UInt64>.self)
            if hits[0] != 0 { return position &+ UInt64(littleEndian: hits[0]).trailingZeroBitCount &>> 3 }
            if hits[1] != 0 { return position &+ 8 &+ UInt64(littleEndian: hits[1]).trailingZeroBitCount &>> 3 }
            position &+= 16
        }
        while position < limit, !orByte(self[position]) { position &+= 1 }
        return position
    }
}
