// Text that somebody else chose, made fit for a message of ours.

enum Quoted {
    /// Longer values are cut: a message stays readable, and a response small, whatever a claim holds.
    static let bytesMax = 200
    /// Lists are cut after so many values.
    static let valuesMax = 8

    /// `text` in double quotes, in visible ASCII: quotes, backslashes and everything else are escaped, so that no
    /// terminal, log or page takes part of it for anything but text.
    static func text(_ text: String) -> String {
        var quoted = "\""
        var bytes = 0
        for scalar in text.unicodeScalars {
            bytes += UTF8.width(scalar)
            if bytes > bytesMax { return quoted + "\"..." }
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case " "..."~": quoted.unicodeScalars.append(scalar)
            default: quoted += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return quoted + "\""
    }

    /// Several values: `"a", "b"`.
    static func list(_ values: [String]) -> String {
        let shown = values.prefix(valuesMax).map(text).joined(separator: ", ")
        return values.count > valuesMax ? shown + " and \(values.count - valuesMax) more" : shown
    }

    /// Several values, each in quotes, and how many more there are.
    static func each(_ values: [String]) -> [String] {
        let rest = values.count - valuesMax
        return values.prefix(valuesMax).map(text) + (rest > 0 ? ["\(rest) more"] : [])
    }

    /// Text of ours that may quote others, a URL or a reason: in visible ASCII, cut, and without quotes.
    static func plain(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(2 * bytesMax).map { (" "..."~").contains($0) ? Character($0) : "?" }
        return String(shown) + (text.unicodeScalars.count > 2 * bytesMax ? "..." : "")
    }

    /// The value itself, cut to the bound at a character's end: for a JSON string, which escapes on its own.
    static func cut(_ text: String) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var bytes = 0
        var kept = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            bytes += UTF8.width(scalar)
            if bytes > bytesMax { break }
            kept.append(scalar)
        }
        return String(kept) + "..."
    }

    static func cut(_ values: [String]) -> [String] {
        values.prefix(valuesMax).map(cut)
    }
}
