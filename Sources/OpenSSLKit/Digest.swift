/// A SHA-256 digest (FIPS 180-4): 32 bytes.
public struct SHA256Digest: Sendable, Hashable {
    /// The 32 bytes, in order.
    public let bytes: [UInt8]
}
