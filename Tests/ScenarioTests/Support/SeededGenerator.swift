// Randomness that comes out the same everywhere, so that a case can be played again by its numbers.

import Foundation

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// The generator of one case among those of a seed: it does not depend on the cases before.
    init(seed: UInt64, index: Int) {
        var ofSeed = SeededGenerator(seed: seed)
        self.init(seed: ofSeed.next() ^ (UInt64(index) &* 0xD6E8_FEB8_6659_FD93))
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
    mutating func happens(_ percent: Int) -> Bool { below(100) < percent }
    /// One element of a table that is not empty.
    mutating func pick<Element>(_ table: [Element]) -> Element { table[below(table.count)] }
}

/// Which cases a differential test plays: a fixed run, or what ANTECHAMBER_DIFFERENTIAL="SEED FIRST COUNT" says.
struct DifferentialRun {
    var seed: UInt64
    var indices: Range<Int>

    init(seed: UInt64, count: Int) {
        self.seed = seed
        indices = 0..<count
        let asked = (ProcessInfo.processInfo.environment["ANTECHAMBER_DIFFERENTIAL"] ?? "").split(separator: " ")
        guard asked.count == 3, let seed = UInt64(asked[0]), let first = Int(asked[1]), let count = Int(asked[2]) else {
            return
        }
        self.seed = seed
        indices = first..<first + count
    }

    /// How to play one case again.
    func replay(_ index: Int) -> String { "ANTECHAMBER_DIFFERENTIAL=\"\(seed) \(index) 1\"" }
}
