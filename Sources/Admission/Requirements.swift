// What a verified token must hold beyond being good. A refusal here is 403, not 401: the token is what it should be,
// and another one of its kind would do no better (RFC 6750 §3.1).

internal import JOSE

/// What is required of the claims of a token; all of it must hold.
public struct Requirements: Sendable, Equatable {
    /// The token's scope holds each of these (RFC 6749 §3.3), as they are spelled.
    public var scopes: [String]

    public init(scopes: [String] = []) {
        self.scopes = scopes
    }

    /// Throws the refusal of claims that do not hold all of it.
    func check(_ claims: JSONValue) throws(Refusal) {
        if !scopes.isEmpty { try checkScopes(of: claims) }
    }

    private func checkScopes(of claims: JSONValue) throws(Refusal) {
        let scope = try ClaimText.list("scope", in: claims)
        let shortScope = try ClaimText.list("scp", in: claims)
        let granted = (scope ?? shortScope ?? "").utf8.split(separator: UInt8(ascii: " ")).map { String($0)! }
        let lacking = scopes.filter { name in !granted.contains { $0.hasSameBytes(as: name) } }
        guard !lacking.isEmpty else { return }
        throw Refusal(
            .insufficientScope, "The token's scope lacks \(Quoted.list(lacking)).",
            hint: "Have the client ask its issuer for this scope, and see that the user may have it.",
            expected: Quoted.cut(scopes), got: Quoted.cut(granted))
    }
}
