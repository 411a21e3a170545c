// Times in words that one reads without a calculator.

internal import Bytes

enum ExplainedTime {
    /// `2027-01-15T08:00:00Z`, where the calendar has it.
    static func date(_ unixSeconds: Int64) -> String? {
        (0...RFC3339.unixSecondsMax).contains(unixSeconds) ? RFC3339.text(unixSeconds) : nil
    }

    /// `95 s`, `12 min 3 s`, `5 h 10 min`, `3 d 4 h`, `57 years`.
    static func duration(_ seconds: Int64) -> String {
        let magnitude = seconds.magnitude
        switch magnitude {
        case ..<120: return "\(magnitude) s"
        case ..<7_200: return join(magnitude / 60, "min", magnitude % 60, "s")
        case ..<172_800: return join(magnitude / 3_600, "h", magnitude / 60 % 60, "min")
        case ..<63_072_000: return join(magnitude / 86_400, "d", magnitude / 3_600 % 24, "h")
        default: return "\(magnitude / 31_557_600) years"
        }
    }

    /// `in 5 min`, `95 s ago`, or `now`.
    static func distance(_ seconds: Int64, from now: Int64) -> String {
        let (difference, overflows) = seconds.subtractingReportingOverflow(now)
        if overflows { return "beyond all time" }
        if difference == 0 { return "now" }
        return difference > 0 ? "in \(duration(difference))" : "\(duration(difference)) ago"
    }

    private static func join(_ large: UInt64, _ largeUnit: String, _ small: UInt64, _ smallUnit: String) -> String {
        small == 0 ? "\(large) \(largeUnit)" : "\(large) \(largeUnit) \(small) \(smallUnit)"
    }
}
