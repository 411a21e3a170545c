// What a ledger says of the time since some instant: whether, to the second, and how much, to the day.

extension LegacyUse {
    /// Whether it was used in this second, of Unix time, or later. Exact, as the last use is kept to the second.
    public func isUsed(since start: Int64) -> Bool {
        lastSeen.map { $0 >= start } ?? false
    }

    /// Requests and different subjects since this second, of Unix time. Days are counted whole: those of the first one
    /// are all in, so that it can be more than there were and never less, as long as the window is no longer than
    /// `windowDaysMax`. Where it was not used at all it is none.
    public func count(since start: Int64) -> (requests: UInt64, subjects: DistinctCount) {
        var requests: UInt64 = 0
        var subjects = DistinctCount()
        for day in days(since: start) {
            requests.add(day.requests)
            subjects.formUnion(day.subjects)
        }
        return (requests, subjects)
    }

    /// The days that the window touches; none where it was not used in it.
    func days(since start: Int64) -> [Day] {
        isUsed(since: start) ? days.filter { $0.number >= start / Self.secondsPerDay } : []
    }
}
