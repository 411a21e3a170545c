// The table of directives. It drives three things, which so cannot disagree: what the parser accepts, what the
// diagnostics say, and the reference in docs/configuration.md.
//
// The rows are in the files named *Directives.swift.
// Each row has an effect: none is accepted and ignored.

/// Where a directive may stand.
enum Context: String, Sendable, CaseIterable {
    case main
    case listen
    case upstream
    case issuer
    case legacyAudience = "legacy_audience"
    case forward
    case mint
    case location
}

struct Directive: Sendable {
    enum Effect: Sendable {
        case main(Action<MainDraft>)
        case listen(Action<ListenerDraft>)
        case upstream(Action<UpstreamDraft>)
        case issuer(Action<IssuerDraft>)
        case legacyAudience(Action<LegacyAudienceDraft>)
        case location(Action<LocationDraft>)
        case forward(Action<ForwardDraft>)
        case mint(Action<MintDraft>)
    }

    /// Takes a statement whose name, place and argument count are right into the draft, and reports what is wrong
    /// with its arguments.
    typealias Action<D> = @Sendable (_ statement: Statement, _ draft: inout D, _ problems: Problems) -> Void

    var name: String
    /// The arguments as the reference and the messages show them.
    var syntax: String
    var contexts: [Context]
    /// 0 only where a block may say it all.
    var argumentsMin = 1
    var argumentsMax = 1
    /// The context its block opens, where it may have one.
    var block: Context? = nil
    /// It says nothing without its block.
    var needsBlock = false
    var isRepeatable = false
    /// Its arguments when it is not given, where they can be written down.
    var standard: String? = nil
    /// What to say where it is missing; nil where it may be.
    var whenMissing: String? = nil
    var summary: String
    var effect: Effect

    static let all: [Directive] =
        mainDirectives + listenDirectives + tokenDirectives + locationDirectives + gzipDirectives + upstreamDirectives
        + issuerDirectives + legacyAudienceDirectives + forwardDirectives + mintDirectives + rateDirectives

    private static let byName = Dictionary(grouping: all, by: \.name)

    static func named(_ name: String, in context: Context) -> Directive? {
        byName[name]?.first { $0.contexts.contains(context) }
    }

    /// Its full form: `issuer URL [{ … }]`, `workers auto | N;`.
    var form: String {
        let start = syntax.isEmpty ? name : "\(name) \(syntax)"
        if needsBlock { return "\(start) { … }" }
        return block != nil ? "\(start) [{ … }]" : "\(start);"
    }
}

extension Directive {
    /// The directive that a statement of this context means, once its name, place, count of arguments, block and
    /// repetition are right. What is wrong is reported.
    ///
    /// - Parameter seen: Where each directive of the block was first seen.
    static func match(
        _ statement: Statement, in context: Context, seen: inout [String: Origin], problems: Problems
    ) -> Directive? {
        let name = statement.name
        if name.isDamaged { return nil }
        guard let directive = named(name.text, in: context) else {
            reportUnknown(name, in: context, seen: &seen, problems: problems)
            return nil
        }
        let first = seen[directive.name]
        seen[directive.name] = first ?? name.origin
        if let first, !directive.isRepeatable {
            problems.error(
                "\(quoted(name.text)) is given twice; the first is at \(problems.description(of: first))", at: name)
            return nil
        }
        if statement.block != nil, directive.block == nil {
            problems.error("\(quoted(name.text)) takes no block: \(directive.form)", at: name)
            return nil
        }
        if statement.block == nil, directive.needsBlock {
            problems.error("\(quoted(name.text)) needs a block: \(directive.form)", at: name)
            return nil
        }
        return directive.acceptsArgumentCount(of: statement, problems: problems) ? directive : nil
    }

    private static func reportUnknown(
        _ name: Word, in context: Context, seen: inout [String: Origin], problems: Problems
    ) {
        if let elsewhere = byName[name.text] {
            // Behind an unbalanced brace nearly everything is in the wrong block.
            if problems.isIncomplete { return }
            let here = context == .main ? "here" : "inside '\(context.rawValue)'"
            let homes = elsewhere.flatMap(\.contexts).map {
                $0 == .main ? "at the top level" : "inside '\($0.rawValue)'"
            }
            problems.error(
                "\(quoted(name.text)) is not allowed \(here); it belongs \(homes.joined(separator: " or "))", at: name)
            return
        }
        let here = all.filter { $0.contexts.contains(context) }.map(\.name) + ["include"]
        let elsewhere = all.map(\.name)
        guard !problems.isFull,
            let meant = suggestion(for: name.text, among: here) ?? suggestion(for: name.text, among: elsewhere)
        else {
            problems.error("unknown directive \(quoted(name.text))", at: name)
            return
        }
        // It is there, only misspelled: that it is missing need not be said on top.
        seen[meant] = seen[meant] ?? name.origin
        problems.error("unknown directive \(quoted(name.text)); did you mean '\(meant)'?", at: name)
    }

    private func acceptsArgumentCount(of statement: Statement, problems: Problems) -> Bool {
        let count = statement.arguments.count
        if count < argumentsMin {
            let what = count == 0 ? "an argument" : "more arguments"
            problems.error("'\(name)' needs \(what): \(form)", at: statement.name)
        } else if count > argumentsMax {
            let allowed =
                switch argumentsMax {
                case 0: "no arguments"
                case 1: "one argument"
                default: "at most \(argumentsMax) arguments"
                }
            problems.error("'\(name)' takes \(allowed), not \(count): \(form)", at: statement.arguments[argumentsMax])
        }
        return (argumentsMin...argumentsMax).contains(count)
    }
}

extension Directive {
    /// Whether `effect` may touch a draft of this kind is settled by its case; this takes it out.
    static func apply<D: Draft>(_ statements: [Statement], to draft: inout D, problems: Problems) {
        for statement in statements {
            guard
                let directive = match(statement, in: D.context, seen: &draft.seen, problems: problems),
                let action = D.action(of: directive.effect)
            else { continue }
            action(statement, &draft, problems)
        }
    }

    /// Reports each directive that a block must have and has not, but for the one that it can do without.
    static func requireAll(
        in context: Context, except spared: String? = nil, seen: [String: Origin], at origin: Origin, problems: Problems
    ) {
        if problems.isIncomplete { return }
        for directive in all
        where directive.contexts.contains(context) && seen[directive.name] == nil && directive.name != spared {
            guard let message = directive.whenMissing else { continue }
            problems.error("'\(directive.name)' is missing: \(message)", at: origin)
        }
    }
}

/// What the directives of one block have said so far.
protocol Draft {
    static var context: Context { get }
    /// Where each directive was first seen.
    var seen: [String: Origin] { get set }
    static func action(of effect: Directive.Effect) -> Directive.Action<Self>?
}
