/// A JWS signature algorithm that may verify a token (RFC 7518 §3.1, RFC 8037 §3.1).
///
/// `none` is not a case, so no configuration and no token can name it.
public enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case edDSA = "EdDSA"
    case hs256 = "HS256"
    case hs384 = "HS384"
    case hs512 = "HS512"

    /// The place among all cases: for tables with an entry for each.
    public var place: Int {
        switch self {
        case .rs256: 0
        case .rs384: 1
        case .rs512: 2
        case .ps256: 3
        case .ps384: 4
        case .ps512: 5
        case .es256: 6
        case .es384: 7
        case .es512: 8
        case .edDSA: 9
        case .hs256: 10
        case .hs384: 11
        case .hs512: 12
        }
    }

    /// The algorithm of exactly that name.
    init?(name: JSONValue) {
        guard let algorithm = Self.allCases.first(where: { name.isString($0.rawValue) }) else { return nil }
        self = algorithm
    }

    /// Those that a public key verifies.
    public static let asymmetric = allCases.filter { !$0.isSymmetric }

    /// Whether a shared secret verifies it, with which anybody who verifies can also sign.
    public var isSymmetric: Bool { secretBytesMin != nil }

    /// The shortest secret for it in bytes, which is the length of its hash (RFC 7518 §3.2); nil: it takes none.
    public var secretBytesMin: Int? {
        switch self {
        case .hs256: 32
        case .hs384: 48
        case .hs512: 64
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .es256, .es384, .es512, .edDSA: nil
        }
    }
}
