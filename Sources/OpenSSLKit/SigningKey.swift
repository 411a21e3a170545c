// Private keys of our own: those that tokens for the backend are signed with, the demo issuer's and the tests'.

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

    /// The longest PEM file that is looked at, in bytes.
    public static let pemBytesMax = 64 * 1024

    /// The first private key of a PEM file (PKCS #8, PKCS #1 or SEC 1; not encrypted): RSA of 2048…8192 bits, or P-256.
    public convenience init(pem: Span<UInt8>) throws(SigningKeyError) {
        guard let raw = unsafe try Self.privateKey(in: pem) else { throw .noPrivateKey }
        let bits = unsafe Int(EVP_PKEY_get_bits(raw))
        let algorithm: SigningAlgorithm? =
            if unsafe EVP_PKEY_is_a(raw, "RSA") == 1 {
                .rs256
            } else if unsafe EVP_PKEY_is_a(raw, "EC") == 1, unsafe PublicKeyMembers.groupName(of: raw) == "prime256v1" {
                .es256
            } else {
                nil
            }
        // From here on it is freed with the object, whatever is thrown.
        unsafe self.init(algorithm ?? .es256, owning: raw)
        if algorithm == nil { throw .unsupported }
        if algorithm == .rs256, bits < PublicKey.rsaBitsMin { throw .rsaTooSmall(bits: bits) }
        if algorithm == .rs256, bits > PublicKey.rsaBitsMax { throw .rsaTooLarge(bits: bits) }
    }

    /// Nil: there is none that OpenSSL can read.
    @unsafe
    private static func privateKey(in pem: Span<UInt8>) throws(SigningKeyError) -> OpaquePointer? {
        guard pem.count <= pemBytesMax, let source = try? pemSource(pem) else { return nil }
        ERR_clear_error()
        defer { ERR_clear_error() }
        // OpenSSL's own callback would ask for the password on the terminal; this one knows none, and tells.
        var asksForPassword = false
        let raw = unsafe withUnsafeMutablePointer(to: &asksForPassword) { asked in
            unsafe PEM_read_bio_PrivateKey(
                source.raw, nil,
                { _, _, _, asked in
                    unsafe asked?.assumingMemoryBound(to: Bool.self).pointee = true
                    return -1
                }, asked)
        }
        if unsafe raw == nil, asksForPassword { throw .encrypted }
        return unsafe raw
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

/// Why nothing can be signed with what a file holds.
public enum SigningKeyError: Error, Sendable, Equatable {
    /// No private key in PEM, or one that is damaged, or a file too long for one.
    case noPrivateKey
    case encrypted
    /// Neither RSA nor of the curve P-256.
    case unsupported
    /// Below 2048 bits.
    case rsaTooSmall(bits: Int)
    /// Above 8192 bits.
    case rsaTooLarge(bits: Int)
    /// What its private half signs, its public half does not verify.
    case inconsistent

    /// In words that follow "is no key to sign with: ".
    public var reason: String {
        switch self {
        case .noPrivateKey: "it holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1) that can be read"
        case .encrypted: "it is encrypted, and there is nobody to ask for the password; 'openssl pkey -in FILE' decrypts it"
        case .unsupported: "it is neither an RSA key nor one of the curve P-256"
        case .rsaTooSmall(let bits): "it is an RSA key of \(bits) bits, and below 2048 it could be broken"
        case .rsaTooLarge(let bits): "it is an RSA key of \(bits) bits, and above 8192 signing takes too long"
        case .inconsistent: "its private half and its public half do not belong together"
        }
    }
}
