public enum KeyType: Sendable, Hashable { case rsa(bits: Int), p256, p384, p521, ed25519 }

/// The RFC 7638 SHA-256 thumbprint: what a key is, whatever it is called.
public struct KeyThumbprint: Sendable, Hashable, CustomStringConvertible {
    var words: (UInt64, UInt64, UInt64, UInt64)
    public static func == (a: Self, b: Self) -> Bool { a.words == b.words }
    public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
    /// base64url, 43 characters.
    public var description: String { fatalError() }
}

/// A public key that may verify tokens.
public final class Key: Sendable {
    public let keyID: String?
    public let type: KeyType
    /// The key's own `alg`, which a token's must equal.
    public let algorithm: SignatureAlgorithm?
    public let thumbprint: KeyThumbprint
    init(keyID: String?, type: KeyType, algorithm: SignatureAlgorithm?, thumbprint: KeyThumbprint) {
        self.keyID = keyID; self.type = type; self.algorithm = algorithm; self.thumbprint = thumbprint
    }
}
