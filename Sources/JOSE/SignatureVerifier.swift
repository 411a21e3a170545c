// Where a token becomes believable. VerifiedClaims is the proof, and this file is the only place that can make one:
// its initialiser is private to the file, so that "the signature held" cannot be claimed elsewhere by mistake, only
// here by checking. It cannot be copied either, so one verification admits once.

internal import OpenSSLKit

/// Verifies tokens' signatures. One a worker, confined to it: the prepared OpenSSL contexts it keeps are not for
/// sharing.
public final class SignatureVerifier {
    /// Prepared contexts kept. A worker meets few: each key with each algorithm that its tokens use. What rotation
    /// leaves behind goes when the table is full, all at once; the rest is prepared anew at some 5 µs each.
    public static let preparedMax = 256

    private struct Purpose: Hashable {
        let thumbprint: KeyThumbprint
        let algorithm: SignatureAlgorithm
    }

    private var prepared: [Purpose: PreparedVerifier] = [:]
    /// The one that was used last, and nearly always is next.
    private var latest: (purpose: Purpose, verifier: PreparedVerifier)?

    public init() {}

    /// The token's claims if `key` signed it with `algorithm`; nil if not. Nil too where the algorithm is not the one
    /// the token names (RFC 8725 §3.1) or not one for this key: the caller has chosen both before, and a slip there
    /// must not be what an attacker needs.
    public func verify(
        _ token: borrowing UnverifiedToken, with key: Key, algorithm: SignatureAlgorithm
    ) -> VerifiedClaims? {
        guard token.algorithm == algorithm, key.fits(algorithm) else { return nil }
        let parts = token.parts
        let signature = parts.text.slice(token.signaturePlace)
        let signingInput = parts.text.slice(token.signingInputPlace)
        let isValid =
            switch (key.material, algorithm.method) {
            case (.publicKey(let publicKey), .signature(let scheme)):
                verifier(publicKey, scheme, for: Purpose(thumbprint: key.thumbprint, algorithm: algorithm))?
                    .isValid(signature, for: signingInput) ?? false
            case (.secret(let secret), .tag(let hash)):
                secret.isValid(signature, for: signingInput, hash)
            case (.publicKey, .tag), (.secret, .signature):
                false
            }
        return isValid ? VerifiedClaims(token, by: key, algorithm) : nil
    }

    private func verifier(_ key: PublicKey, _ scheme: SignatureScheme, for purpose: Purpose) -> PreparedVerifier? {
        if let latest, latest.purpose == purpose { return latest.verifier }
        let verifier = ready(key, scheme, for: purpose)
        latest = verifier.map { (purpose, $0) }
        return verifier
    }

    private func ready(_ key: PublicKey, _ scheme: SignatureScheme, for purpose: Purpose) -> PreparedVerifier? {
        if let ready = prepared[purpose] { return ready }
        // Fails only where OpenSSL lacks memory: then nothing is verified.
        guard let fresh = try? PreparedVerifier(key, scheme) else { return nil }
        if prepared.count == Self.preparedMax { prepared.removeAll(keepingCapacity: true) }
        prepared[purpose] = fresh
        return fresh
    }
}

/// Claims whose signature held. Whether they admit anyone (times, audience, requirements) is decided elsewhere.
public struct VerifiedClaims: ~Copyable {
    /// The claims: an object.
    public let claims: JSONValue
    public let algorithm: SignatureAlgorithm
    /// The key that signed.
    public let keyThumbprint: KeyThumbprint
    /// `typ` of the header, which the signature covers too.
    public let type: String?

    fileprivate init(_ token: borrowing UnverifiedToken, by key: Key, _ algorithm: SignatureAlgorithm) {
        claims = token.claims
        self.algorithm = algorithm
        keyThumbprint = key.thumbprint
        type = token.type
    }
}

extension SignatureAlgorithm {
    fileprivate enum Method {
        /// By a private key, and verified by its public one.
        case signature(SignatureScheme)
        /// HMAC, by a secret that both sides know.
        case tag(HashFunction)
    }

    /// How signatures of this algorithm are made.
    fileprivate var method: Method {
        switch self {
        case .rs256: .signature(.rsaPKCS1(.sha256))
        case .rs384: .signature(.rsaPKCS1(.sha384))
        case .rs512: .signature(.rsaPKCS1(.sha512))
        case .ps256: .signature(.rsaPSS(.sha256))
        case .ps384: .signature(.rsaPSS(.sha384))
        case .ps512: .signature(.rsaPSS(.sha512))
        case .es256: .signature(.ecdsa(.sha256))
        case .es384: .signature(.ecdsa(.sha384))
        case .es512: .signature(.ecdsa(.sha512))
        case .edDSA: .signature(.ed25519)
        case .hs256: .tag(.sha256)
        case .hs384: .tag(.sha384)
        case .hs512: .tag(.sha512)
        }
    }
}
