// The names that come up most often among more than can be kept.
//
// Space-Saving (Metwally, Agrawal, El Abbadi 2005): a new name takes the place of the rarest and inherits its count, which
// is then too high by at most that much. Whatever makes up more than 1/`entriesMax` of all is in the list for certain.

/// Names with how often they came up, at most `entriesMax` of them.
public struct TopList: Sendable, Equatable {
    public static let entriesMax = 20

    public struct Entry: Sendable, Equatable {
        public var name: String
        /// At least as often as it came up.
        public var count: UInt64
        /// By how much `count` may be too high.
        public var excess: UInt64

        public init(name: String, count: UInt64, excess: UInt64 = 0) {
            self.name = name
            self.count = count
            self.excess = excess
        }
    }

    /// The most frequent first.
    public private(set) var entries: [Entry] = []

    public init() {}

    /// Counts a name `count` times, of which `excess` may be too many.
    public mutating func add(_ name: String, count: UInt64, excess: UInt64 = 0) {
        if let index = entries.firstIndex(where: { $0.name == name }) {
            entries[index].count.add(count)
            entries[index].excess.add(excess)
        } else if entries.count < Self.entriesMax {
            entries.append(Entry(name: name, count: count, excess: excess))
        } else {
            let rarest = entries.removeLast()
            var entry = Entry(name: name, count: count, excess: excess)
            entry.count.add(rarest.count)
            entry.excess.add(rarest.count)
            entries.append(entry)
        }
        // Names of one count keep their order: sorted by name, two lists of the same content are the same.
        entries.sort { $0.count != $1.count ? $0.count > $1.count : $0.name < $1.name }
    }

    /// Counts all that `other` has.
    public mutating func merge(_ other: TopList) {
        for entry in other.entries { add(entry.name, count: entry.count, excess: entry.excess) }
    }
}

extension UInt64 {
    /// A count never wraps around, whatever a file or another replica says.
    mutating func add(_ other: UInt64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}
