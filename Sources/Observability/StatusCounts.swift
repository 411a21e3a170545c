// How often each status code was answered.

/// Counts by HTTP status code (RFC 9110 §15). A table of every code there is, made with the first count: after that,
/// counting allocates nothing, but for the first time after a copy was taken.
public struct StatusCounts: Sendable, Equatable {
    /// The codes that exist; the parsers take no others.
    public static let codes = 100...599

    /// By code; the last one is for requests that ended without a status.
    private var counts: [UInt64] = []

    public init() {}

    /// One more of this code; a code that does not exist counts as none.
    public mutating func add(_ code: Int) {
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.codes.count + 1) }
        counts[Self.codes.contains(code) ? code &- Self.codes.lowerBound : Self.codes.count] &+= 1
    }

    /// Adds what another one has counted.
    public mutating func merge(_ other: StatusCounts) {
        if counts.isEmpty {
            counts = other.counts
        } else {
            for (index, count) in other.counts.enumerated() { counts[index] &+= count }
        }
    }

    /// What was counted at least once, in the order of the codes; nil: without a status.
    public var counted: [(code: Int?, count: UInt64)] {
        counts.enumerated().compactMap { index, count in
            count == 0 ? nil : (index == Self.codes.count ? nil : index + Self.codes.lowerBound, count)
        }
    }

    public var total: UInt64 { counts.reduce(0, &+) }
}
