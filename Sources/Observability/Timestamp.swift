// RFC 3339 instants, without Foundation.

public import Bytes
import Glibc

public enum Timestamp {
    /// Wall-clock nanoseconds since 1970.
    public static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Appends `2026-11-23T10:14:05.123Z` (24 bytes).
    public static func append(wallNanoseconds: Int64, to out: ByteBuffer) {
        let seconds = wallNanoseconds / 1_000_000_000
        let date = CivilDate(unixSeconds: seconds)
        appendYear(of: date, to: out)
        out.append("-")
        out.appendTwoDigits(date.month)
        out.append("-")
        out.appendTwoDigits(date.day)
        out.append("T")
        date.appendTime(to: out)
        out.append(".")
        let milliseconds = Int(wallNanoseconds / 1_000_000 % 1000)
        out.append(UInt8(milliseconds / 100) + 0x30)
        out.appendTwoDigits(milliseconds % 100)
        out.append("Z")
    }

    /// Appends `27/Nov/2026:10:14:05 +0000` (26 bytes), as the common log format has it.
    public static func appendCommonLog(wallNanoseconds: Int64, to out: ByteBuffer) {
        let date = CivilDate(unixSeconds: wallNanoseconds / 1_000_000_000)
        out.appendTwoDigits(date.day)
        out.append("/")
        out.append(date.monthName)
        out.append("/")
        appendYear(of: date, to: out)
        out.append(":")
        date.appendTime(to: out)
        out.append(" +0000")
    }

    private static func appendYear(of date: CivilDate, to out: ByteBuffer) {
        out.appendTwoDigits(date.year / 100 % 100)
        out.appendTwoDigits(date.year % 100)
    }
}
