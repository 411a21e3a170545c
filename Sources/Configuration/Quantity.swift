// Durations, sizes and counts as nginx writes them. All arithmetic is checked: a number too large to hold is not a
// quantity.

/// Numbers with units, read strictly.
public enum Quantity {
    static let durationSyntax = "a number with ms, s, m, h or d, such as 500ms or 30s"
    static let sizeSyntax = "a number of bytes, or one with k, m or g, such as 8k or 1m"

    /// `500ms 30s 10m 24h 7d`, in milliseconds; a number alone is in seconds, as in nginx. Nil for anything else.
    public static func milliseconds(_ text: String) -> Int64? {
        let units: [(String, Int64)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("", 1000),
        ]
        return scaled(text, units)
    }

    /// `512`, `8k`, `1m`, `2g`, in bytes and powers of 1024, of either case.
    static func bytes(_ text: String) -> Int64? {
        scaled(text.lowercased(), [("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("", 1)])
    }

    /// Decimal digits and nothing else. Nil for anything else, and for a number that Int64 cannot hold.
    public static func count(_ text: String) -> Int64? {
        scaled(text, [("", 1)])
    }

    private static func scaled(_ text: String, _ units: [(suffix: String, factor: Int64)]) -> Int64? {
        let digits = text.utf8.prefix { $0 &- 0x30 < 10 }
        let suffix = text[digits.endIndex...]
        guard !digits.isEmpty, let unit = units.first(where: { $0.suffix == suffix }),
            let number = Int64(Substring(digits))
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.factor)
        return overflow ? nil : product
    }
}
