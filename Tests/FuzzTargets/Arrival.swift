// How the bytes of an input arrive: a target's verdict must not depend on it.

/// SplitMix64: the same seed gives the same run everywhere.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The ways, beside all at once, in which a target gets `bytes`, as the lengths they have grown to: each byte on its
/// own, and in a few pieces. The bytes themselves choose the pieces, so that an input is a message and nothing more,
/// and a fuzzer that varies the one varies the other.
func arrivals(of bytes: [UInt8]) -> [[Int]] {
    // FNV-1a.
    let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    var generator = SeededGenerator(seed: hash)
    let pieces = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted() + [bytes.count]
    return [Array(0...bytes.count), pieces]
}
