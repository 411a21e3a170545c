// Instants as people write and read them: RFC 3339, without a calendar library.

/// Reading and writing `2027-03-31T00:00:00Z`, to the whole second. Not for the hot path: it makes strings.
public enum RFC3339 {
    /// The last second that the form can write: the end of the year 9999.
    public static let unixSecondsMax: Int64 = 253_402_300_799

    /// Unix seconds of an instant of the years 1970 to 9999, in UTC (`Z`) or with an offset (`+02:00`); nil for anything
    /// else. Dates that no calendar has are nothing, and so are fractions and leap seconds: an instant that somebody
    /// decided on has neither.
    public static func unixSeconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20,
            let year = number(bytes, 0, 4), year >= 1970, bytes[4] == UInt8(ascii: "-"),
            let month = number(bytes, 5, 2), (1...12).contains(month), bytes[7] == UInt8(ascii: "-"),
            let day = number(bytes, 8, 2), day >= 1, day <= daysInMonth(month, of: year),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t"),
            let hour = number(bytes, 11, 2), hour <= 23, bytes[13] == ASCII.colon,
            let minute = number(bytes, 14, 2), minute <= 59, bytes[16] == ASCII.colon,
            let second = number(bytes, 17, 2), second <= 59,
            let offsetMinutes = offsetMinutes(bytes, from: 19)
        else { return nil }
        let secondOfDay = hour * 3600 + minute * 60 + second
        let seconds = Int64(daysSince1970(year, month, day)) * 86_400 + Int64(secondOfDay) - Int64(offsetMinutes) * 60
        return (0...unixSecondsMax).contains(seconds) ? seconds : nil
    }

    /// The instant in UTC, clamped to the years that the form can write.
    public static func text(_ unixSeconds: Int64) -> String {
        let date = CivilDate(unixSeconds: min(unixSeconds, unixSecondsMax))
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "T\(padded(date.hour, 2)):\(padded(date.minute, 2)):\(padded(date.second, 2))Z"
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int? {
        var value = 0
        for byte in bytes[start..<start + count] {
            guard byte &- UInt8(ascii: "0") < 10 else { return nil }
            value = value * 10 + Int(byte &- UInt8(ascii: "0"))
        }
        return value
    }

    /// `Z` is 0; `+02:00` is 120: what the written time is ahead of UTC.
    private static func offsetMinutes(_ bytes: [UInt8], from start: Int) -> Int? {
        switch bytes[start] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            return bytes.count == start + 1 ? 0 : nil
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard bytes.count == start + 6, let hour = number(bytes, start + 1, 2), hour <= 23,
                bytes[start + 3] == ASCII.colon, let minute = number(bytes, start + 4, 2), minute <= 59
            else { return nil }
            let minutes = hour * 60 + minute
            return bytes[start] == UInt8(ascii: "+") ? minutes : -minutes
        default:
            return nil
        }
    }

    private static func daysInMonth(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The inverse of what `CivilDate` does, by the same algorithm.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let yearFromMarch = month <= 2 ? year - 1 : year
        let era = yearFromMarch / 400
        let yearOfEra = yearFromMarch % 400
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
