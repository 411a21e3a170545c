// ECDSA signatures: JWS concatenates r and s (RFC 7518 §3.4), OpenSSL speaks DER (RFC 3279 §2.2.3).

/// The two spellings of an ECDSA signature.
enum ECDSASignature {
    /// The DER of r‖s, or nil unless both are of the curve's full length and within 1…n-1. The range is checked here
    /// (CVE-2022-21449 is what happens where it is not), and the DER written here is the only possible one, so none of
    /// OpenSSL's tolerance for other spellings comes into play.
    static func der(fromConcatenated signature: Span<UInt8>, on curve: EllipticCurve) -> [UInt8]? {
        let length = curve.coordinateByteCount
        guard signature.count == 2 * length else { return nil }
        let r = signature.extracting(0..<length)
        let s = signature.extracting(length..<(2 * length))
        let order = curve.order
        guard isWithin(r, below: order.span), isWithin(s, below: order.span) else { return nil }
        let content = integerByteCount(r) + integerByteCount(s)
        var der: [UInt8] = []
        der.reserveCapacity(content + 3)
        der.append(0x30)
        if content >= 0x80 { der.append(0x81) }  // P-521 alone; it never reaches 256
        der.append(UInt8(content))
        appendInteger(r, to: &der)
        appendInteger(s, to: &der)
        return der
    }

    /// r‖s of the DER that OpenSSL's signing returned, or nil where this is none.
    static func concatenated(fromDER der: Span<UInt8>, on curve: EllipticCurve) -> [UInt8]? {
        let length = curve.coordinateByteCount
        guard der.count > 2, der[0] == 0x30 else { return nil }
        var position = der[1] == 0x81 ? 3 : 2
        var signature: [UInt8] = []
        for _ in 0..<2 {
            guard position + 2 <= der.count, der[position] == 0x02 else { return nil }
            let count = Int(der[position + 1])
            guard position + 2 + count <= der.count else { return nil }
            var number = der.extracting((position + 2)..<(position + 2 + count))
            while number.count > length, number[0] == 0 { number = number.extracting(1..<number.count) }
            guard number.count <= length else { return nil }
            signature += [UInt8](repeating: 0, count: length - number.count) + number.array
            position += 2 + count
        }
        return position == der.count ? signature : nil
    }

    private static func isWithin(_ number: Span<UInt8>, below order: Span<UInt8>) -> Bool {
        var isZero = true
        var isBelow = false
        for index in number.indices {
            if number[index] != 0 { isZero = false }
            if !isBelow {
                if number[index] > order[index] { return false }
                isBelow = number[index] < order[index]
            }
        }
        return isBelow && !isZero
    }

    /// Bytes of a DER INTEGER, tag and length included, for a number that is not zero.
    private static func integerByteCount(_ number: Span<UInt8>) -> Int {
        let start = firstSignificant(number)
        return 2 + number.count - start + Int(number[start] >> 7)
    }

    private static func appendInteger(_ number: Span<UInt8>, to der: inout [UInt8]) {
        let start = firstSignificant(number)
        let isPadded = number[start] & 0x80 != 0  // a set top bit would make it negative
        der.append(0x02)
        der.append(UInt8(number.count - start + (isPadded ? 1 : 0)))
        if isPadded { der.append(0) }
        for index in start..<number.count { der.append(number[index]) }
    }

    private static func firstSignificant(_ number: Span<UInt8>) -> Int {
        var start = 0
        while number[start] == 0 { start += 1 }
        return start
    }
}
