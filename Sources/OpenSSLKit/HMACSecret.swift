// Secrets of HMAC (RFC 2104): whoever can verify with one can also sign.
//
// A secret is made of bytes that were given for one, and of nothing else: a public key has none to offer, so that it
// cannot be taken for a secret. The bytes cannot be had back, and no description or dump shows them.

internal import COpenSSL

/// A shared secret; immutable, so that all workers share it.
public final class HMACSecret: Sendable, CustomStringConvertible, CustomReflectable {
    private let key: [UInt8]

    /// - Parameter key: the secret's own bytes, at least one.
    public init(_ key: Span<UInt8>) {
        precondition(!key.isEmpty, "an empty secret is none")
        self.key = key.array
    }

    public var byteCount: Int { key.count }

    public var description: String { "a secret of \(key.count) bytes" }

    /// What `dump` and test failures print.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }

    /// The tag over `message`, as long as the hash.
    public func tag(over message: Span<UInt8>, _ hash: HashFunction) throws(OpenSSLError) -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: hash.byteCount)
        ERR_clear_error()
        let isMade = unsafe message.withUnsafeBufferPointer { message in
            unsafe HMAC(
                hash.method.raw, key, Int32(key.count), message.baseAddress, message.count, &tag, nil) != nil
        }
        guard isMade else { throw .taken(after: "HMAC") }
        return tag
    }

    /// Whether `tag` is the one over `message`. How long it takes does not depend on where a wrong tag differs. A
    /// failure inside OpenSSL counts as no.
    public func isValid(_ tag: Span<UInt8>, for message: Span<UInt8>, _ hash: HashFunction) -> Bool {
        // The length of a tag is no secret.
        guard tag.count == hash.byteCount, let expected = try? self.tag(over: message, hash) else { return false }
        return unsafe tag.withUnsafeBufferPointer { unsafe CRYPTO_memcmp($0.baseAddress, expected, $0.count) == 0 }
    }
}
