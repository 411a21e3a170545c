// The directives for compressing responses, by nginx's names.

import Admission
import Bytes

let gzipDirectives: [Directive] = [
    Directive(
        name: "gzip", syntax: "on | off", contexts: [.main], standard: "off",
        summary: "Whether responses are compressed for clients that take gzip, over HTTP/1.1. A response goes as it is "
            + "where it already has a `Content-Encoding`, is a part (206), or says `no-transform`, and where 1024 others "
            + "are being compressed by the same worker. What has arrived is passed on whenever the backend pauses, so "
            + "that no stream is held back.\n\n"
            + "Leave it off where a response holds a secret beside text that a stranger can choose: its length then "
            + "gives the secret away piece by piece, encrypted or not (the BREACH attack).\n\n"
            + "A compressed response has `Vary: Accept-Encoding`, a weak `ETag` where the backend's was strong, and no "
            + "digest, `Accept-Ranges` or `Content-Length`. `If-Match` never holds for a weak tag: a backend whose "
            + "clients send it says `Cache-Control: no-transform`.",
        effect: .main { statement, draft, problems in
            let value: Switch? = problems.choice(statement.arguments[0])
            if let value { draft.gzip.isOn = value == .on }
        }),
    Directive(
        name: "gzip_types", syntax: "TYPE …", contexts: [.main], argumentsMax: 64,
        standard: GzipPolicy.standardTypes.joined(separator: " "),
        summary: "The media types that are compressed, compared with `Content-Type` without its parameters and in any "
            + "case; `*` is every type. Replaces the default, but `text/html` is always among them, as in nginx. A "
            + "response without a type is not compressed. `text/event-stream` can be added: each event still goes out "
            + "at once, but an open stream then holds 128 KiB for as long as it lasts.",
        effect: .main(applyGzipTypes)),
    Directive(
        name: "gzip_min_length", syntax: "SIZE", contexts: [.main], standard: "1k",
        summary: "The least length of a body that is compressed, where it is known; one of unknown length always is. A "
            + "shorter one fits into a packet as it is (nginx's own default is 20).",
        effect: .main { statement, draft, problems in
            if let value = problems.bytes(statement.arguments[0], from: "1", to: "1g", zero: true) {
                draft.gzip.lengthMin = UInt64(value)
            }
        }),
    Directive(
        name: "gzip_comp_level", syntax: "N", contexts: [.main], standard: "1",
        summary: "From 1, the fastest, to 9, the smallest result. JSON shrinks to about 22 % at level 1 and to 19 % at "
            + "level 6, which takes twice the time.",
        effect: .main { statement, draft, problems in
            if let value = problems.count(statement.arguments[0], 1...9) { draft.gzip.level = Int(value) }
        }),
]

private func applyGzipTypes(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    var names: [[UInt8]] = [Array("text/html".utf8)]
    var isAll = false
    for word in statement.arguments {
        if word.text == "*" {
            isAll = true
        } else if isMediaType(word.text) {
            let name = word.text.utf8.map(ASCII.lowercased)
            if !names.contains(name) { names.append(name) }
        } else {
            let reason = word.text.contains("*") ? "; list each type, or all by * alone" : ""
            problems.error(
                "\(quoted(word.text)) is not a media type; expected type/subtype, such as application/json\(reason)",
                at: word)
        }
    }
    draft.gzip.types = isAll ? .all : .listed(names)
}

/// `type/subtype` of RFC 9110 §8.3.1, without parameters. A `*` is a letter of a token, but of no type's name.
private func isMediaType(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return parts.count == 2
        && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { ASCII.isToken($0) && $0 != UInt8(ascii: "*") } }
}
