// IMF-fixdate (RFC 9110 §5.6.7), the one form a server may generate, without Foundation.

public import Bytes

public enum HTTPDate {
    /// Bytes of an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
    public static let byteCount = 29

    /// Appends the date for `unixSeconds`, which is clamped to the years 1970…9999 that the form can write.
    public static func append(_ unixSeconds: Int64, to out: ByteBuffer) {
        let seconds = min(max(unixSeconds, 0), 253_402_300_799)
        let days = Int(seconds / 86_400)
        let ofDay = Int(seconds % 86_400)
        let date = civilDate(daysSinceEpoch: days)

        // 1970-01-01 was a Thursday.
        appendName(of: (days + 4) % 7, in: "SunMonTueWedThuFriSat", to: out)
        out.append(", ")
        appendTwoDigits(date.day, to: out)
        out.append(ASCII.space)
        appendName(of: date.month - 1, in: "JanFebMarAprMayJunJulAugSepOctNovDec", to: out)
        out.append(ASCII.space)
        appendTwoDigits(date.year / 100, to: out)
        appendTwoDigits(date.year % 100, to: out)
        out.append(ASCII.space)
        appendTwoDigits(ofDay / 3_600, to: out)
        out.append(ASCII.colon)
        appendTwoDigits(ofDay / 60 % 60, to: out)
        out.append(ASCII.colon)
        appendTwoDigits(ofDay % 60, to: out)
        out.append(" GMT")
    }

    /// The proleptic Gregorian date, by counting 400-year eras from 0000-03-01, so that the leap day is
    /// the last day of its year.
    private static func civilDate(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = daysSinceEpoch + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }

    private static func appendName(of index: Int, in names: String, to out: ByteBuffer) {
        let start = names.utf8.index(names.utf8.startIndex, offsetBy: index * 3)
        for byte in names.utf8[start...].prefix(3) { out.append(byte) }
    }

    private static func appendTwoDigits(_ value: Int, to out: ByteBuffer) {
        out.append(UInt8(truncatingIfNeeded: value / 10 + 0x30))
        out.append(UInt8(truncatingIfNeeded: value % 10 + 0x30))
    }
}
