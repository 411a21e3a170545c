// IMF-fixdate (RFC 9110 §5.6.7), the one form a server may generate, without Foundation.

public import Bytes

/// The writer of `Date` and its like, without a calendar library.
public enum HTTPDate {
    /// Bytes of an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
    public static let byteCount = 29

    /// Appends the date for `unixSeconds`, which is clamped to the years 1970…9999 that the form can write.
    public static func append(_ unixSeconds: Int64, to out: ByteBuffer) {
        let date = CivilDate(unixSeconds: min(unixSeconds, 253_402_300_799))
        appendName(of: date.weekday, in: "SunMonTueWedThuFriSat", to: out)
        out.append(", ")
        appendTwoDigits(date.day, to: out)
        out.append(ASCII.space)
        appendName(of: date.month - 1, in: "JanFebMarAprMayJunJulAugSepOctNovDec", to: out)
        out.append(ASCII.space)
        appendTwoDigits(date.year / 100, to: out)
        appendTwoDigits(date.year % 100, to: out)
        out.append(ASCII.space)
        appendTwoDigits(date.hour, to: out)
        out.append(ASCII.colon)
        appendTwoDigits(date.minute, to: out)
        out.append(ASCII.colon)
        appendTwoDigits(date.second, to: out)
        out.append(" GMT")
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
