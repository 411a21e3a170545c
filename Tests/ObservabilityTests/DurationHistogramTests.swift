import Observability
import Testing

@Suite("Histograms of durations")
struct DurationHistogramTests {
    private func bucket(of nanoseconds: Int64) -> Int? {
        var histogram = DurationHistogram()
        histogram.record(nanoseconds: nanoseconds)
        return histogram.counts.firstIndex(of: 1)
    }

    @Test("A bound is part of its bucket, and what is above every bound is kept too")
    func bounds() {
        for (index, bound) in DurationHistogram.bounds.enumerated() {
            #expect(bucket(of: bound.nanoseconds) == index)
            #expect(bucket(of: bound.nanoseconds + 1) == index + 1)
        }
        #expect(bucket(of: .max) == DurationHistogram.bounds.count)
        #expect(bucket(of: 0) == 0)
    }

    @Test("The bounds rise, from below half a millisecond to above a minute, and read as what they are")
    func table() {
        let bounds = DurationHistogram.bounds
        #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0.nanoseconds < $1.nanoseconds })
        #expect(bounds[0].nanoseconds <= 500_000)
        #expect(bounds.last!.nanoseconds >= 60_000_000_000)
        for bound in bounds { #expect(Double(bound.seconds)! * 1e9 == Double(bound.nanoseconds)) }
    }

    @Test("A clock that went back counts as no time, and adds none")
    func backwards() {
        var histogram = DurationHistogram()
        histogram.record(nanoseconds: -5)
        #expect(histogram.counts[0] == 1)
        #expect(histogram.sumNanoseconds == 0)
    }

    @Test("Merged, two have recorded what both have")
    func merge() {
        var one = DurationHistogram()
        var other = DurationHistogram()
        var both = DurationHistogram()
        for (index, duration) in [1, 100_000, 100_001, 3_000_000, 70_000_000_000, 500_000_000_000].enumerated() {
            if index % 2 == 0 { one.record(nanoseconds: Int64(duration)) } else { other.record(nanoseconds: Int64(duration)) }
            both.record(nanoseconds: Int64(duration))
        }
        one.merge(other)
        #expect(one == both)
        #expect(one.count == 6)
        #expect(one.sumNanoseconds == 570_003_200_002)
    }
}

@Suite("Counts of status codes")
struct StatusCountsTests {
    @Test("Each code counts for itself, from the first to the last")
    func codes() {
        var counts = StatusCounts()
        #expect(counts.total == 0)
        for code in [599, 200, 100, 200] { counts.add(code) }
        #expect(counts.counted.map { $0.code } == [100, 200, 599])
        #expect(counts.counted.map { $0.count } == [1, 2, 1])
    }

    @Test("What is no code is no new one", arguments: [0, -1, 99, 600, 999, .max, .min])
    func others(code: Int) {
        var counts = StatusCounts()
        counts.add(code)
        #expect(counts.counted.map { $0.code } == [nil])
        #expect(counts.total == 1)
    }

    @Test("Merged, two have counted what both have, whichever was empty")
    func merge() {
        var one = StatusCounts()
        one.add(200)
        var empty = StatusCounts()
        empty.merge(one)
        #expect(empty == one)
        one.merge(StatusCounts())
        #expect(empty == one)
        one.merge(empty)
        #expect(one.counted.map { $0.count } == [2])
    }
}
