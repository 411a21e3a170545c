// What the backend is told of a token: `forward { … }`, here and wherever else it may stand, and `authorization`.

import Admission
import Bytes

let forwardDirectives: [Directive] = [
    Directive(
        name: "claim", syntax: "PATH … HEADER [join=\",\"] [encoding=auto | percent | base64url | json]",
        contexts: [.forward], argumentsMin: 2, argumentsMax: 64, isRepeatable: true,
        summary: """
            Sends the claim at `PATH` in the header `HEADER`. `PATH` is one argument for each level of nested objects, so \
            that a name may hold anything: `claim "https://example.com/claims" roles X-Auth-Roles;`. Without such a claim, \
            or where it is null, there is no such header, and never one of the client's.

            A string goes as its text, a number with the digits that the token spells it with, a boolean as `true` or \
            `false`, an array of these joined by the one character `join` (`"join= "` for a space), and everything else as \
            JSON.

            | `encoding` | the header's value | reading it in Node |
            | --- | --- | --- |
            | `auto` | visible ASCII and inner spaces as they are; `%`, everything else, and `join` inside an element \
            percent-encoded | `decodeURIComponent(value)`, of a list `value.split(',').map(decodeURIComponent)` |
            | `percent` | all but letters, digits and `-._~` percent-encoded, the elements of a list each | the same |
            | `base64url` | base64url of a string's UTF-8, and of the JSON of everything else | \
            `Buffer.from(value, 'base64url').toString()` |
            | `json` | JSON in visible ASCII | `JSON.parse(value)` |
            """,
        effect: .forward(applyClaim)),
    Directive(
        name: "payload", syntax: "HEADER [json | base64url]", contexts: [.forward], argumentsMax: 2,
        isRepeatable: true,
        summary: "Sends all claims in the header `HEADER`, as one JSON object in visible ASCII (`json`, unless said "
            + "otherwise) or as base64url of that.",
        effect: .forward(applyPayload)),
]

struct ForwardDraft: Draft {
    static let context = Context.forward
    static let fieldsMax = 64
    var seen: [String: Origin] = [:]

    var fields: [(claim: ForwardedClaim, header: Word)] = []

    static func action(of effect: Directive.Effect) -> Directive.Action<ForwardDraft>? {
        if case .forward(let action) = effect { action } else { nil }
    }
}

extension Problems {
    /// What a `forward { … }` says, wherever it stands.
    func forwardPolicy(_ statement: Statement) -> ForwardPolicy {
        var draft = ForwardDraft()
        Directive.apply(statement.block ?? [], to: &draft, problems: self)
        return ForwardPolicy(draft.fields.map(\.claim))
    }

    /// What an `authorization` says, wherever it stands.
    func authorizationPolicy(_ statement: Statement) -> AuthorizationPolicy? {
        choice(statement.arguments[0])
    }
}

private func applyClaim(_ statement: Statement, _ draft: inout ForwardDraft, _ problems: Problems) {
    // No name of a header holds a '=', so that parameters tell themselves from it; in front of it there may be any text.
    let words = statement.arguments
    let header = words.lastIndex { !$0.text.contains("=") || $0.isDamaged } ?? 0
    guard header > 0 else {
        problems.error(
            "'claim' needs a claim and a header: \(Directive.named("claim", in: .forward)!.form)", at: statement.name)
        return
    }
    var claim = ForwardedClaim(ClaimPath(words[..<header].map(\.text)), words[header].text)
    let parameters = problems.parameters(words[(header + 1)...], of: "claim", known: ["join", "encoding"])
    if let word = parameters["encoding"] { claim.encoding = problems.choice(word) ?? claim.encoding }
    if let word = parameters["join"] {
        if claim.encoding == .base64url || claim.encoding == .json {
            problems.error("'join' has no effect: with encoding=\(claim.encoding.rawValue) an array goes as JSON", at: word)
        } else if let join = problems.join(word) {
            claim.join = join
        }
    }
    draft.add(claim, words[header], problems)
}

private func applyPayload(_ statement: Statement, _ draft: inout ForwardDraft, _ problems: Problems) {
    var claims = ForwardedClaim(ClaimPath([]), statement.arguments[0].text, encoding: .json)
    if statement.arguments.count == 2 {
        let word = statement.arguments[1]
        switch word.text {
        case "json": break
        case "base64url": claims.encoding = .base64url
        default: problems.error("\(quoted(word.text)) is none of json, base64url", at: word)
        }
    }
    draft.add(claims, statement.arguments[0], problems)
}

extension ForwardDraft {
    fileprivate mutating func add(_ claim: ForwardedClaim, _ header: Word, _ problems: Problems) {
        guard problems.canCarryClaim(header) else { return }
        let folded = HeaderHygiene.fold(header.text)
        if let first = fields.first(where: { HeaderHygiene.fold($0.claim.header) == folded }) {
            let alike = first.claim.header == header.text
                ? "" : ", as \(quoted(first.claim.header)): many backends take the two for one"
            problems.error(
                "the header \(quoted(header.text)) is set twice; the first is at "
                    + problems.description(of: first.header.origin) + alike,
                at: header)
        } else if fields.count == Self.fieldsMax {
            problems.error("more than \(Self.fieldsMax) headers", at: header)
        } else {
            fields.append((claim, header))
        }
    }
}

extension Problems {
    fileprivate func canCarryClaim(_ word: Word) -> Bool {
        switch ForwardedHeaderName.objection(to: word.text) {
        case nil: return true
        case .malformed:
            error(
                "\(quoted(word.text)) is not the name of a header; expected letters, digits and hyphens, such as "
                    + "X-Auth-Roles",
                at: word)
        case .hasMeaning:
            error(
                "\(quoted(word.text)) cannot carry a claim: the request would lose what this header means in it", at: word)
        case .isOurs:
            error("\(quoted(word.text)) cannot carry a claim: the proxy sets or removes it for its own reasons", at: word)
        }
        return false
    }

    /// In quotes or not: `join=,` and `join=","` are the same.
    fileprivate func join(_ word: Word) -> UInt8? {
        var text = word.text.utf8[...]
        if text.count == 3, let quote = text.first, quote == text.last, "\"'".utf8.contains(quote) {
            text = text.dropFirst().dropLast()
        }
        if text.count == 1, let byte = text.first, ForwardedClaim.canJoin(byte) { return byte }
        error(
            "\(quoted(word.text)) cannot join a list; expected a space or one visible character other than a letter, a "
                + "digit, '%' and '-._~', such as join=\",\"; with a space or ';', the whole is in quotes: \"join= \"",
            at: word)
        return nil
    }
}
