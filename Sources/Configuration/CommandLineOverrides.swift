// Flags and their environment twins, laid over the file: a flag beats the environment, the environment beats the file.
//
// Each is read by the very directive that it stands for, so that it means the same and fails with the same words.

/// What the command line said. Empty and nil mean: not given.
public struct CommandLineOverrides: Sendable, Equatable {
    /// `--listen`: together in place of every `listen` of the file.
    public var listen: [String]
    /// `--upstream`: in place of all the file's servers; the other settings in the file's block stay.
    public var upstream: String?
    /// `--issuer`: in place of all the file's issuers, their audiences and key settings included, since those are
    /// that issuer's and nobody else's.
    public var issuer: String?
    /// `--audience`: in place of the audiences of the only issuer there is.
    public var audience: [String]

    public init(listen: [String] = [], upstream: String? = nil, issuer: String? = nil, audience: [String] = []) {
        self.listen = listen
        self.upstream = upstream
        self.issuer = issuer
        self.audience = audience
    }
}

/// The settings that hold once flags and environment are weighed.
struct Overrides {
    private let listen: Statement?
    private let upstream: Statement?
    private let issuer: Statement?
    private let audience: Statement?

    /// An environment variable that is empty counts as not set, as compose files leave them.
    init(flags: CommandLineOverrides, environment: [String: String]) {
        func statement(_ directive: String, _ given: [String], split: Bool = false) -> Statement? {
            if !given.isEmpty { return Self.statement(directive, given, from: "--\(directive)") }
            let variable = "ANTECHAMBER_\(directive.uppercased())"
            guard let value = environment[variable], !value.isEmpty else { return nil }
            let values = split
                ? value.split(separator: ",", omittingEmptySubsequences: false).map(Self.trimmed) : [value]
            return Self.statement(directive, values, from: variable)
        }
        listen = statement("listen", flags.listen)
        upstream = statement("upstream", flags.upstream.map { [$0] } ?? [])
        issuer = statement("issuer", flags.issuer.map { [$0] } ?? [])
        audience = statement("audience", flags.audience, split: true)
    }

    func apply(to draft: inout MainDraft, problems: Problems) {
        if let listen {
            draft.listeners = []
            // One statement an address: `listen A B` would read B as a parameter.
            let each = listen.arguments.map { Statement(name: listen.name, arguments: [$0]) }
            Directive.apply(each, to: &draft, problems: problems)
        }
        if let upstream {
            var settings = draft.upstream
            draft.seen["upstream"] = nil
            Directive.apply([upstream], to: &draft, problems: problems)
            if let given = draft.upstream, settings != nil {
                settings?.servers = given.servers
                settings?.namesServer = true
                draft.upstream = settings
            }
        }
        if let issuer {
            draft.issuers = []
            Directive.apply([issuer], to: &draft, problems: problems)
        }
        if let audience { apply(audience, to: &draft, problems: problems) }
    }

    private func apply(_ audience: Statement, to draft: inout MainDraft, problems: Problems) {
        guard draft.issuers.count <= 1 else {
            problems.error(
                "the configuration has \(draft.issuers.count) issuers, so it is not clear whose tokens must have this "
                    + "audience; say it in the file, or name the one issuer there is to be with --issuer",
                at: audience.name.origin)
            return
        }
        // Where there is no issuer, that is what is missing, and is reported as such.
        for index in draft.issuers.indices {
            draft.issuers[index].audiences = []
            draft.issuers[index].seen["audience"] = nil
            Directive.apply([audience], to: &draft.issuers[index], problems: problems)
        }
    }

    private static func statement(_ directive: String, _ values: [String], from name: String) -> Statement {
        let origin = Origin.setting(name)
        return Statement(
            name: Word(text: directive, origin: origin),
            arguments: values.map { Word(text: $0, origin: origin) })
    }

    private static func trimmed(_ text: Substring) -> String {
        let blank = { (character: Character) in character == " " || character == "\t" }
        let start = text.drop(while: blank)
        let end = start.lastIndex { !blank($0) }.map(start.index(after:)) ?? start.startIndex
        return String(start[..<end])
    }
}
