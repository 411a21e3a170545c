import Testing

@testable import Migration

@Suite struct DistinctCountTests {
    /// SplitMix64: as good as random, and the same in every run.
    static func hashes(_ range: Range<UInt64>) -> [UInt64] {
        range.map { index in
            var z = index &* 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    static func count(_ hashes: [UInt64]) -> DistinctCount {
        var count = DistinctCount()
        for hash in hashes { count.insert(hash) }
        return count
    }

    @Test(arguments: [0, 1, 2, 10, 100, 1_000, 5_000, 20_000, 100_000, 1_000_000] as [UInt64])
    func `The estimate is within three standard errors, from none to a million`(size: UInt64) {
        let estimate = Double(Self.count(Self.hashes(1..<size + 1)).estimate)
        #expect(abs(estimate - Double(size)) <= max(1, 0.07 * Double(size)))
    }

    @Test func `Over many sets the error is the one that is documented, and leans to neither side`() {
        var squares = 0.0
        var sum = 0.0
        let sets: UInt64 = 200
        for set in 0..<sets {
            let error = Double(Self.count(Self.hashes(1 + set * 4_000..<1 + set * 4_000 + 4_000)).estimate) / 4_000 - 1
            squares += error * error
            sum += error
        }
        #expect((squares / Double(sets)).squareRoot() < 0.028)
        #expect(abs(sum / Double(sets)) < 0.008)
    }

    @Test func `The same thing counts once, however often it comes`() {
        #expect(Self.count([7, 7, 7]) == Self.count([7]))
        #expect(Self.count([7, 7, 7]).estimate == 1)
    }

    @Test func `The count of two halves is the count of the whole, however they overlap`() {
        let hashes = Self.hashes(1..<3_001)
        var left = Self.count(Array(hashes[..<2_000]))
        left.formUnion(Self.count(Array(hashes[1_000...])))
        #expect(left == Self.count(hashes))
    }

    @Test func `Hashes of nothing but zeros and of nothing but ones are counted too`() {
        #expect(Self.count([0, .max]).estimate == 2)
    }

    @Test(arguments: [0, 1, 3, 600, 700, 5_000] as [UInt64])
    func `A sketch is read back from its text`(size: UInt64) {
        let count = Self.count(Self.hashes(1..<size + 1))
        #expect(DistinctCount(text: count.text) == count)
        #expect(count.text.utf8.count <= 2_732)
    }

    @Test(arguments: [
        "", "A", "AA==", "Ag", "AAA", "AAAAAA", "AAAAAQAAAQ", "AAgAAQ", "AAAANw", "AQ", "AQAA", "AAABAQAAAQ",
    ])
    func `What is no sketch is not read`(text: String) {
        #expect(DistinctCount(text: text) == nil)
    }
}
