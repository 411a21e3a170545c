// The callers of one limit, over all workers.
//
// Shared, so that a rate is what it says whatever worker a caller's connections end up at: a share for each worker would
// be wrong by as many times as there are workers for a client of one connection. A lock is held for a look at eight places,
// and there are as many as make a wait for one unlikely.

import Admission
import Synchronization

final class RateLimiter: Sendable {
    /// Callers with something to make up for, at most: 16 bytes each, 1 MiB a limit.
    static let callersMax = 65_536
    private static let partCount = 32

    private final class Part: Sendable {
        let table = Mutex(RateTable(callersMax: RateLimiter.callersMax / RateLimiter.partCount))
    }

    let limit: RateLimit
    private let parts = (0..<RateLimiter.partCount).map { _ in Part() }

    init(_ limit: RateLimit) {
        self.limit = limit
    }

    /// The verdict on a request of the caller of that name at `now`, in monotonic nanoseconds.
    func take(_ name: UInt64, at now: Int64) -> RateLimit.Verdict {
        parts[Int(truncatingIfNeeded: name) & (RateLimiter.partCount - 1)].table.withLock {
            $0.take(name, under: limit, at: now)
        }
    }

    /// What it knows and has done. Looks at all of the table, 16 bytes a caller, and holds each lock for a thirty-second
    /// of that.
    func figures(at now: Int64) -> RateLimiterFigures {
        parts.reduce(into: RateLimiterFigures()) { all, part in
            part.table.withLock {
                all.callers += $0.callerCount(at: now)
                all.refusals &+= $0.refusals
                all.evictions &+= $0.evictions
            }
        }
    }
}

/// One limit at one moment.
struct RateLimiterFigures: Equatable {
    /// Those who have something to make up for.
    var callers = 0
    var refusals: UInt64 = 0
    /// Callers forgotten for others although they had something to make up for.
    var evictions: UInt64 = 0

    mutating func merge(_ other: RateLimiterFigures) {
        callers += other.callers
        refusals &+= other.refusals
        evictions &+= other.evictions
    }
}
