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
        /// 0: the slot is free.
        var count = 0
        var digest: TokenDigest?
        /// It was of use since another token last wanted the slot.
        var isUsed = false
    }

    /// Tokens that are kept: 64, of at most 2 KiB each. Longer ones are hashed each time.
    static let slotCount = 64
    static let slotBytes = 2048

    private var slots = [Slot](repeating: Slot(), count: TokenHasher.slotCount)
    private var kept = KeptBytes()
    /// Digests that were computed.
    private(set) var hashed: UInt64 = 0

    public init() {}

    /// The digest of these very bytes. Allocates nothing.
    public func digest(of token: Span<UInt8>) -> TokenDigest {
        guard token.count >= 8, token.count <= Self.slotBytes else { return hash(token) }
        // A signature's last bytes are as good as random. Whoever makes up tokens of one slot gains that others are hashed.
        let place = Int((token.word(at: token.count - 8) &* 0x9E37_79B9_7F4A_7C15) >> 58)
        if slots[place].count == token.count, kept.holds(token, at: place), let digest = slots[place].digest {
            slots[place].isUsed = true
            return digest
        }
        let digest = hash(token)
        if slots[place].isUsed {
            slots[place].isUsed = false
        } else {
            kept.keep(token, at: place)
            slots[place] = Slot(count: token.count, digest: digest)
        }
        return digest
    }

    private func hash(_ token: Span<UInt8>) -> TokenDigest {
        hashed &+= 1
        return TokenDigest(of: token)
    }
}

/// The bytes of the slots, each eight bytes or more.
private struct KeptBytes {
    private var bytes = [UInt8](repeating: 0, count: TokenHasher.slotCount * TokenHasher.slotBytes)

    /// Whether these are the slot's bytes. All of them are looked at, whatever differs: how long it takes says nothing of
    /// a token that is somebody else's.
    func holds(_ token: Span<UInt8>, at place: Int) -> Bool {
        let start = place &* TokenHasher.slotBytes
        let kept = bytes.span.extracting(start..<(start &+ token.count))
        let last = token.count &- 8
        var difference = token.word(at: last) ^ kept.word(at: last)
        var position = 0
        while position < last {
            difference |= token.word(at: position) ^ kept.word(at: position)
            position &+= 8
        }
        return difference == 0
    }

    mutating func keep(_ token: Span<UInt8>, at place: Int) {
        let start = place &* TokenHasher.slotBytes
        let last = token.count &- 8
        var kept = bytes.mutableSpan
        var position = 0
        while position < last {
            kept.store(token.word(at: position).byteSwapped, at: start &+ position)
            position &+= 8
        }
        kept.store(token.word(at: last).byteSwapped, at: start &+ last)
    }
}
