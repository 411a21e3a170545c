// What tells one certificate from all others, and binds a token to its holder (RFC 8705 §3.1).

internal import Bytes
internal import JOSE

/// The SHA-256 of a certificate's encoding.
public struct CertificateThumbprint: Sendable, Hashable {
    static let byteCount = 32

    let bytes: [UInt8]

    /// - Parameter bytes: 32 of them.
    public init(sha256 bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "no SHA-256")
        self.bytes = bytes
    }

    var hexadecimal: String {
        String(decoding: bytes.flatMap { [ASCII.hexDigit($0 >> 4), ASCII.hexDigit($0 & 15)] }, as: UTF8.self)
    }

    /// The one that the token is bound to; nil: whoever holds it may use it. Other ways to confirm a holder say nothing to
    /// a recipient that does not know them (RFC 7800 §3.1).
    ///
    /// Throws the refusal of a `cnf` that cannot be read: a token that is meant to be bound must not pass as one that is
    /// not.
    static func bound(to claims: JSONValue) throws(Refusal) -> CertificateThumbprint? {
        guard let confirmation = claims["cnf"] else { return nil }
        guard confirmation.kind == .object else {
            throw Refusal(.malformedClaim, "The claim cnf is no object.", hint: hint)
        }
        guard let value = confirmation["x5t#S256"] else { return nil }
        guard let text = value.string, let bytes = decoded(text), bytes.count == byteCount else {
            throw Refusal(.malformedClaim, "The claim cnf has an x5t#S256 that is no SHA-256 in base64url.", hint: hint)
        }
        return CertificateThumbprint(sha256: bytes)
    }

    private static func decoded(_ text: String) -> [UInt8]? {
        let text = Array(text.utf8)
        return try? Base64URL.decode(text.span)
    }

    private static let hint = "It says whose token this is (RFC 7800, RFC 8705): see what the issuer puts there."
}
