// How long things took, counted into fixed buckets.
//
// Plain numbers without a lock: each worker has its own, and whoever wants to see them all merges copies.

/// Counts durations by fixed bounds, from 100 µs to 100 s, each about 2.5 times the one before. Recording allocates
/// nothing, but for the first one after a copy was taken.
public struct DurationHistogram: Sendable, Equatable {
    /// One bucket's upper bound, which is part of it.
    public struct Bound: Sendable {
        /// In seconds, as the label `le` spells it.
        public let seconds: String
        public let nanoseconds: Int64
    }

    /// In rising order. Round numbers, so that one can ask how many requests were within 100 ms.
    public static let bounds: [Bound] = [
        ("0.0001", 100), ("0.00025", 250), ("0.0005", 500),
        ("0.001", 1_000), ("0.0025", 2_500), ("0.005", 5_000),
        ("0.01", 10_000), ("0.025", 25_000), ("0.05", 50_000),
        ("0.1", 100_000), ("0.25", 250_000), ("0.5", 500_000),
        ("1", 1_000_000), ("2.5", 2_500_000), ("5", 5_000_000),
        ("10", 10_000_000), ("25", 25_000_000), ("50", 50_000_000), ("100", 100_000_000),
    ].map { (seconds: String, microseconds: Int64) in Bound(seconds: seconds, nanoseconds: microseconds * 1000) }

    /// How many durations are in each bucket and in none before it; the last one is for those above every bound.
    public private(set) var counts = [UInt64](repeating: 0, count: DurationHistogram.bounds.count + 1)
    /// All durations together, in nanoseconds.
    public private(set) var sumNanoseconds: UInt64 = 0

    public init() {}

    /// How many were recorded.
    public var count: UInt64 { counts.reduce(0, &+) }

    /// Records one; a clock that went back counts as no time at all.
    public mutating func record(nanoseconds: Int64) {
        let duration = max(0, nanoseconds)
        var bucket = 0
        while bucket < Self.bounds.count, duration > Self.bounds[bucket].nanoseconds { bucket &+= 1 }
        counts[bucket] &+= 1
        sumNanoseconds &+= UInt64(duration)
    }

    /// Adds what another one has recorded.
    public mutating func merge(_ other: DurationHistogram) {
        for bucket in counts.indices { counts[bucket] &+= other.counts[bucket] }
        sumNanoseconds &+= other.sumNanoseconds
    }
}
