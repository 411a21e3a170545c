// The `typ` header (RFC 7515 §4.1.9, RFC 9068 §2.1).

/// Which types one issuer's tokens may have, compiled for comparison.
struct TokenTypeRule {
    private var accepted: [[UInt8]] = []
    private var acceptsAbsent = false
    /// As the operator spelled them; `-` stands for an absent `typ`.
    let spelled: [String]

    init(_ types: [TokenType]) {
        spelled = types.map { type in
            switch type {
            case .absent: "-"
            case .named(let name): name
            }
        }
        for type in types {
            switch type {
            case .absent: acceptsAbsent = true
            case .named(let name): accepted.append(Self.normalised(name))
            }
        }
    }

    func accepts(_ type: String?) -> Bool {
        guard let type else { return acceptsAbsent }
        // Most issuers spell it as most operators do.
        return spelled.contains { $0.hasSameBytes(as: type) } && type != "-" || accepted.contains(Self.normalised(type))
    }

    /// Media types are compared without case, and `typ` may leave out `application/` where no other slash is in it.
    static func normalised(_ type: String) -> [UInt8] {
        let lowercased = type.utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        let prefix = Array("application/".utf8)
        guard lowercased.starts(with: prefix) else { return lowercased }
        let name = lowercased.dropFirst(prefix.count)
        return name.contains(UInt8(ascii: "/")) ? lowercased : Array(name)
    }
}
