import Testing

@testable import Admission

/// `#expect` cannot take apart a call on a value that is not copyable.
private func check(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: sourceLocation)
}

extension S3FIFO where Value == Int {
    fileprivate func value(of hash: UInt64) -> Int? {
        guard let slot = slot(of: hash) else { return nil }
        return self[slot]
    }
}

@Suite struct S3FIFOTests {
    @Test func `What was put in is found until it is removed`() throws {
        var table = S3FIFO<Int>(entriesMax: 8, costMax: 1_000)
        table.insert(1, 10, cost: 1)
        table.insert(2, 20, cost: 1)
        check(table.value(of: 1) == 10)
        check(table.value(of: 2) == 20)
        check(table.slot(of: 3) == nil)
        let slot = table.slot(of: 1)
        table.remove(try #require(slot))
        check(table.slot(of: 1) == nil)
        check(table.value(of: 2) == 20)
        #expect(table.count == 1 && table.cost == 1)
    }

    @Test func `An entry of the same hash replaces the one before`() {
        var table = S3FIFO<Int>(entriesMax: 8, costMax: 1_000)
        table.insert(1, 10, cost: 5)
        table.insert(1, 11, cost: 7)
        check(table.value(of: 1) == 11)
        #expect(table.count == 1 && table.cost == 7 && table.evictions == 0)
    }

    @Test func `A table of no entries takes none, and an entry that costs too much is not taken`() {
        var empty = S3FIFO<Int>(entriesMax: 0, costMax: 0)
        empty.insert(1, 1, cost: 0)
        check(empty.count == 0 && empty.slot(of: 1) == nil)
        var table = S3FIFO<Int>(entriesMax: 8, costMax: 80)
        table.insert(1, 1, cost: 11)
        #expect(table.count == 0)
        table.insert(1, 1, cost: 10)
        #expect(table.count == 1)
    }

    @Test(arguments: [1, 2, 3, 10, 64])
    func `Under random use it holds its bounds and never gives a wrong value`(entriesMax: Int) {
        let costMax = entriesMax * 40
        var table = S3FIFO<Int>(entriesMax: entriesMax, costMax: costMax)
        var random = SplitMix(state: UInt64(entriesMax))
        var values: [UInt64: Int] = [:]
        var inserted = 0
        var found = 0
        for step in 0..<20_000 {
            // Few distinct low bits, so that homes collide and deletions have to shift.
            let hash = UInt64(random.next(below: 4)) | UInt64(random.next(below: 20)) << 32
            switch random.next(below: 8) {
            case 0..<4:
                if let slot = table.slot(of: hash) {
                    #expect(table[slot] == values[hash])
                    table.touch(slot)
                    found += 1
                }
            case 4..<7:
                table.insert(hash, step, cost: min(1 + random.next(below: 80), costMax / 8))
                values[hash] = step
                inserted += 1
                check(table.value(of: hash) == step)
            default:
                if let slot = table.slot(of: hash) { table.remove(slot) }
            }
            #expect(table.count <= entriesMax && table.cost <= costMax)
        }
        #expect(inserted > 1_000 && found > 50 && table.evictions > 100)
    }

    @Test func `A scan of entries that are used once displaces none that are in use`() {
        var table = S3FIFO<Int>(entriesMax: 100, costMax: 100_000)
        let inUse = (1...50).map { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }
        for _ in 0..<3 {
            for hash in inUse {
                if let slot = table.slot(of: hash) { table.touch(slot) } else { table.insert(hash, 1, cost: 1) }
            }
        }
        var random = SplitMix(state: 7)
        for _ in 0..<10_000 {
            table.insert(random.next(), 2, cost: 1)
        }
        for hash in inUse { check(table.slot(of: hash) != nil) }
    }

    @Test func `One who comes back after leaving the small queue stays through a scan`() {
        var table = S3FIFO<Int>(entriesMax: 100, costMax: 100_000)
        var random = SplitMix(state: 9)
        let returning: UInt64 = 0xABCD_EF01_2345_6789
        table.insert(returning, 1, cost: 1)
        while table.slot(of: returning) != nil { table.insert(random.next(), 2, cost: 1) }
        table.insert(returning, 1, cost: 1)
        for _ in 0..<1_000 { table.insert(random.next(), 2, cost: 1) }
        check(table.slot(of: returning) != nil)
    }
}
