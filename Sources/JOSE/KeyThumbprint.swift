// A key's name that does not depend on who publishes it: RFC 7638.

internal import Bytes
internal import OpenSSLKit

/// The SHA-256 thumbprint of RFC 7638: what a key is, whatever it is called. Two keys are the same exactly if their
/// thumbprints are.
public struct KeyThumbprint: Sendable, Hashable, CustomStringConvertible {
    private let digest: SHA256Digest

    /// Hashes the canonical JWK: only the required members, names in lexicographic order, no white space (RFC 7638
    /// §3.2). `members` has them in that order, values as they stand between the quotes.
    init(of members: [(name: String, value: String)]) throws(OpenSSLError) {
        let json = "{" + members.map { "\"\($0.name)\":\"\($0.value)\"" }.joined(separator: ",") + "}"
        digest = try SHA256().digest(of: Array(json.utf8).span)
    }

    /// The 43 base64url characters that the RFC's examples show.
    public var description: String { Base64URL.encode(digest.bytes.span).span.text() }
}
