// An audience on its way out: `legacy_audience A { … }` in an issuer, and what stands in its block.

import Admission
import Bytes

let legacyAudienceDirectives: [Directive] = [
    Directive(
        name: "name", syntax: "NAME", contexts: [.legacyAudience],
        summary: "What the backend (`X-Auth-Legacy-Audience`), the log, the metrics and the reports call it. Without it, "
            + "the audience itself.",
        effect: .legacyAudience(applyName)),
    Directive(
        name: "deprecated", syntax: "INSTANT", contexts: [.legacyAudience],
        summary: "Since when, or from when on, it should not be used any more. Responses say so: `Deprecation` (RFC 9745).",
        effect: .legacyAudience(instant(\.deprecatedAt))),
    Directive(
        name: "accept_until", syntax: "INSTANT", contexts: [.legacyAudience],
        summary: "From this instant on it is refused, with `legacy_audience_expired`. Until then responses carry the date "
            + "as `Sunset` (RFC 8594). Without it there is no end.",
        effect: .legacyAudience(instant(\.acceptUntil))),
    Directive(
        name: "issued_before", syntax: "INSTANT", contexts: [.legacyAudience],
        summary: "Only tokens issued before this instant, by their `iat`, are taken: it ends with the last of them.",
        effect: .legacyAudience(instant(\.issuedBefore))),
    Directive(
        name: "brownout", syntax: "INSTANT DURATION", contexts: [.legacyAudience], argumentsMin: 2, argumentsMax: 2,
        isRepeatable: true,
        summary: "A window in which it is refused, with `legacy_audience_brownout`, to find out who has not moved.",
        effect: .legacyAudience(applyBrownout)),
    Directive(
        name: "documentation", syntax: "URL", contexts: [.legacyAudience],
        summary: "Where developers read what to do. Refusals name it, and responses link to it (`rel=\"deprecation\"`).",
        effect: .legacyAudience { statement, draft, problems in
            let word = statement.arguments[0]
            do throws(HTTPURLError) {
                _ = try HTTPURL(parsing: word.text)
                draft.documentation = word
            } catch {
                problems.report(error, inURL: word, scheme: .https, expected: "https://host[:port]/path")
            }
        }),
]

struct LegacyAudienceDraft: Draft {
    static let context = Context.legacyAudience
    static let brownoutsMax = 100
    static let nameBytesMax = 64
    var seen: [String: Origin] = [:]

    var audience: Word
    var name: Word?
    var deprecatedAt: Int64?
    var acceptUntil: Int64?
    var issuedBefore: Int64?
    var brownouts: [(window: Range<Int64>, word: Word)] = []
    var documentation: Word?

    init(audience: Word) {
        self.audience = audience
    }

    static func action(of effect: Directive.Effect) -> Directive.Action<LegacyAudienceDraft>? {
        if case .legacyAudience(let action) = effect { action } else { nil }
    }

    /// What it is called.
    var title: Word { name ?? audience }
}

/// `legacy_audience` itself.
func applyLegacyAudience(_ statement: Statement, _ draft: inout IssuerDraft, _ problems: Problems) {
    let word = statement.arguments[0]
    var legacy = LegacyAudienceDraft(audience: word)
    Directive.apply(statement.block ?? [], to: &legacy, problems: problems)
    guard problems.checkAudience(word) else { return }
    // The first one beyond the bound is kept for the error that it is, over all issuers, and none behind it is looked at.
    if draft.legacyAudiences.count <= AdmissionPolicy.legacyAudiencesMax { draft.legacyAudiences.append(legacy) }
}

private func instant(_ target: any Target<LegacyAudienceDraft, Int64?>) -> Directive.Action<LegacyAudienceDraft> {
    { statement, draft, problems in draft[keyPath: target] = problems.instant(statement.arguments[0]) }
}

private func applyName(_ statement: Statement, _ draft: inout LegacyAudienceDraft, _ problems: Problems) {
    let word = statement.arguments[0]
    guard isName(word.text) else {
        problems.error(
            "\(quoted(word.text)) is no name; expected 1 to \(LegacyAudienceDraft.nameBytesMax) letters, digits or any of "
                + "'.', '_', '-'",
            at: word)
        return
    }
    draft.name = word
}

private func isName(_ text: String) -> Bool {
    (1...LegacyAudienceDraft.nameBytesMax).contains(text.utf8.count)
        && text.utf8.allSatisfy { ASCII.isAlphanumeric($0) || "._-".utf8.contains($0) }
}

private func applyBrownout(_ statement: Statement, _ draft: inout LegacyAudienceDraft, _ problems: Problems) {
    let word = statement.arguments[0]
    guard let start = problems.instant(word),
        let length = problems.milliseconds(statement.arguments[1], from: "1s", to: "30d", wholeSeconds: true)
    else { return }
    if draft.brownouts.count == LegacyAudienceDraft.brownoutsMax {
        problems.error("more than \(LegacyAudienceDraft.brownoutsMax) brownouts", at: word)
    } else {
        draft.brownouts.append((start..<start + length / 1000, word))
    }
}

extension LegacyAudienceDraft {
    /// What the audience's own dates contradict.
    func validated(problems: Problems) -> LegacyAudience {
        if let acceptUntil, let deprecatedAt, acceptUntil < deprecatedAt {
            problems.error(
                "it would end before it is deprecated; make 'accept_until' no earlier than 'deprecated'",
                at: seen["accept_until"] ?? audience.origin)
        }
        if let acceptUntil, let issuedBefore, acceptUntil < issuedBefore {
            problems.error(
                "it would end before new tokens are refused; make 'issued_before' no later than 'accept_until'",
                at: seen["issued_before"] ?? audience.origin)
        }
        if let acceptUntil {
            for (window, word) in brownouts where window.lowerBound >= acceptUntil {
                problems.error("this brownout would begin after the audience has ended", at: word)
            }
        }
        if seen["name"] == nil, !isName(audience.text) {
            problems.error(
                "this legacy audience needs a name to be reported by: 'name NAME;', of letters, digits, '.', '_' and '-'",
                at: audience)
        }
        return LegacyAudience(
            audience: audience.text, name: title.text, deprecatedAt: deprecatedAt, acceptUntil: acceptUntil,
            issuedBefore: issuedBefore, brownouts: brownouts.map(\.window), documentation: documentation?.text)
    }
}

extension IssuerDraft {
    /// The legacy audiences, each once, under one name, and none that is a new one too.
    func validatedLegacyAudiences(problems: Problems) -> [LegacyAudience] {
        for (index, legacy) in legacyAudiences.enumerated() {
            let earlier = legacyAudiences[..<index]
            if let new = audiences.first(where: { $0.text.hasSameBytes(as: legacy.audience.text) }) {
                problems.error(
                    "\(quoted(new.text)) is both an 'audience' (\(problems.description(of: new.origin))) and a "
                        + "'legacy_audience': its tokens would count as moved and as not moved",
                    at: legacy.audience)
            }
            if let first = earlier.first(where: { $0.audience.text.hasSameBytes(as: legacy.audience.text) }) {
                problems.error(
                    "legacy audience \(quoted(legacy.audience.text)) is given twice; the first is at "
                        + problems.description(of: first.audience.origin),
                    at: legacy.audience)
            } else if let first = earlier.first(where: { $0.title.text == legacy.title.text }) {
                problems.error(
                    "two legacy audiences are called \(quoted(legacy.title.text)); the first is at "
                        + problems.description(of: first.title.origin),
                    at: legacy.title)
            }
        }
        return legacyAudiences.map { $0.validated(problems: problems) }
    }
}
