// Where in a token's claims a value stands.

internal import JOSE

/// The names that lead to a claim, one for each level of nested objects: a name may hold dots, slashes, anything.
public struct ClaimPath: Sendable, Equatable {
    /// Compared with member names byte for byte. Without any, the path leads to all claims, as one object.
    public var names: [String]

    public init(_ names: [String]) {
        self.names = names
    }

    /// What stands there. A null is nothing, and so is whatever lies behind a value that is no object.
    func value(in claims: JSONValue) -> JSONValue? {
        var value = claims
        for name in names {
            guard let next = value[named: name] else { return nil }
            value = next
        }
        return value.kind == .null ? nil : value
    }

    /// The names as the configuration spells them, quoted.
    var quoted: String { names.map(Quoted.text).joined(separator: " ") }
}
