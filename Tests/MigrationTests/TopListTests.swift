import Testing

@testable import Migration

@Suite struct TopListTests {
    @Test func `Names are counted, the most frequent first`() {
        var list = TopList()
        for (name, count) in [("a", 1), ("b", 3), ("a", 1), ("c", 2)] as [(String, UInt64)] {
            list.add(name, count: count)
        }
        #expect(list.entries == [
            .init(name: "b", count: 3), .init(name: "a", count: 2), .init(name: "c", count: 2),
        ])
    }

    @Test func `Beyond the bound a new name takes the rarest one's place, and says how far its count may be off`() {
        var list = TopList()
        for index in 0..<TopList.entriesMax { list.add("name \(index)", count: UInt64(index) + 10) }
        list.add("new", count: 1)
        #expect(list.entries.count == TopList.entriesMax)
        #expect(!list.entries.contains { $0.name == "name 0" })
        #expect(list.entries.contains(.init(name: "new", count: 11, excess: 10)))
    }

    @Test func `A name that makes up more than its share stays, whatever else comes once`() {
        var list = TopList()
        for index in 0..<10_000 {
            list.add("once \(index)", count: 1)
            if index % 10 == 0 { list.add("often", count: 1) }
        }
        let often = list.entries.first { $0.name == "often" }
        #expect(often.map { $0.count - $0.excess <= 1_000 && $0.count >= 1_000 } == true)
    }

    @Test func `Lists of workers and replicas are added up`() {
        var left = TopList()
        left.add("a", count: 2)
        var right = TopList()
        right.add("a", count: 3, excess: 1)
        right.add("b", count: 9)
        left.merge(right)
        #expect(left.entries == [.init(name: "b", count: 9), .init(name: "a", count: 5, excess: 1)])
    }

    @Test func `A count never wraps around`() {
        var list = TopList()
        list.add("a", count: .max)
        list.add("a", count: 1)
        #expect(list.entries == [.init(name: "a", count: .max)])
    }
}
