// Private keys of our own: the embedded demo issuer's and the tests'. Tokens of others are never signed with them.

internal import COpenSSL

/// A signature algorithm that we sign with.
public enum SigningAlgorithm: Sendable, Hashable {
    /// RSASSA-PKCS1-v1_5 with SHA-256; a fresh key has 2048 bits.
    case rs256
    /// ECDSA on P-256 with SHA-256.
    case es256
}

/// A private key that signs with one algorithm; immutable, so that any thread may use it.
@safe
public final class SigningKey: Sendable {
    public let algorithm: SigningAlgorithm
    nonisolated(unsafe) private let raw: OpaquePointer  // Immutable, and OpenSSL allows sharing it.

    private init(_ algorithm: SigningAlgorithm, owning raw: OpaquePointer) {
        self.algorithm = algorithm
        unsafe self.raw = unsafe raw
    }

    deinit { unsafe EVP_PKEY_free(raw) }

    /// A fresh key.
    public convenience init(generating algorithm: SigningAlgorithm) throws(OpenSSLError) {
        let type = algorithm == .rs256 ? "RSA" : "EC"
        let context = try unsafe handle("EVP_PKEY_CTX_new_from_name", freedBy: { unsafe EVP_PKEY_CTX_free($0) }) {
            unsafe EVP_PKEY_CTX_new_from_name(nil, type, nil)
        }
        try succeed("EVP_PKEY_keygen_init") { unsafe EVP_PKEY_keygen_init(context.raw) }
        switch algorithm {
        case .rs256:
            try succeed("EVP_PKEY_CTX_set_rsa_keygen_bits") {
                unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context.raw, 2048)
            }
        case .es256:
            try succeed("EVP_PKEY_CTX_set_group_name") {
                unsafe EVP_PKEY_CTX_set_group_name(context.raw, EllipticCurve.p256.groupName.pointer)
            }
        }
        var key: OpaquePointer?
        try succeed("EVP_PKEY_generate") { unsafe EVP_PKEY_generate(context.raw, &key) }
        unsafe self.init(algorithm, owning: key!)
    }

    /// The key of a PEM file (PKCS #8, PKCS #1 or SEC 1; not encrypted): RSA of 2048…8192 bits, or P-256.
    public convenience init(pem: Span<UInt8>) throws(OpenSSLError) {
        guard pem.count <= 65_536 else {
            throw OpenSSLError(operation: "PEM_read_bio_PrivateKey", reason: "the file is too large for a key")
        }
        let text = pem.array
        let source = try unsafe handle("BIO_new_mem_buf", freedBy: { unsafe BIO_free($0) }) {
            unsafe BIO_new(BIO_s_mem())
        }
        ERR_clear_error()
        guard unsafe BIO_write(source.raw, text, Int32(text.count)) == text.count else {
            throw .taken(after: "BIO_write")
        }
        // With a callback that knows no password, as OpenSSL's own would ask on the terminal.
        guard let raw = unsafe PEM_read_bio_PrivateKey(source.raw, nil, { _, _, _, _ in -1 }, nil) else {
            throw .taken(after: "PEM_read_bio_PrivateKey")
        }
        let bits = unsafe Int(EVP_PKEY_get_bits(raw))
        if unsafe EVP_PKEY_is_a(raw, "RSA") == 1, bits >= PublicKey.rsaBitsMin, bits <= PublicKey.rsaBitsMax {
            unsafe self.init(.rs256, owning: raw)
        } else if unsafe EVP_PKEY_is_a(raw, "EC") == 1, unsafe PublicKeyMembers.groupName(of: raw) == "prime256v1" {
            unsafe self.init(.es256, owning: raw)
        } else {
            unsafe EVP_PKEY_free(raw)
            throw OpenSSLError(operation: "SigningKey", reason: "neither RSA of 2048…8192 bits nor P-256")
        }
    }

    /// The signature over `message`, as JWS has it: for ES256 r‖s.
    public func sign(_ message: Span<UInt8>) throws(OpenSSLError) -> [UInt8] {
        let context = try unsafe handle("EVP_MD_CTX_new", freedBy: { unsafe EVP_MD_CTX_free($0) }) {
            unsafe EVP_MD_CTX_new()
        }
        try succeed("EVP_DigestSignInit_ex") {
            unsafe EVP_DigestSignInit_ex(context.raw, nil, HashFunction.sha256.method.name.pointer, nil, nil, raw, nil)
        }
        var signature = [UInt8](repeating: 0, count: unsafe Int(EVP_PKEY_get_size(raw)))
        var count = signature.count
        let text = message.array
        try succeed("EVP_DigestSign") {
            unsafe EVP_DigestSign(context.raw, &signature, &count, text, text.count)
        }
        signature.removeLast(signature.count - count)
        guard algorithm == .es256 else { return signature }
        guard let concatenated = ECDSASignature.concatenated(fromDER: signature.span, on: .p256) else {
            throw OpenSSLError(operation: "EVP_DigestSign", reason: "the signature is not DER")
        }
        return concatenated
    }

    /// The public key's members.
    public func publicMembers() throws(OpenSSLError) -> PublicKeyMembers {
        guard let members = unsafe try PublicKeyMembers(of: raw) else {
            preconditionFailure("the initialisers take keys that have members")
        }
        return members
    }
}
