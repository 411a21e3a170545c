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
        appendPadded(date.year, 4, out)
        out.append("-")
        appendPadded(date.month, 2, out)
        out.append("-")
        appendPadded(date.day, 2, out)
        out.append("T")
        appendPadded(date.hour, 2, out)
        out.append(":")
        appendPadded(date.minute, 2, out)
        out.append(":")
        appendPadded(date.second, 2, out)
        out.append(".")
        appendPadded(Int(wallNanoseconds / 1_000_000 % 1000), 3, out)
        out.append("Z")
    }

    /// Appends `27/Nov/2026:10:14:05 +0000` (26 bytes), as the common log format has it.
    public static func appendCommonLog(wallNanoseconds: Int64, to out: ByteBuffer) {
        let date = CivilDate(unixSeconds: wallNanoseconds / 1_000_000_000)
        appendPadded(date.day, 2, out)
        out.append("/")
        out.append(monthName(date.month))
        out.append("/")
        appendPadded(date.year, 4, out)
        out.append(":")
        appendPadded(date.hour, 2, out)
        out.append(":")
        appendPadded(date.minute, 2, out)
        out.append(":")
        appendPadded(date.second, 2, out)
        out.append(" +0000")
    }

    private static func monthName(_ month: Int) -> StaticString {
        switch month {
        case 1: "Jan"
        case 2: "Feb"
        case 3: "Mar"
        case 4: "Apr"
        case 5: "May"
        case 6: "Jun"
        case 7: "Jul"
        case 8: "Aug"
        case 9: "Sep"
        case 10: "Oct"
        case 11: "Nov"
        default: "Dec"
        }
    }

    private static func appendPadded(_ value: Int, _ width: Int, _ out: ByteBuffer) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            out.append(UInt8(value / divisor % 10) + 0x30)
            divisor /= 10
        }
    }
}
