// What a token is remembered by, in the place of the token itself.

internal import OpenSSLKit

/// The SHA-256 of a token's bytes: two tokens have the same exactly if they are the same, byte for byte.
public struct TokenDigest: Sendable, Hashable {
    private let digest: SHA256Digest

    /// The digest of these very bytes. Allocates nothing.
    public init(of token: Span<UInt8>) {
        digest = SHA256Digest(of: token)
    }

    /// A number to find it by: as good as random.
    public var prefix: UInt64 { digest.prefix }
}
