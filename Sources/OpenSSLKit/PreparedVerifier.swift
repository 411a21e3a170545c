// Verification with everything set up beforehand: one key, one scheme, one worker.
//
// OpenSSL 3.0 needs a third more time for an RS256 verification whose contexts are fresh than for one whose contexts
// wait ready, so a worker keeps one of these for each key and algorithm it meets.

internal import COpenSSL

/// How a signature is made: RFC 7518 §3.3–3.5 and RFC 8037 §3.1, without their names.
public enum SignatureScheme: Sendable, Hashable {
    /// RSASSA-PKCS1-v1_5.
    case rsaPKCS1(HashFunction)
    /// RSASSA-PSS: MGF1 over the same hash, and a salt of exactly its length.
    case rsaPSS(HashFunction)
    /// ECDSA, with r‖s as the signature.
    case ecdsa(HashFunction)
    case ed25519
}

/// Verifies signatures of one key in one scheme. Not for sharing: its contexts change with every call.
@safe
public final class PreparedVerifier {
    private let key: PublicKey
    private let method: Method

    /// - Throws: when the key is not of the scheme's kind, or OpenSSL lacks memory.
    public init(_ key: PublicKey, _ scheme: SignatureScheme) throws(OpenSSLError) {
        self.key = key
        switch (scheme, key.kind) {
        case (.rsaPKCS1(let hash), .rsa):
            method = .pkcs1(try PKCS1Verification(key, hash))
        case (.rsaPSS(let hash), .rsa):
            let context = try Self.context(key, hash)
            try succeed("EVP_PKEY_CTX_set_rsa_padding") {
                unsafe EVP_PKEY_CTX_set_rsa_padding(context.raw, RSA_PKCS1_PSS_PADDING)
            }
            // RFC 7518 §3.5: the salt is as long as the hash. OpenSSL's default would take any length.
            try succeed("EVP_PKEY_CTX_set_rsa_pss_saltlen") {
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(context.raw, RSA_PSS_SALTLEN_DIGEST)
            }
            try succeed("EVP_PKEY_CTX_set_rsa_mgf1_md_name") {
                unsafe EVP_PKEY_CTX_set_rsa_mgf1_md_name(context.raw, hash.method.name.pointer, nil)
            }
            method = .digest(DigestVerification(context: context, digest: try DigestContext(hash), curve: nil))
        case (.ecdsa(let hash), .elliptic(let curve)):
            let context = try Self.context(key, hash)
            method = .digest(DigestVerification(context: context, digest: try DigestContext(hash), curve: curve))
        case (.ed25519, .ed25519):
            method = .message(
                try unsafe handle("EVP_MD_CTX_new", freedBy: { unsafe EVP_MD_CTX_free($0) }) { unsafe EVP_MD_CTX_new() }
            )
        default:
            throw OpenSSLError(operation: "PreparedVerifier", reason: "the key is not of the scheme's kind")
        }
    }

    /// Whether `signature` is this key's over `message`. A failure inside OpenSSL counts as no.
    public func isValid(_ signature: Span<UInt8>, for message: Span<UInt8>) -> Bool {
        guard signature.count == key.signatureByteCount else { return false }
        do {
            switch method {
            case .pkcs1(let verification):
                try verification.verify(signature, message)
            case .digest(let verification):
                try verification.verify(signature, message)
            case .message(let context):
                // Initialised anew each time: later versions of OpenSSL take a context for one message only.
                try succeed("EVP_DigestVerifyInit_ex") {
                    unsafe EVP_DigestVerifyInit_ex(context.raw, nil, nil, nil, nil, key.raw, nil)
                }
                try unsafe signature.withUnsafeBufferPointer { (signature) throws(OpenSSLError) in
                    try unsafe message.withUnsafeBufferPointer { (message) throws(OpenSSLError) in
                        try succeed("EVP_DigestVerify") {
                            unsafe EVP_DigestVerify(
                                context.raw, signature.baseAddress, signature.count, message.baseAddress,
                                message.count)
                        }
                    }
                }
            }
            return true
        } catch {
            return false
        }
    }

    /// A context ready to verify digests of `hash`.
    private static func context(_ key: PublicKey, _ hash: HashFunction) throws(OpenSSLError) -> Handle {
        let context = try key.keyContext()
        try succeed("EVP_PKEY_verify_init") { unsafe EVP_PKEY_verify_init(context.raw) }
        try succeed("EVP_PKEY_CTX_set_signature_md") {
            unsafe EVP_PKEY_CTX_set_signature_md(context.raw, hash.method.raw)
        }
        return context
    }

    private enum Method: ~Copyable {
        /// The message is hashed first; the rest is arithmetic.
        case pkcs1(PKCS1Verification)
        /// The message is hashed first, and the digest verified.
        case digest(DigestVerification)
        /// The scheme wants the message itself.
        case message(Handle)
    }
}

private struct DigestVerification: ~Copyable {
    let context: Handle
    let digest: DigestContext
    /// Set for ECDSA, whose signature has to be turned into DER.
    let curve: EllipticCurve?

    func verify(_ signature: Span<UInt8>, _ message: Span<UInt8>) throws(OpenSSLError) {
        try digest.digest(message)
        guard let curve else { return try verifyDigest(signature) }
        guard let der = ECDSASignature.der(fromConcatenated: signature, on: curve) else {
            throw OpenSSLError(operation: "ECDSA", reason: "r or s is not within 1…n-1")
        }
        try verifyDigest(der.span)
    }

    private func verifyDigest(_ signature: Span<UInt8>) throws(OpenSSLError) {
        try unsafe signature.withUnsafeBufferPointer { (signature) throws(OpenSSLError) in
            try succeed("EVP_PKEY_verify") {
                unsafe EVP_PKEY_verify(
                    context.raw, signature.baseAddress, signature.count, digest.result.baseAddress,
                    digest.result.count)
            }
        }
    }
}
