public import Bytes

/// A compact JWS (RFC 7515 §3.1), structurally checked; nothing in it is believed yet. Owns its bytes.
public struct UnverifiedToken: Sendable {
    public static let bytesMax = 16_384
    public init(parsing bytes: Span<UInt8>) throws(TokenSyntaxError) { fatalError() }
    /// `alg` as written.
    public var algorithmName: String { fatalError() }
    /// The algorithm, where `alg` names one that we know.
    public var algorithm: SignatureAlgorithm? { fatalError() }
    public var keyID: String? { fatalError() }
    /// `typ` as written.
    public var type: String? { fatalError() }
    /// `iss` if it is a string. May be used only to choose the policy.
    public var unverifiedIssuer: String? { fatalError() }
}

public enum TokenPart: Sendable, Equatable { case header, payload, signature }

public enum TokenSyntaxError: Error, Sendable, Equatable {
    case tooLarge
    /// No dots: an opaque token.
    case opaque
    /// The JSON serialisation of a JWS or JWE.
    case jsonSerialization
    /// Five parts: a JWE.
    case encrypted
    case wrongPartCount(Int)
    case badBase64(TokenPart, Base64URLError)
    case badJSON(TokenPart, JSONError)
    case notAnObject(TokenPart)
    case missingAlgorithm
    /// `alg` is no string.
    case badAlgorithm
    case badKeyID
    /// `typ` is no string.
    case badType
    case criticalExtension
    /// `b64` other than true.
    case unencodedPayload
}
