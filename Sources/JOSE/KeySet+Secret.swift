// A secret shared with an issuer, for HS256 and its like, as a file holds it.

internal import Bytes
internal import OpenSSLKit

extension KeySet {
    /// The longest secret that is taken, in bytes.
    public static let secretBytesMax = 4096
    /// The longest file, which may end in CR and LF.
    public static let secretFileBytesMax = secretBytesMax + 2

    /// The set that is one shared secret: the bytes of the file as they stand, less one line end (LF or CRLF) at its end.
    /// Nothing is decoded, as the libraries that sign take text for what it is too.
    ///
    /// - Parameter algorithms: those that it will be used for; the secret is long enough for each (RFC 7518 §3.2).
    public convenience init(
        secretFile bytes: Span<UInt8>, for algorithms: Set<SignatureAlgorithm>
    ) throws(SharedSecretError) {
        var end = bytes.count
        if end > 0, bytes[end - 1] == ASCII.lf { end -= 1 }
        if end < bytes.count, end > 0, bytes[end - 1] == ASCII.cr { end -= 1 }
        let secret = bytes.extracting(0..<end)
        if secret.isEmpty { throw .empty }
        if end > Self.secretBytesMax { throw .tooLong }
        if Self.isPublished(secret) { throw .published }
        for algorithm in SignatureAlgorithm.allCases where algorithms.contains(algorithm) {
            guard let needed = algorithm.secretBytesMin else { continue }
            if end < needed { throw .tooShort(bytes: end, algorithm) }
        }
        let key: Key
        do { key = try Key(HMACSecret(secret)) } catch { throw .refusedByOpenSSL }
        self.init([key])
    }

    /// PEM or JSON: a key file in the place of a secret, most likely a public one that everybody has.
    private static func isPublished(_ bytes: Span<UInt8>) -> Bool {
        if bytes.extracting(first: 11).equals("-----BEGIN ") { return true }
        return bytes[0] == UInt8(ascii: "{") && (try? JSONDocument(parsing: bytes)) != nil
    }
}

/// Why a file is of no use as a shared secret.
public enum SharedSecretError: Error, Sendable, Equatable {
    case empty
    case tooLong
    /// Shorter than the algorithm's hash (RFC 7518 §3.2).
    case tooShort(bytes: Int, SignatureAlgorithm)
    /// A key in PEM or JSON.
    case published
    case refusedByOpenSSL

    /// For a log, and the same for the same reason; nothing of the secret but its length.
    public var reason: String {
        switch self {
        case .empty: "the file is empty"
        case .tooLong: "the secret has more than \(KeySet.secretBytesMax) bytes"
        case .tooShort(let bytes, let algorithm):
            "the secret has \(bytes) bytes, and \(algorithm.rawValue) needs \(algorithm.secretBytesMin ?? 0) or more "
                + "(RFC 7518 §3.2)"
        case .published: "the file holds a key in PEM or JSON, not a secret"
        case .refusedByOpenSSL: "refused by OpenSSL"
        }
    }
}
