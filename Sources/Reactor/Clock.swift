// The two clocks. Intervals, timeouts and back-off run on the monotonic one, so that a wall clock that
// is set does not fire or freeze them; what a token says about time is compared with the wall clock.

import Glibc

public enum Clock {
    /// Nanoseconds since an arbitrary start; never goes back.
    public static func monotonicNanoseconds() -> Int64 {
        read(CLOCK_MONOTONIC)
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public static func wallNanoseconds() -> Int64 {
        read(CLOCK_REALTIME)
    }

    /// Nanoseconds that this process has had on a CPU, all of its threads together.
    public static func processNanoseconds() -> Int64 {
        read(CLOCK_PROCESS_CPUTIME_ID)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
