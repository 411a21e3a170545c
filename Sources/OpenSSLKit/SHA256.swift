// SHA-256 as a value: thirty-two bytes to be copied, compared and hashed without an allocation.

internal import COpenSSL

/// A SHA-256 digest (FIPS 180-4).
public struct SHA256Digest: Sendable, Hashable {
    /// Big-endian.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The digest of `bytes`. Allocates nothing.
    public init(of bytes: Span<UInt8>) {
        var digest: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        unsafe withUnsafeMutableBytes(of: &digest) { digest in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe antechamber_sha256(
                    bytes.baseAddress, bytes.count, digest.assumingMemoryBound(to: UInt8.self).baseAddress)
            }
        }
        words = (digest.0.bigEndian, digest.1.bigEndian, digest.2.bigEndian, digest.3.bigEndian)
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
