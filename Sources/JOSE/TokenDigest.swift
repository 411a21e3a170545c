// What a token is remembered by, in the place of the token itself.

internal import OpenSSLKit

/// The SHA-256 of a token's bytes: two tokens have the same exactly if they are the same, byte for byte.
public struct TokenDigest: Sendable, Hashable {
    private let digest: SHA256Digest

    init(_ digest: SHA256Digest) {
        self.digest = digest
    }

    /// A number to find it by: as good as random.
    public var prefix: UInt64 { digest.prefix }
}

/// Digests of tokens, without an allocation each. One a worker, confined to it.
public final class TokenHasher {
    private let hasher: SHA256?

    public init() {
        // Fails only where OpenSSL lacks memory: then nothing is remembered.
        hasher = try? SHA256()
    }

    /// The digest of these very bytes, or nil where OpenSSL fails: such a token is verified anew each time.
    public func digest(of token: Span<UInt8>) -> TokenDigest? {
        guard let digest = try? hasher?.digest(of: token) else { return nil }
        return TokenDigest(digest)
    }
}
