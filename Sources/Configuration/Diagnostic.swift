// One problem of the configuration, ready to be shown. A diagnostic holds all it needs for that, so it outlives
// the text it speaks of. Its text is safe for a terminal: control characters of the input are never passed on.

/// A problem in what the operator wrote, and where.
public struct Diagnostic: Sendable, Equatable {
    public enum Severity: String, Sendable {
        /// There is no configuration while this stands.
        case error
        /// The configuration works, but probably not as meant, or less safely than it could.
        case warning
    }

    /// Where the problem is.
    public enum Location: Sendable, Equatable {
        /// A character of a file.
        case place(Place)
        /// Something without a line of its own: a whole file (`proxy.conf`), a flag (`--upstream`) or an
        /// environment variable (`ANTECHAMBER_UPSTREAM`).
        case named(String)
    }

    /// A character of a file.
    public struct Place: Sendable, Equatable {
        /// The path as the operator gave it.
        public var file: String
        /// From 1.
        public var line: Int
        /// From 1, in characters; a tab is one.
        public var column: Int
        /// The line itself, without its end.
        public var lineText: String
    }

    public var severity: Severity
    public var location: Location
    public var message: String

    /// The diagnostic as lines of text: `file:line:column: error: message`, the line it is about, and a caret under
    /// the place. There is no line feed at the end.
    public func rendered(colour: Bool) -> String {
        func painted(_ text: String, _ code: String) -> String {
            colour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
        }
        let label = painted("\(severity.rawValue):", severity == .error ? "1;31" : "1;35")
        switch location {
        case .named(let name):
            return "\(painted("\(name):", "1")) \(label) \(message)"
        case .place(let place):
            let position = painted("\(place.file):\(place.line):\(place.column):", "1")
            // Tabs are kept, so that the caret stands right at every tab width.
            let indent = String(place.lineText.prefix(place.column - 1).map { $0 == "\t" ? "\t" : " " })
            return "\(position) \(label) \(message)\n\(place.lineText)\n\(indent)\(painted("^", "1;32"))"
        }
    }
}
