// An explanation for people: in a pipe one line a thing, plain and stable; on a terminal aligned, wrapped and coloured.

extension Explanation {
    /// How it is laid out.
    public enum Layout: Sendable, Equatable {
        /// Nothing is aligned, wrapped or coloured.
        case plain
        /// `columns` is the width that lines are wrapped to, 40 at least.
        case terminal(columns: Int, colour: Bool)
    }

    /// The whole text, with a line end at its end.
    public func text(_ layout: Layout = .plain) -> String {
        var page = Page(layout)
        write(to: &page)
        return page.text
    }

    private func write(to page: inout Page) {
        if let refusal {
            page.line("refused: \(refusal.code.rawValue) (\(refusal.code.status))", .bad)
            page.line(refusal.code.title + ".")
        } else {
            page.line("admitted", .good)
            let needsNone = place?.isPublic == true
            page.line(needsNone ? "The request needs no token." : "The token is good for this API.")
        }
        page.gap()
        if let place {
            page.entry("asked for", "\(place.method) \(place.path)")
            page.entry("where", place.location.map { "location \($0)" } ?? "in no location: the rules of the main level")
            for note in place.notes { page.entry("note", note) }
            page.gap()
        }

        for (index, step) in steps.enumerated() {
            if step.name == Self.firstToBeBelieved, let doubt { page.line(doubt, .bad) }
            write(step, number: index + 1, to: &page)
        }
        if let kind {
            page.gap()
            write(kind, to: &page)
        }
        for remark in remarks {
            page.gap()
            page.entry("note", remark)
        }
        if !claims.isEmpty {
            page.gap()
            page.line(signature == .held ? "what it claims:" : "what it claims, and nobody vouches for:")
            for claim in claims { page.item(claim.name, claim.value) }
        }
        if !fields.isEmpty {
            page.gap()
            page.line("what the backend gets:")
            for field in fields { page.item(field.name, field.value) }
        }
    }

    /// Everything from this step on is about what the signature covers.
    private static let firstToBeBelieved = StepName.type

    private var doubt: String? {
        guard steps.contains(where: { $0.name == Self.firstToBeBelieved && $0.outcome != .notChecked }) else { return nil }
        switch signature {
        case .held: return nil
        case .failed: return "The signature did not hold: nothing below is to be believed."
        case .notChecked: return "The signature could not be checked: nothing below is to be believed."
        }
    }

    private func write(_ step: Step, number: Int, to page: inout Page) {
        switch step.outcome {
        case .passed: page.step(number, step.name.rawValue, "ok", .good, step.found.joined(separator: ", "))
        case .notChecked: page.step(number, step.name.rawValue, "not checked", .quiet, "")
        case .failed(let refusal):
            page.step(number, step.name.rawValue, "FAILED", .bad, refusal.code.rawValue)
            page.detail("found", step.found.joined(separator: ", "))
            for expected in step.expected { page.detail("expected", expected) }
            if !refusal.detail.isEmpty { page.detail("why", refusal.detail) }
            if let hint = refusal.hint { page.detail("do", hint) }
            for advice in step.advice { page.detail("do", advice) }
        }
    }

    private func write(_ kind: Kind, to page: inout Page) {
        switch kind.name {
        case .idToken:
            page.entry("what it is", "an ID token" + (kind.client.map { " of the client \(Quoted.text($0))" } ?? ""))
        case .accessToken: page.entry("what it is", "an access token")
        case .unclear: page.entry("what it is", "nothing in it says whether it is an ID token or an access token")
        }
        for evidence in kind.evidence { page.detail("because", evidence) }
    }
}

/// A text in the making. Whatever goes into it comes out as visible ASCII, apart from our own colours.
private struct Page {
    enum Tone { case good, bad, quiet, normal }

    private let layout: Explanation.Layout
    private(set) var text = ""

    init(_ layout: Explanation.Layout) {
        self.layout = layout
    }

    private var isPlain: Bool { layout == .plain }

    mutating func gap() { text += "\n" }

    mutating func line(_ line: String, _ tone: Tone = .normal) {
        write("", line, tone)
    }

    mutating func entry(_ name: String, _ value: String) {
        write("\(name): ", value)
    }

    mutating func item(_ name: String, _ value: String) {
        write("   \(name): ", value, hanging: 6)
    }

    mutating func detail(_ name: String, _ value: String) {
        write(isPlain ? "   \(name): " : "   " + padded(name, 9) + " ", value)
    }

    mutating func step(_ number: Int, _ name: String, _ mark: String, _ tone: Tone, _ rest: String) {
        if isPlain {
            write("\(number). \(name): ", mark + (rest.isEmpty ? "" : ": \(rest)"))
        } else {
            let label = (number < 10 ? " " : "") + "\(number). \(padded(name, 12)) "
            let start = label.utf8.count
            write(
                label, rest.isEmpty ? mark : "\(padded(mark, 6))  \(rest)", tone, at: start..<start + mark.utf8.count,
                hanging: start + 8)
        }
    }

    /// `value` behind `label`; on a terminal wrapped, its further lines under the first.
    ///
    /// - Parameters:
    ///   - place: what of the first line has the tone; nil: all lines have it.
    ///   - hanging: how far the further lines stand in; nil: as far as the label reaches.
    private mutating func write(
        _ label: String, _ value: String, _ tone: Tone = .normal, at place: Range<Int>? = nil, hanging: Int? = nil
    ) {
        let value = Self.visible(value)
        let label = Self.visible(label)
        guard case .terminal(let columns, let colour) = layout else {
            text += label + value + "\n"
            return
        }
        let lines = Self.wrapped(label, value, columns: max(columns, 40), hanging: hanging ?? label.utf8.count)
        for (number, line) in lines.enumerated() {
            let isToned = colour && tone != .normal && (place == nil || number == 0)
            let place = place ?? 0..<line.utf8.count
            if !isToned {
                text += line + "\n"
            } else {
                let start = line.utf8.index(line.startIndex, offsetBy: place.lowerBound)
                let end = line.utf8.index(line.startIndex, offsetBy: place.upperBound)
                text += "\(line[..<start])\u{1b}[\(Self.code(tone))m\(line[start..<end])\u{1b}[0m\(line[end...])\n"
            }
        }
    }

    /// A word that is longer than a line has one of its own.
    private static func wrapped(_ label: String, _ value: String, columns: Int, hanging: Int) -> [String] {
        let indent = String(repeating: " ", count: hanging)
        var lines: [String] = []
        var line = label
        var hasWord = false
        for word in value.split(separator: " ", omittingEmptySubsequences: false) {
            if hasWord, line.utf8.count + 1 + word.utf8.count > columns {
                lines.append(line)
                line = indent
                hasWord = false
            }
            line += hasWord ? " \(word)" : word
            hasWord = true
        }
        return lines + [line]
    }

    private static func visible(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        return text.unicodeScalars.reduce(into: "") { visible, scalar in
            if (" "..."~").contains(scalar) {
                visible.unicodeScalars.append(scalar)
            } else {
                visible += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }

    /// The parameter of SGR (ECMA-48 §8.3.117).
    private static func code(_ tone: Tone) -> String {
        switch tone {
        case .good: "32"
        case .bad: "1;31"
        case .quiet: "2"
        case .normal: "0"
        }
    }
}
