// SHA-256 as a value: thirty-two bytes to be copied, compared and hashed without an allocation.

internal import COpenSSL

/// A SHA-256 digest (FIPS 180-4).
public struct SHA256Digest: Sendable, Hashable {
    /// Big-endian.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    init(_ context: borrowing DigestContext) {
        func word(_ index: Int) -> UInt64 {
            var word: UInt64 = 0
            for offset in 0..<8 { word = unsafe word &<< 8 | UInt64(context.result[index &* 8 &+ offset]) }
            return word
        }
        words = (word(0), word(1), word(2), word(3))
    }

    /// The first eight bytes as a number: as good as random.
    public var prefix: UInt64 { words.0 }

    public var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }

    public static func == (left: SHA256Digest, right: SHA256Digest) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// Hashes again and again with one prepared context. Confined to its owner.
public final class SHA256 {
    private let context: DigestContext

    public init() throws(OpenSSLError) {
        context = try DigestContext(.sha256)
    }

    /// The digest of `bytes`. Allocates nothing.
    public func digest(of bytes: Span<UInt8>) throws(OpenSSLError) -> SHA256Digest {
        try context.digest(bytes)
        return SHA256Digest(context)
    }
}
