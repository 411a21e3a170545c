// Tokens of our own making: for a backend that verifies tokens itself, for the demo's issuer and for tests.

internal import Bytes
public import OpenSSLKit

/// Why a file's key cannot sign.
public typealias SigningKeyError = OpenSSLKit.SigningKeyError

/// Makes compact JWS tokens with a key of our own. Two are equal that sign with the same key under the same name.
public final class TokenSigner: Sendable, Equatable {
    public let keyID: String
    private let key: SigningKey
    private let members: PublicKeyMembers

    /// Signs with `key`; `keyID` becomes the `kid` of tokens and JWK.
    public convenience init(_ key: SigningKey, keyID: String) throws(OpenSSLError) {
        self.init(key, keyID: keyID, try key.publicMembers())
    }

    private init(_ key: SigningKey, keyID: String, _ members: PublicKeyMembers) {
        self.key = key
        self.keyID = keyID
        self.members = members
    }

    /// Signs with a fresh key.
    public convenience init(generating algorithm: SigningAlgorithm, keyID: String) throws(OpenSSLError) {
        try self.init(SigningKey(generating: algorithm), keyID: keyID)
    }

    /// Signs with the private key of a PEM file (see `SigningKey.init(pem:)`), under its RFC 7638 thumbprint. A key whose
    /// halves do not belong together is found here, and not by whoever gets its tokens.
    public convenience init(pem: Span<UInt8>) throws(SigningKeyError) {
        let key = try SigningKey(pem: pem)
        guard let members = try? key.publicMembers(), let publicKey = try? Key(members),
            let probe = try? TokenSigner(key, keyID: publicKey.thumbprint.description).sign(claims: "{}"),
            let token = try? UnverifiedToken(parsing: Array(probe.utf8).span), let algorithm = token.algorithm,
            SignatureVerifier().verify(token, with: publicKey, algorithm: algorithm) != nil
        else { throw .inconsistent }
        self.init(key, keyID: publicKey.thumbprint.description, members)
    }

    public static func == (left: TokenSigner, right: TokenSigner) -> Bool {
        left.keyID == right.keyID && left.members == right.members
    }

    /// The `alg` of its tokens.
    public var algorithm: SignatureAlgorithm { key.algorithm == .rs256 ? .rs256 : .es256 }

    /// A token of these claims, the text of a JSON object. `type` becomes `typ`; nil leaves it out.
    public func sign(claims: String, type: String? = "at+jwt") throws(OpenSSLError) -> String {
        let header = Self.json { writer in
            writer.beginObject()
            writer.name("alg")
            writer.string(algorithm.rawValue)
            if let type {
                writer.name("typ")
                writer.string(type)
            }
            writer.name("kid")
            writer.string(keyID)
            writer.endObject()
        }
        return try sign(header: header, claims: claims)
    }

    /// A token of exactly this header and these claims, whatever they say; the signature is always over them.
    public func sign(header: String, claims: String) throws(OpenSSLError) -> String {
        let input = Self.text(Array(header.utf8)) + "." + Self.text(Array(claims.utf8))
        return input + "." + Self.text(try key.sign(Array(input.utf8).span))
    }

    /// The public key as a JWK (RFC 7517 §4) for signatures of this algorithm.
    public var publicJWK: String { Self.json(writeJWK) }

    /// A JWK set of this key alone.
    public var keySet: String { Self.json { Self.writeKeySet(of: [self], to: &$0) } }

    /// Writes a JWK set of the public halves of these signers' keys.
    public static func writeKeySet(of signers: [TokenSigner], to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("keys")
            writer.array(signers) { writer, signer in signer.writeJWK(&writer) }
        }
    }

    private func writeJWK(_ writer: inout JSONWriter) {
        var parts = [("kid", keyID), ("use", "sig"), ("alg", algorithm.rawValue)]
        switch members {
        case .rsa(let n, let e):
            parts += [("kty", "RSA"), ("n", Self.text(n)), ("e", Self.text(e))]
        case .elliptic(_, let x, let y):
            parts += [("kty", "EC"), ("crv", "P-256"), ("x", Self.text(x)), ("y", Self.text(y))]
        case .ed25519(let x):
            parts += [("kty", "OKP"), ("crv", "Ed25519"), ("x", Self.text(x))]
        }
        writer.beginObject()
        for (name, value) in parts {
            writer.name(name)
            writer.string(value)
        }
        writer.endObject()
    }

    private static func text(_ bytes: [UInt8]) -> String { Base64URL.encode(bytes.span).span.text() }

    private static func json(_ write: (inout JSONWriter) -> Void) -> String {
        let buffer = ByteBuffer(capacity: 1024)
        var writer = JSONWriter(into: buffer)
        write(&writer)
        return buffer.readable.text()
    }
}
