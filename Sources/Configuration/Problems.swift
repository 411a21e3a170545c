// Everything found wrong during one load. All stages report here and go on, so that the operator sees every
// problem at once and not one a try.

final class Problems {
    /// More than anyone reads; beyond it only a count is kept.
    static let countMax = 500

    private struct Report {
        var source: Int
        var offset: Int
        var sequence: Int
        var diagnostic: Diagnostic
    }

    /// When the load takes place, in Unix seconds: what has expired depends on it.
    let now: Int64
    private(set) var sources: [SourceText] = []
    private(set) var hasErrors = false
    /// Part of the text is not there to judge: a brace without its partner, or a file that could not be read. What
    /// seems missing or misplaced then may be neither, so that is not reported on top.
    private(set) var isIncomplete = false
    private var reports: [Report] = []
    private var unshownCount = 0

    init(at now: Int64) {
        self.now = now
    }

    /// What is reported from now on is counted, but not shown.
    var isFull: Bool { reports.count == Self.countMax }

    /// Adds a file's text; the result is its number.
    func add(_ source: SourceText) -> Int {
        sources.append(source)
        return sources.count - 1
    }

    func error(_ message: String, at origin: Origin) {
        hasErrors = true
        report(.error, message, at: origin)
    }

    /// Reports at a word, unless the word itself was already reported as damaged.
    func error(_ message: String, at word: Word) {
        if word.isDamaged { return }
        error(message, at: word.origin)
    }

    func warning(_ message: String, at origin: Origin) {
        report(.warning, message, at: origin)
    }

    func incomplete(_ message: String, at origin: Origin) {
        isIncomplete = true
        error(message, at: origin)
    }

    /// How a message refers to another place: `proxy.conf:3:1`, or the name of a flag.
    func description(of origin: Origin) -> String {
        switch location(of: origin) {
        case .place(let place): "\(place.file):\(place.line):\(place.column)"
        case .named(let name): name
        }
    }

    /// The path that a word names: a relative one starts from the directory of the file that says it, and from the
    /// working directory where no file does.
    func path(_ word: Word) -> String {
        guard !word.text.hasPrefix("/"), case .text(let source, _) = word.origin else { return word.text }
        return sources[source].directory + word.text
    }

    /// All reports: files in the order they were read, each from top to bottom; then environment and flags.
    var diagnostics: [Diagnostic] {
        var all = reports.sorted {
            ($0.source, $0.offset, $0.sequence) < ($1.source, $1.offset, $1.sequence)
        }.map(\.diagnostic)
        if unshownCount > 0 {
            let name = sources.first?.name ?? "antechamber"
            all.append(
                Diagnostic(
                    severity: .error, location: .named(name),
                    message: "\(unshownCount) more problems are not shown"))
        }
        return all
    }

    private func report(_ severity: Diagnostic.Severity, _ message: String, at origin: Origin) {
        if isFull {
            unshownCount += 1
            return
        }
        let (source, offset) =
            switch origin {
            case .text(let source, let offset): (source, offset)
            case .file(let source): (source, Int.max)
            case .setting: (Int.max, 0)
            }
        let diagnostic = Diagnostic(severity: severity, location: location(of: origin), message: message)
        reports.append(
            Report(source: source, offset: offset, sequence: reports.count, diagnostic: diagnostic))
    }

    private func location(of origin: Origin) -> Diagnostic.Location {
        switch origin {
        case .text(let source, let offset): .place(sources[source].place(at: offset))
        case .file(let source): .named(sources[source].name)
        case .setting(let name): .named(name)
        }
    }
}
