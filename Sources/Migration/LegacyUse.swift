// The migration ledger of one legacy audience: who still uses it, since when, and how much.
//
// Days are those of UTC. For each there is a count and a sketch of the subjects, so that whoever reads them can tell of any
// stretch of days; of older days only the totals stay.

/// What is known of the use of one legacy audience. Ledgers of workers, restarts and replicas are merged.
public struct LegacyUse: Sendable, Equatable {
    /// The longest window that can be asked about, in days.
    public static let windowDaysMax = 90
    /// Days that are told apart: those that such a window touches.
    public static let daysMax = windowDaysMax + 1
    /// Seconds of a day.
    static let secondsPerDay: Int64 = 86_400

    public struct Day: Sendable, Equatable {
        /// Days since 1970-01-01.
        public var number: Int64
        public var requests: UInt64
        public var subjects: DistinctCount
    }

    /// In order, the latest last.
    public internal(set) var days: [Day] = []
    /// Since the ledger was begun.
    public internal(set) var requests: UInt64 = 0
    /// Unix seconds; nil: never.
    public internal(set) var firstSeen: Int64?
    /// Unix seconds; nil: never.
    public internal(set) var lastSeen: Int64?
    /// The newest `iat` of its tokens, in Unix seconds: since then the issuer has made none that were used here.
    public internal(set) var lastIssuedAt: Int64?
    public internal(set) var routes = TopList()
    public internal(set) var userAgents = TopList()

    public init() {}

    /// Counts what a worker has seen.
    ///
    /// - Parameter routeNames: by the tally's indices.
    public mutating func add(_ tally: LegacyTally, routeNames: [String]) {
        requests.add(tally.requests)
        see(first: tally.firstSeen, last: tally.lastSeen, issuedAt: tally.lastIssuedAt)
        for (name, count) in zip(routeNames, tally.routes) where count > 0 { routes.add(name, count: count) }
        userAgents.merge(tally.userAgents)
        add(Day(number: tally.lastSeen / Self.secondsPerDay, requests: tally.requests, subjects: tally.subjects))
    }

    /// Counts what another ledger of the same audience has seen, which must not be one that was merged before.
    public mutating func merge(_ other: LegacyUse) {
        requests.add(other.requests)
        if let first = other.firstSeen, let last = other.lastSeen {
            see(first: first, last: last, issuedAt: other.lastIssuedAt)
        }
        routes.merge(other.routes)
        userAgents.merge(other.userAgents)
        for day in other.days { add(day) }
    }

    private mutating func see(first: Int64, last: Int64, issuedAt: Int64?) {
        firstSeen = min(firstSeen ?? first, first)
        lastSeen = max(lastSeen ?? last, last)
        if let issuedAt { lastIssuedAt = max(lastIssuedAt ?? issuedAt, issuedAt) }
    }

    private mutating func add(_ day: Day) {
        let place = days.firstIndex { $0.number >= day.number } ?? days.count
        if place < days.count, days[place].number == day.number {
            days[place].requests.add(day.requests)
            days[place].subjects.formUnion(day.subjects)
        } else {
            days.insert(day, at: place)
            if days.count > Self.daysMax { days.removeFirst(days.count - Self.daysMax) }
        }
    }
}
