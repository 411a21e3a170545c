// IMF-fixdate (RFC 9110 §5.6.7), the one form a server may generate, without Foundation.

public import Bytes

/// The writer of `Date` and its like, without a calendar library.
public enum HTTPDate {
    /// Bytes of an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
    public static let byteCount = 29

    /// Appends the date for `unixSeconds`, which is clamped to the years 1970…9999 that the form can write.
    public static func append(_ unixSeconds: Int64, to out: ByteBuffer) {
        let date = CivilDate(unixSeconds: min(unixSeconds, 253_402_300_799))
        out.append(weekdayName(date.weekday))
        out.append(", ")
        out.appendTwoDigits(date.day)
        out.append(ASCII.space)
        out.append(date.monthName)
        out.append(ASCII.space)
        out.appendTwoDigits(date.year / 100)
        out.appendTwoDigits(date.year % 100)
        out.append(ASCII.space)
        date.appendTime(to: out)
        out.append(" GMT")
    }

    private static func weekdayName(_ weekday: Int) -> StaticString {
        switch weekday {
        case 0: "Sun"
        case 1: "Mon"
        case 2: "Tue"
        case 3: "Wed"
        case 4: "Thu"
        case 5: "Fri"
        default: "Sat"
        }
    }
}
