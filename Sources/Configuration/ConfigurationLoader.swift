// From what the operator wrote to the one value that the proxy runs by:
//
//     text ─ Lexer ─► tokens ─ StatementParser ─► statements ─ Directive table ─► MainDraft
//          ─ Overrides (environment, flags) ─► MainDraft ─ validated ─► ProxyConfiguration
//
// Every stage reports to Problems and goes on, so one load finds all there is to find.

/// What a load came to.
public enum LoadResult: Sendable, Equatable {
    /// It holds; the diagnostics are warnings.
    case loaded(ProxyConfiguration, warnings: [Diagnostic])
    /// At least one of them is an error.
    case failed([Diagnostic])

    public var configuration: ProxyConfiguration? {
        if case .loaded(let configuration, _) = self { configuration } else { nil }
    }

    public var diagnostics: [Diagnostic] {
        switch self {
        case .loaded(_, let warnings): warnings
        case .failed(let diagnostics): diagnostics
        }
    }
}

public enum ConfigurationLoader {
    /// The configuration of this file, environment and command line.
    ///
    /// The file is checked as a whole, even where the environment or a flag overrides what it says.
    ///
    /// - Parameters:
    ///   - file: `--config`. Without it `ANTECHAMBER_CONFIG` names the file, and without that there is none.
    ///   - environment: For `${NAME}` in the text, and for the twins of the flags.
    ///   - now: Unix seconds, by which certificates are found to have expired.
    public static func load(
        file: String? = nil,
        flags: CommandLineOverrides = CommandLineOverrides(),
        environment: [String: String],
        files: any ConfigurationFiles = LocalFiles(),
        now: Int64 = LocalFiles.unixSeconds
    ) -> LoadResult {
        let problems = Problems(at: now)
        var draft = MainDraft()
        var whole = Origin.setting("antechamber")
        if let path = path(file: file, environment: environment) {
            let statements = StatementParser.statements(
                of: path, files: files, environment: environment, problems: problems)
            if !problems.sources.isEmpty { whole = .file(source: 0) }
            Directive.apply(statements, to: &draft, problems: problems)
        }
        Overrides(flags: flags, environment: environment).apply(to: &draft, problems: problems)

        guard let configuration = draft.validated(whole: whole, files: files, problems: problems) else {
            return .failed(problems.diagnostics)
        }
        return .loaded(configuration, warnings: problems.diagnostics)
    }

    /// The file that a load with these arguments reads, if any.
    public static func path(file: String?, environment: [String: String]) -> String? {
        if let file { return file }
        return environment["ANTECHAMBER_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    }
}
