// How directives read their arguments: each reader gives the value, or reports what is wrong and what was expected.

import Admission
import Bytes

/// `on | off`
enum Switch: String, CaseIterable {
    case on, off
}

typealias Target<D, V> = WritableKeyPath<D, V> & Sendable

extension Directive {
    /// A duration into a field that counts milliseconds.
    ///
    /// - Parameters:
    ///   - least: As the operator would write it, which is also how the message shows it.
    ///   - zero: 0 is allowed too, whatever `least` is.
    ///   - wholeSeconds: The value is used in seconds, so a fraction of one would be lost.
    static func duration<D>(
        _ target: any Target<D, Int64>, from least: String, to most: String, zero: Bool = false, wholeSeconds: Bool = false
    ) -> Action<D> {
        { statement, draft, problems in
            if let value = problems.milliseconds(
                statement.arguments[0], from: least, to: most, zero: zero, wholeSeconds: wholeSeconds)
            {
                draft[keyPath: target] = value
            }
        }
    }

    static func count<D>(_ target: any Target<D, Int64>, _ range: ClosedRange<Int64>) -> Action<D> {
        { statement, draft, problems in
            if let value = problems.count(statement.arguments[0], range) { draft[keyPath: target] = value }
        }
    }

    /// One of a closed set of words.
    static func choice<D, C: RawRepresentable & CaseIterable & SendableMetatype>(_ target: any Target<D, C>) -> Action<D>
    where C.RawValue == String {
        { statement, draft, problems in
            if let value: C = problems.choice(statement.arguments[0]) { draft[keyPath: target] = value }
        }
    }
}

extension Problems {
    func milliseconds(
        _ word: Word, from least: String, to most: String, zero: Bool = false, wholeSeconds: Bool = false
    ) -> Int64? {
        guard let value = Quantity.milliseconds(word.text) else {
            error("\(quoted(word.text)) is not a duration; expected \(Quantity.durationSyntax)", at: word)
            return nil
        }
        if value == 0, zero { return 0 }
        guard let low = Quantity.milliseconds(least), let high = Quantity.milliseconds(most), low <= value,
            value <= high
        else {
            let off = zero ? "0, or " : ""
            error("\(quoted(word.text)) is out of range; expected \(off)\(least) to \(most)", at: word)
            return nil
        }
        if wholeSeconds, value % 1000 != 0 {
            error("\(quoted(word.text)) is not a whole number of seconds", at: word)
            return nil
        }
        return value
    }

    /// Unix seconds.
    func instant(_ word: Word) -> Int64? {
        if let seconds = RFC3339.unixSeconds(word.text) { return seconds }
        error("\(quoted(word.text)) is not an instant; expected one such as 2027-03-31T00:00:00Z (RFC 3339)", at: word)
        return nil
    }

    func bytes(_ word: Word, from least: String, to most: String, zero: Bool = false) -> Int64? {
        guard let value = Quantity.bytes(word.text) else {
            error("\(quoted(word.text)) is not a size; expected \(Quantity.sizeSyntax)", at: word)
            return nil
        }
        if value == 0, zero { return 0 }
        guard let low = Quantity.bytes(least), let high = Quantity.bytes(most), low <= value, value <= high else {
            let unbounded = zero ? "0, or " : ""
            error("\(quoted(word.text)) is out of range; expected \(unbounded)\(least) to \(most)", at: word)
            return nil
        }
        return value
    }

    func count(_ word: Word, _ range: ClosedRange<Int64>) -> Int64? {
        guard let value = Quantity.count(word.text), range.contains(value) else {
            error(
                "\(quoted(word.text)) is no number from \(range.lowerBound) to \(range.upperBound)", at: word)
            return nil
        }
        return value
    }

    func choice<C: RawRepresentable & CaseIterable>(_ word: Word) -> C? where C.RawValue == String {
        if let value = C(rawValue: word.text) { return value }
        let all = C.allCases.map(\.rawValue)
        error(
            "\(quoted(word.text)) is none of \(all.joined(separator: ", "))" + didYouMean(word.text, all), at: word)
        return nil
    }

    /// Arguments of the form `name=value`: the values by their names, each name at most once.
    func parameters(_ words: ArraySlice<Word>, of directive: String, known: [String]) -> [String: Word] {
        var values: [String: Word] = [:]
        for word in words {
            let parts = word.text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard parts.count == 2, known.contains(name) else {
                error(
                    "unknown parameter \(quoted(word.text)) of '\(directive)'; expected "
                        + known.map { $0 + "=…" }.joined(separator: ", "),
                    at: word)
                continue
            }
            if values[name] != nil { error("the parameter '\(name)' is given twice", at: word) }
            var value = word
            value.text = String(parts[1])
            values[name] = value
        }
        return values
    }

    func didYouMean(_ text: String, _ candidates: [String]) -> String {
        suggestion(for: text, among: candidates).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// A URL that keys or metadata are fetched from, or that names who publishes them: https, or http where it
    /// crosses no network.
    ///
    /// - Parameter instead: what else the operator could do.
    func trustedURL(_ word: Word, instead: String? = nil) -> HTTPURL? {
        let expected = "https://host[:port]/path"
        do throws(HTTPURLError) {
            let url = try HTTPURL(parsing: word.text)
            if url.isPotentiallyTrustworthy { return url }
        } catch {
            guard case .otherScheme = error else {
                report(error, inURL: word, scheme: .https, expected: expected)
                return nil
            }
        }
        self.error(
            "\(shownURL(word)) is not https: whoever can alter the traffic could put in keys of their own; "
                + "plain http is taken for loopback addresses only" + (instead.map { "; or \($0)" } ?? ""),
            at: word)
        return nil
    }

    /// - Parameter scheme: What a text without one most likely lacks.
    func report(_ problem: HTTPURLError, inURL word: Word, scheme: HTTPURL.Scheme, expected: String) {
        let shown = shownURL(word)
        switch problem {
        case .hasCredentials:
            error("this URL \(problem.reason); expected \(expected)", at: word)
        case .hasFragment:
            error("\(shown) has a fragment ('#…'); expected \(expected)", at: word)
        default:
            let completed = "\(scheme.rawValue)://\(word.text)"
            let isMeant = problem == .noScheme && !word.text.contains("://") && (try? HTTPURL(parsing: completed)) != nil
            error(
                "\(shown) is not a URL: it \(problem.reason); expected \(expected)"
                    + (isMeant ? "; did you mean '\(completed)'?" : ""),
                at: word)
        }
    }

    /// What may hold a password is not shown: the message may go to a log.
    private func shownURL(_ word: Word) -> String {
        word.text.contains("@") ? "this" : quoted(word.text)
    }

    /// A path on this machine.
    func file(_ word: Word) -> Word? {
        guard !word.text.isEmpty, word.text.unicodeScalars.allSatisfy({ !isControl($0) }) else {
            error("\(quoted(word.text)) is not a path", at: word)
            return nil
        }
        return word.isDamaged ? nil : word
    }

    /// The path behind `unix:`.
    func socketPath(_ word: Word) -> String? {
        var behind = word
        behind.text = String(word.text.dropFirst("unix:".count))
        guard let file = file(behind) else { return nil }
        let path = self.path(file)
        // sun_path holds 108 bytes with the closing NUL (unix(7)).
        guard path.utf8.count <= 107 else {
            error("\(quoted(path)) has \(path.utf8.count) bytes; the path of a socket has at most 107", at: word)
            return nil
        }
        return path
    }
}
