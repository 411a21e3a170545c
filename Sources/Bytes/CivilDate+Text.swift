// What the written forms of a date have in common, whatever stands around it.

extension CivilDate {
    /// `Jan` to `Dec`.
    public var monthName: StaticString {
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

    /// Appends the time of day, `10:14:05`.
    public func appendTime(to out: ByteBuffer) {
        out.appendTwoDigits(hour)
        out.append(ASCII.colon)
        out.appendTwoDigits(minute)
        out.append(ASCII.colon)
        out.appendTwoDigits(second)
    }
}

extension ByteBuffer {
    /// Appends a number from 0 to 99 in two decimal digits.
    public func appendTwoDigits(_ value: Int) {
        append(UInt8(truncatingIfNeeded: value / 10 + 0x30))
        append(UInt8(truncatingIfNeeded: value % 10 + 0x30))
    }
}
