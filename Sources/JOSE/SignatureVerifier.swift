/// Verifies signatures; one per worker, confined to it.
public final class SignatureVerifier {
    public init() {}
    /// nil: the signature does not hold.
    public func verify(_ token: borrowing UnverifiedToken, with key: Key, algorithm: SignatureAlgorithm) -> VerifiedClaims? { fatalError() }
}

/// Claims whose signature held. Only `SignatureVerifier` can make one.
public struct VerifiedClaims: ~Copyable {
    /// The claims object.
    public let claims: JSONValue
    public let algorithm: SignatureAlgorithm
    public let keyThumbprint: KeyThumbprint
    /// `typ` as written.
    public let type: String?
    fileprivate init(claims: JSONValue, algorithm: SignatureAlgorithm, keyThumbprint: KeyThumbprint, type: String?) {
        self.claims = claims; self.algorithm = algorithm; self.keyThumbprint = keyThumbprint; self.type = type
    }
}
