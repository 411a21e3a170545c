public import OpenSSLKit

/// Signs compact JWS tokens with a key of ours (embedded demo issuer, tests).
public final class TokenSigner: Sendable {
    /// A fresh key: RS256 (RSA-2048) or ES256 (P-256).
    public init(generating algorithm: SigningAlgorithm, keyID: String) throws(OpenSSLError) { fatalError() }
    /// `claims` is a JSON object text. Returns the token's ASCII bytes.
    public func sign(claims: String, type: String? = "at+jwt") throws(OpenSSLError) -> String { fatalError() }
    /// Signs exactly this header and payload.
    public func sign(header: String, claims: String) throws(OpenSSLError) -> String { fatalError() }
    /// The public key as a JWK, with kid, alg and use.
    public var publicJWK: String { fatalError() }
    /// A JWK set of this key alone.
    public var keySet: String { fatalError() }
}
