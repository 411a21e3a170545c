/// One reading of both clocks: token times are compared with the wall clock, intervals with the monotonic one,
/// so that a wall clock set back or forth stretches no cooldown.
public struct Instant: Sendable, Equatable {
    /// Nanoseconds of the monotonic clock; only differences mean anything.
    public var monotonicNanoseconds: Int64
    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    public var unixSeconds: Int64

    public init(monotonicNanoseconds: Int64, unixSeconds: Int64) {
        self.monotonicNanoseconds = monotonicNanoseconds
        self.unixSeconds = unixSeconds
    }
}
