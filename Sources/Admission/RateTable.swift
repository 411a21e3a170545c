// What each caller has used up of a rate, in memory that never grows.
//
// The table is of sets of eight places each; a caller's set is chosen by its name, a keyed hash, which nobody outside can
// steer. Who has nothing to make up for is not worth a place: its time has passed, and whoever comes takes it. Where all
// eight have, the one with the least to make up for goes. So a flood of new callers, who have next to nothing, only
// displaces itself; who is limited has the most, and stays so.

/// Callers and their theoretical arrival times.
public struct RateTable: Sendable {
    public static let placesPerSet = 8

    private struct Place: Sendable {
        var name: UInt64 = 0
        /// Theoretical arrival time, in monotonic nanoseconds; of nobody where it has passed.
        var arrival: Int64 = .min
    }

    private var places: [Place]
    private let setMask: Int
    /// Callers who made room although they had something to make up for.
    public private(set) var evictions: UInt64 = 0
    /// Requests that were beyond the rate.
    public private(set) var refusals: UInt64 = 0

    /// - Parameter callersMax: a power of two, and at least `placesPerSet`.
    public init(callersMax: Int) {
        precondition(callersMax >= Self.placesPerSet && callersMax.nonzeroBitCount == 1, "a power of two")
        places = Array(repeating: Place(), count: callersMax)
        setMask = callersMax / Self.placesPerSet - 1
    }

    /// The verdict on a request of the caller of that name at `now`, in monotonic nanoseconds. Allocates nothing.
    public mutating func take(_ name: UInt64, under limit: RateLimit, at now: Int64) -> RateLimit.Verdict {
        let start = (Int(truncatingIfNeeded: name >> 32) & setMask) * Self.placesPerSet
        var least = start
        for index in start..<start + Self.placesPerSet {
            if places[index].name == name, places[index].arrival > now {
                let verdict = limit.take(&places[index].arrival, at: now)
                if verdict != .admitted { refusals &+= 1 }
                return verdict
            }
            if places[index].arrival < places[least].arrival { least = index }
        }
        if places[least].arrival > now { evictions &+= 1 }
        var arrival = now
        let verdict = limit.take(&arrival, at: now)
        places[least] = Place(name: name, arrival: arrival)
        return verdict
    }

    /// How many have something to make up for at `now`, in monotonic nanoseconds. Looks at every place.
    public func callerCount(at now: Int64) -> Int { places.count { $0.arrival > now } }
}
