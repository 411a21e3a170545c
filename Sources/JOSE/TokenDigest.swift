// What a token is remembered by, in the place of the token itself.

internal import Bytes
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

/// Digests of tokens, of which many come again and again: what was hashed lately is compared, in a tenth of the time.
/// One a worker, confined to it.
///
/// It keeps the bytes of a few tokens for that, no more of them than the buffers of the requests under way do.
public final class TokenHasher {
    private struct Slot {
        /// The token; none is kept where there is no digest.
        var bytes: [UInt8] = []
        var digest: TokenDigest?
        /// It was of use since another token last wanted the slot.
        var isUsed = false
    }

    /// Tokens that are kept: 64, of at most 2 KiB each. Longer ones are hashed each time.
    private static let slotCount = 64
    static let slotBytes = 2048

    private var slots = [Slot](repeating: Slot(), count: TokenHasher.slotCount)
    /// Digests that were computed.
    private(set) var hashed: UInt64 = 0

    public init() {}

    /// The digest of these very bytes. Allocates nothing, but when a slot has its first token.
    public func digest(of token: Span<UInt8>) -> TokenDigest {
        guard token.count >= 8, token.count <= Self.slotBytes else { return hash(token) }
        // A signature's last bytes are as good as random. Whoever makes up tokens of one slot gains that others are hashed.
        let place = Int((token.word(at: token.count - 8) &* 0x9E37_79B9_7F4A_7C15) >> 58)
        let kept = slots[place].bytes
        if let digest = slots[place].digest, kept.span.equalsInConstantTime(token) {
            slots[place].isUsed = true
            return digest
        }
        return replace(place, by: token)
    }

    private func replace(_ place: Int, by token: Span<UInt8>) -> TokenDigest {
        let digest = hash(token)
        if slots[place].isUsed {
            slots[place].isUsed = false
            return digest
        }
        slots[place].bytes.removeAll(keepingCapacity: true)
        slots[place].bytes.reserveCapacity(Self.slotBytes)
        slots[place].bytes.append(copying: token)
        slots[place].digest = digest
        return digest
    }

    private func hash(_ token: Span<UInt8>) -> TokenDigest {
        hashed &+= 1
        return TokenDigest(of: token)
    }
}
