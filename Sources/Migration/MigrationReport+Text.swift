// The report for people: a table, what is behind each audience that is still used, what to know about the figures, and
// the answer to the question.

internal import Bytes

extension MigrationReport {
    /// Lines of text, each with its line feed; empty where proxies could not be asked, as there is nothing to say of the
    /// rest that could not be taken for the whole.
    ///
    /// - Parameter colour: for a terminal that takes escape sequences.
    public func text(colour: Bool = false) -> String {
        if proxies.isEmpty || !failures.isEmpty { return "" }
        if rows.isEmpty { return "No legacy audience is configured (\(proxyCount) asked).\n" }
        let parts = [
            heading, table(colour: colour), used.map(details).joined(separator: "\n"), notes.map { $0 + "\n" }.joined(),
            conclusion(colour: colour),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private var window: String { "since \(RFC3339.text(start))" }

    private var heading: String {
        "Use of the legacy audiences \(window), at \(proxyCount)\n"
    }

    private var proxyCount: String { "\(proxies.count) \(proxies.count == 1 ? "proxy" : "proxies")" }

    /// What can be long comes last.
    private func table(colour: Bool) -> String {
        var lines = [["NAME", "PHASE", "REQUESTS", "SUBJECTS", "LAST SEEN", "NEWEST TOKEN", "AUDIENCE"]]
        let hasIssuers = rows.contains { $0.issuer != rows[0].issuer }
        if hasIssuers { lines[0].append("ISSUER") }
        for row in rows {
            let (requests, subjects) = row.use.count(since: start)
            let cells = [
                row.name, row.phase, "\(requests)", Self.about(subjects.estimate),
                row.use.lastSeen.map(RFC3339.text) ?? "never", row.use.lastIssuedAt.map(RFC3339.text) ?? "-",
                row.audience,
            ]
            lines.append((hasIssuers ? cells + [row.issuer] : cells).map(Self.printable))
        }
        var text = Self.aligned(lines)
        if colour { text[0] = "\u{1B}[1m\(text[0])\u{1B}[0m" }
        return text.map { $0 + "\n" }.joined()
    }

    private func details(of row: Row) -> String {
        """
        \(Self.printable(row.name)), over all its time:
          routes       \(Self.list(row.use.routes))
          user agents  \(Self.list(row.use.userAgents))

        """
    }

    /// What to know before the figures are believed.
    private var notes: [String] {
        var notes: [String] = []
        if !used.isEmpty, start % LegacyUse.secondsPerDay != 0 {
            notes.append(
                "REQUESTS and SUBJECTS are of whole days (UTC), from \(RFC3339.text(start).prefix(10)) on; LAST SEEN is "
                    + "exact, and decides.")
        }
        for row in rows where row.proxyCount < proxies.count {
            notes.append("\(Self.printable(row.name)) is configured at \(row.proxyCount) of \(proxies.count) proxies.")
        }
        for proxy in lateProxies {
            notes.append(
                "\(proxy.address) has counted since \(RFC3339.text(proxy.countedSince ?? 0)) only: of the window before "
                    + "it knows nothing (with state_dir, counts survive a restart).")
        }
        return notes
    }

    private func conclusion(colour: Bool) -> String {
        let (text, code) =
            switch verdict {
            case .inUse:
                (
                    "\(used.count) of \(rows.count) \(used.count == 1 ? "is" : "are") still used: "
                        + used.map { Self.printable($0.name) }.joined(separator: ", ") + ".",
                    "31"
                )
            case .unused where lateProxies.isEmpty:
                ("None was used \(window): what names them can be deleted.", "32")
            case .unused:
                ("None was seen \(window), as far as is known.", "33")
            case .unknown:
                ("Not known: none was seen \(window), but not all of that time was counted.", "31")
            }
        return (colour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text) + "\n"
    }

    /// A sketch's estimate is as good as exact where it is small.
    private static func about(_ estimate: Int) -> String { estimate < 100 ? "\(estimate)" : "~\(estimate)" }

    private static func list(_ list: TopList) -> String {
        let shown = list.entries.prefix(5).map {
            "\(printable($0.name)) (\($0.excess > 0 ? "at most " : "")\($0.count))"
        }
        let more = list.entries.count - shown.count
        return shown.joined(separator: ", ") + (more > 0 ? ", and \(more) more" : "")
    }

    /// What answers on the network is not to move a terminal's cursor.
    private static func printable(_ text: String) -> String {
        var printable = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: printable += "?"
            default: printable.unicodeScalars.append(scalar)
            }
        }
        return printable
    }

    /// Columns two spaces apart; the last one is not filled up.
    private static func aligned(_ table: [[String]]) -> [String] {
        let widths = table[0].indices.map { column in table.map { $0[column].unicodeScalars.count }.max() ?? 0 }
        return table.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1
                    ? cell : cell + String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
            }.joined(separator: "  ")
        }
    }
}
