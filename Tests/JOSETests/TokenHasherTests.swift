// Digests that are not computed anew must be the ones that would have been.

import Testing

@testable import JOSE

@Suite("Digests of tokens")
struct TokenHasherTests {
    private static func token(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    @Test("Whatever a token's length, its digest is SHA-256's, the first time and again")
    func lengths() {
        let hasher = TokenHasher()
        let longest = TokenHasher.slotBytes
        for count in [0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 800, longest - 1, longest, longest + 1, 8000] {
            let token = Self.token(count)
            let digest = TokenDigest(of: token.span)
            for _ in 0..<3 { #expect(hasher.digest(of: token.span) == digest, "\(count) bytes") }
        }
    }

    @Test("A token that comes again is not hashed again; one that is too long to be kept is")
    func again() {
        let hasher = TokenHasher()
        let token = Self.token(800)
        for _ in 0..<10 { _ = hasher.digest(of: token.span) }
        #expect(hasher.hashed == 1)
        let long = Self.token(TokenHasher.slotBytes + 1)
        for _ in 0..<10 { _ = hasher.digest(of: long.span) }
        #expect(hasher.hashed == 11)
    }

    @Test("A token that differs in any one bit of any byte has a digest of its own", arguments: [8, 9, 23, 64, 100])
    func differences(count: Int) {
        let token = Self.token(count)
        for index in token.indices {
            for bit in 0..<8 {
                let hasher = TokenHasher()
                #expect(hasher.digest(of: token.span) == TokenDigest(of: token.span))
                var other = token
                other[index] ^= 1 << bit
                #expect(hasher.digest(of: other.span) == TokenDigest(of: other.span), "byte \(index), bit \(bit)")
            }
        }
    }

    @Test("Neither a beginning nor a continuation of a token is taken for it")
    func prefixes() {
        let hasher = TokenHasher()
        // All of one byte: each length looks for the same slot.
        for count in 8...64 {
            let token = [UInt8](repeating: 0x41, count: count)
            #expect(hasher.digest(of: token.span) == TokenDigest(of: token.span))
        }
    }

    @Test("Tokens that come but once do not push out one that comes again and again")
    func flood() {
        let hasher = TokenHasher()
        let token = Self.token(800)
        _ = hasher.digest(of: token.span)
        let rounds = 5_000
        for number in 0..<rounds {
            _ = hasher.digest(of: token.span)
            let other = Self.token(800, seed: UInt64(number) + 2)
            #expect(hasher.digest(of: other.span) == TokenDigest(of: other.span))
        }
        #expect(hasher.hashed == UInt64(rounds) + 1)
    }
}
