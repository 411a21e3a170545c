// A key's name that does not depend on who publishes it: RFC 7638, and what stands in for it where that would tell of a
// secret.

internal import Bytes
internal import OpenSSLKit

/// What a key is, whatever it is called: two keys are the same exactly if their thumbprints are. A public key's is the
/// SHA-256 thumbprint of RFC 7638.
public struct KeyThumbprint: Sendable, Hashable, CustomStringConvertible {
    private let digest: SHA256Digest

    /// RFC 7638 for a public key. Hashes the canonical JWK: only the required members, names in lexicographic order, no white space (RFC 7638
    /// §3.2). `members` has them in that order, values as they stand between the quotes.
    init(of members: [(name: String, value: String)]) {
        let json = "{" + members.map { "\"\($0.name)\":\"\($0.value)\"" }.joined(separator: ",") + "}"
        digest = SHA256Digest(of: Array(json.utf8).span)
    }

    /// What tells one secret from another within this process. Not RFC 7638's, which is a hash of the secret alone and
    /// lets whoever sees it try out guesses (§7).
    init(of secret: HMACSecret) throws(OpenSSLError) {
        let tag = try secret.tag(over: Self.nonce.span, .sha256)
        digest = SHA256Digest(of: tag.span)
    }

    /// Never leaves the process.
    private static let nonce = (0..<32).map { _ in UInt8.random(in: .min ... .max) }

    /// The 43 base64url characters that the RFC's examples show.
    public var description: String { Base64URL.encode(digest.bytes.span).span.text() }
}
