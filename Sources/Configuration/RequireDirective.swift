// What is required of tokens: `require scope …` and `require claim …`, in an issuer's block and wherever else they stand.

import Admission

extension Problems {
    static let requireSyntax = "scope S … | claim PATH … [equals | contains V …]"
    static let requireSummary = """
        What a token must hold beyond being good, or else it is refused with 403. All that is required must hold, in an \
        issuer's block for all tokens of that issuer.

        `require scope S …` wants each of these in the token's `scope`, a string of names with spaces between, or in its \
        `scp`, the same or an array; a refusal (`insufficient_scope`) names them in `WWW-Authenticate`.

        `require claim PATH …` wants the claim to be there and not null; `PATH` is one argument for each level of nested \
        objects. With `equals V …` it must be one of these values; with `contains V …` an array that has one of them, where \
        a value alone counts as an array of one. Values are compared as text, byte for byte: strings by their characters, \
        numbers by the digits that the token spells them with, booleans as `true` and `false`; text is never split. A claim \
        called `equals` or `contains` is written in quotes. The refusal is `claim_requirement`.
        """
    /// Of scopes, and of claims, in one place.
    static let requirementsMax = 64
    private static let valueBytesMax = 1024

    /// Adds what a `require` says, wherever it stands.
    func require(_ statement: Statement, into requirements: inout Requirements) {
        let kind = statement.arguments[0]
        let words = statement.arguments.dropFirst()
        switch kind.text {
        case "scope": requireScopes(words, into: &requirements)
        case "claim":
            guard let claim = claimRequirement(words, after: kind) else { return }
            if requirements.claims.count == Self.requirementsMax {
                error("more than \(Self.requirementsMax) required claims", at: kind)
            } else {
                requirements.claims.append(claim)
            }
        default:
            error(
                "\(quoted(kind.text)) cannot be required; expected 'scope S …' or 'claim PATH …'"
                    + didYouMean(kind.text, ["scope", "claim"]),
                at: kind)
        }
    }

    private func requireScopes(_ words: ArraySlice<Word>, into requirements: inout Requirements) {
        for word in words {
            if !isScope(word.text) {
                error(
                    "\(quoted(word.text)) is not a scope; expected 1 to 128 characters of visible ASCII without quotes and "
                        + "backslashes (RFC 6749 §3.3), each scope an argument of its own",
                    at: word)
            } else if requirements.scopes.contains(word.text) {
                warning("the scope \(quoted(word.text)) is listed twice", at: word.origin)
            } else if requirements.scopes.count == Self.requirementsMax {
                error("more than \(Self.requirementsMax) required scopes", at: word)
            } else {
                requirements.scopes.append(word.text)
            }
        }
    }

    private func isScope(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 128
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }

    private func claimRequirement(_ words: ArraySlice<Word>, after kind: Word) -> ClaimRequirement? {
        let test = words.firstIndex { !$0.isQuoted && ["equals", "contains"].contains($0.text) } ?? words.endIndex
        let path = words[..<test]
        let values = words[test...].dropFirst().map(\.text)
        guard !path.isEmpty else {
            error("'require claim' needs a claim: require \(Self.requireSyntax);", at: kind)
            return nil
        }
        guard let word = words[test...].first else { return ClaimRequirement(ClaimPath(path.map(\.text)), .present) }
        guard !values.isEmpty else {
            error(
                "\(quoted(word.text)) needs a value behind it; a claim of that name is written in quotes", at: word)
            return nil
        }
        if let long = words[test...].first(where: { $0.text.utf8.count > Self.valueBytesMax }) {
            error("a value has at most \(Self.valueBytesMax) bytes", at: long)
            return nil
        }
        return ClaimRequirement(
            ClaimPath(path.map(\.text)), word.text == "equals" ? .equals(values) : .contains(values))
    }
}
