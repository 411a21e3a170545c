import OpenSSLKit
import Testing

@Suite struct PublicKeyTests {
    struct NotElliptic: Error {}

    /// A modulus of exactly so many bits, odd.
    static func modulus(bits: Int) -> [UInt8] {
        let top = (bits - 1) % 8
        return [1 << top] + [UInt8](repeating: 0x5A, count: (bits + 7) / 8 - 2) + [0x01]
    }

    static func rsa(_ n: [UInt8], _ e: [UInt8]) throws(PublicKeyError) -> PublicKey.Kind {
        try PublicKey(rsaModulus: n.span, exponent: e.span).kind
    }

    static func elliptic(_ curve: EllipticCurve, _ x: [UInt8], _ y: [UInt8]) throws(PublicKeyError) -> PublicKey.Kind {
        try PublicKey(curve: curve, x: x.span, y: y.span).kind
    }

    @Test("RSA moduli from 2048 to 8192 bits are taken", arguments: [2048, 2049, 3072, 4096, 8191, 8192])
    func moduli(bits: Int) throws {
        #expect(try Self.rsa(Self.modulus(bits: bits), [1, 0, 1]) == .rsa(bits: bits))
    }

    @Test("Leading zeros do not make a modulus longer")
    func leadingZeros() throws {
        #expect(try Self.rsa([0, 0] + Self.modulus(bits: 2048), [0, 1, 0, 1]) == .rsa(bits: 2048))
        #expect(throws: PublicKeyError.rsaTooSmall(bits: 2047)) {
            try Self.rsa([0] + Self.modulus(bits: 2047), [1, 0, 1])
        }
    }

    @Test("Moduli beyond the bounds are refused, whatever their length in bytes")
    func bounds() {
        #expect(throws: PublicKeyError.rsaTooSmall(bits: 1024)) { try Self.rsa(Self.modulus(bits: 1024), [3]) }
        #expect(throws: PublicKeyError.rsaTooSmall(bits: 2047)) { try Self.rsa(Self.modulus(bits: 2047), [3]) }
        #expect(throws: PublicKeyError.rsaTooSmall(bits: 0)) { try Self.rsa([], [3]) }
        #expect(throws: PublicKeyError.rsaTooSmall(bits: 0)) { try Self.rsa([UInt8](repeating: 0, count: 256), [3]) }
        #expect(throws: PublicKeyError.rsaTooLarge(bits: 8193)) { try Self.rsa(Self.modulus(bits: 8193), [3]) }
        #expect(throws: PublicKeyError.badModulus) { try Self.rsa(Self.modulus(bits: 2048).dropLast() + [2], [3]) }
    }

    @Test("Exponents are odd, 3 or more, and of 33 bits at the most")
    func exponents() throws {
        let n = Self.modulus(bits: 2048)
        for good: [UInt8] in [[3], [17], [1, 0, 1], [1, 0, 0, 0, 1]] {
            #expect(try Self.rsa(n, good) == .rsa(bits: 2048))
        }
        for bad: [UInt8] in [[], [0], [1], [2], [1, 0, 0], [2, 0, 0, 0, 1], [UInt8](repeating: 0xFF, count: 256)] {
            #expect(throws: PublicKeyError.badExponent) { try Self.rsa(n, bad) }
        }
    }

    static func members() throws -> (x: [UInt8], y: [UInt8]) {
        guard case .elliptic(.p256, let x, let y) = try SigningKey(generating: .es256).publicMembers() else {
            throw NotElliptic()
        }
        return (x, y)
    }

    @Test("A point on its curve is taken, in full length only")
    func points() throws {
        let (x, y) = try Self.members()
        #expect(try Self.elliptic(.p256, x, y) == .elliptic(.p256))
        #expect(throws: PublicKeyError.badLength) { try Self.elliptic(.p256, ([0] + x), y) }
        #expect(throws: PublicKeyError.badLength) { try Self.elliptic(.p256, x, y.dropLast()) }
        #expect(throws: PublicKeyError.badLength) { try Self.elliptic(.p384, x, y) }
    }

    @Test("A point off the curve, on another curve, at infinity or beyond the field is refused")
    func offCurve() throws {
        let (x, y) = try Self.members()
        var off = y
        off[31] ^= 1
        let zero = [UInt8](repeating: 0, count: 32)
        let ones = [UInt8](repeating: 0xFF, count: 32)
        for (x, y) in [(x, off), (y, x), (zero, zero), (ones, ones), (x, zero)] {
            #expect(throws: PublicKeyError.notOnCurve) { try Self.elliptic(.p256, x, y) }
        }
        let wide = [UInt8](repeating: 0, count: 16)
        #expect(throws: PublicKeyError.notOnCurve) { try Self.elliptic(.p384, (wide + x), (wide + y)) }
    }

    @Test("An Ed25519 point of small order is no key: one signature would hold for every message", arguments: [
        [UInt8](repeating: 0, count: 32), [1] + [UInt8](repeating: 0, count: 31),
        [1] + [UInt8](repeating: 0, count: 30) + [0x80],
        [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F], [0xEE] + [UInt8](repeating: 0xFF, count: 31),
    ])
    func smallOrder(bytes: [UInt8]) {
        #expect(throws: PublicKeyError.smallOrder) { try PublicKey(ed25519: bytes.span) }
    }

    @Test("An Ed25519 key has 32 bytes", arguments: [0, 31, 33, 64])
    func ed25519(count: Int) throws {
        #expect(throws: PublicKeyError.badLength) { try PublicKey(ed25519: [UInt8](repeating: 9, count: count).span) }
        #expect(try PublicKey(ed25519: [UInt8](repeating: 9, count: 32).span).kind == .ed25519)
    }
}
