// What a verified token must hold beyond being good. A refusal here is 403, not 401: the token is what it should be,
// and another one of its kind would do no better (RFC 6750 §3.1).

internal import JOSE

/// What is required of the claims of a token; all of it must hold.
public struct Requirements: Sendable, Equatable {
    /// The token's scope holds each of these (RFC 6749 §3.3), as they are spelled.
    public var scopes: [String]
    public var claims: [ClaimRequirement]

    public init(scopes: [String] = [], claims: [ClaimRequirement] = []) {
        self.scopes = scopes
        self.claims = claims
    }

    public var isEmpty: Bool { scopes.isEmpty && claims.isEmpty }

    /// Both: all of it must hold.
    public func and(_ more: Requirements) -> Requirements {
        Requirements(
            scopes: scopes + more.scopes.filter { name in !scopes.contains { $0.hasSameBytes(as: name) } },
            claims: claims + more.claims)
    }

    /// Throws the refusal of claims that do not hold all of it: for want of scope first, as a client can ask for more.
    func check(_ claims: JSONValue) throws(Refusal) {
        if !scopes.isEmpty { try checkScopes(of: claims) }
        for requirement in self.claims { try requirement.check(claims) }
    }

    private func checkScopes(of claims: JSONValue) throws(Refusal) {
        let granted = try Scope(claims).names
        let lacking = scopes.filter { name in !granted.contains { $0.hasSameBytes(as: name) } }
        guard !lacking.isEmpty else { return }
        throw Refusal(
            .insufficientScope, "The token's scope lacks \(Quoted.list(lacking)).",
            hint: "Have the client ask its issuer for this scope, and see that the user may have it.",
            expected: Quoted.cut(scopes), got: Quoted.cut(granted), requiredScopes: scopes)
    }
}

/// One claim that a token must have, and what it must hold.
///
/// Values are compared as text, byte for byte: a string by its characters, a number by the digits that the token
/// spells it with, a boolean as `true` or `false`. No conversion, no folding of case, no splitting of text.
public struct ClaimRequirement: Sendable, Equatable {
    public enum Test: Sendable, Equatable {
        /// The claim is there, and not null.
        case present
        /// It is one of these.
        case equals([String])
        /// It is an array with one of these among its elements. A value alone is an array of one, as with `aud`.
        case contains([String])
    }

    public var path: ClaimPath
    public var test: Test

    public init(_ path: ClaimPath, _ test: Test) {
        self.path = path
        self.test = test
    }

    func check(_ claims: JSONValue) throws(Refusal) {
        guard let value = path.value(in: claims) else {
            throw Refusal(
                .claimRequirement, "The token lacks the claim \(path.quoted), which is needed here.",
                hint: "An issuer adds a claim of an application's own only where it is told to: see that whatever adds it "
                    + "also runs for this client, this way of logging in, and access tokens.")
        }
        switch test {
        case .present: return
        case .equals(let wanted):
            if let text = value.scalarText, wanted.contains(where: text.hasSameBytes) { return }
            throw refusal("is", wanted, got: value)
        case .contains(let wanted):
            let holds = { (element: JSONValue) in
                element.scalarText.map { wanted.contains(where: $0.hasSameBytes) } ?? false
            }
            if value.kind == .array ? value.elements.contains(where: holds) : holds(value) { return }
            throw refusal("holds", wanted, got: value)
        }
    }

    private func refusal(_ verb: String, _ wanted: [String], got value: JSONValue) -> Refusal {
        let needed = (wanted.count == 1 ? "" : "one of ") + Quoted.list(wanted)
        let elements = value.kind == .array ? Array(value.elements) : [value]
        return Refusal(
            .claimRequirement, "Only a token whose claim \(path.quoted) \(verb) \(needed) is let in here.",
            hint: "The issuer decides what its tokens hold: see what this user and this client may do there.",
            expected: Quoted.cut(wanted), got: Quoted.cut(elements.compactMap(\.scalarText)))
    }
}

/// The scope of a token (RFC 9068 §2.2.3): `scope`, one string of names with spaces between, or an array of names; or
/// `scp` likewise, as some issuers call it. Where there are both, `scope` counts.
struct Scope {
    /// The claim that holds it; nil: there is none.
    let claim: JSONValue?

    /// Throws the refusal of a claim that is neither a string nor an array of strings.
    init(_ claims: JSONValue) throws(Refusal) {
        let scope = claims["scope"]
        if let scope { try ClaimText.checkStrings("scope", scope) }
        let short = claims["scp"]
        if let short { try ClaimText.checkStrings("scp", short) }
        claim = scope ?? short
    }

    /// A name in an array is one name, whatever it holds.
    var names: [String] {
        guard let value = claim else { return [] }
        if let text = value.string { return text.utf8.split(separator: 0x20).map { String($0)! } }
        return value.elements.compactMap(\.string)
    }
}
