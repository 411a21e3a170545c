// What a server proves itself with: its certificate, those that lead from it to an authority, and its private key.

internal import Bytes
internal import COpenSSL

/// A certificate chain with its key. Immutable, and whole: the key is the certificate's.
@safe
public final class TLSIdentity: Sendable, Equatable {
    public static let chainCountMax = 16

    /// The server's own certificate, and the authorities' behind it.
    public let chain: [Certificate]
    /// OpenSSL's name for the kind of key: `RSA`, `EC`, `ED25519`. A server can have one certificate of each kind for a name.
    public let keyKind: String
    nonisolated(unsafe) let key: OpaquePointer  // Immutable, and OpenSSL allows sharing it.

    /// Takes the certificates of one PEM file and the first private key of another, or of the same one.
    public init(certificates: Span<UInt8>, key text: Span<UInt8>) throws(TLSIdentityError) {
        do throws(OpenSSLError) {
            chain = try Certificate.all(inPEM: certificates, countMax: Self.chainCountMax)
        } catch {
            throw .malformedCertificate(error.reason)
        }
        guard let own = chain.first else { throw .noCertificate }
        unsafe key = unsafe try Self.privateKey(text)
        keyKind = unsafe EVP_PKEY_get0_type_name(key).map { unsafe String(cString: $0) } ?? "unknown"
        ERR_clear_error()
        let isOwn = unsafe X509_check_private_key(own.raw, key) == 1
        ERR_clear_error()
        if !isOwn { throw .keyOfAnother }
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// Whether both prove the same: the key follows from the certificate.
    public static func == (left: TLSIdentity, right: TLSIdentity) -> Bool { left.chain == right.chain }

    private static func source(of text: Span<UInt8>) throws(TLSIdentityError) -> Handle {
        do throws(OpenSSLError) { return try pemSource(text) } catch { throw .malformedKey(error.reason) }
    }

    @unsafe
    private static func privateKey(_ text: Span<UInt8>) throws(TLSIdentityError) -> OpaquePointer {
        let source = try source(of: text)
        var wasAsked = false
        ERR_clear_error()
        // With a callback that knows no password, as OpenSSL's own would ask on the terminal.
        let key = unsafe withUnsafeMutablePointer(to: &wasAsked) { wasAsked in
            unsafe PEM_read_bio_PrivateKey(
                source.raw, nil,
                { _, _, _, wasAsked in
                    unsafe wasAsked?.assumingMemoryBound(to: Bool.self).pointee = true
                    return -1
                }, wasAsked)
        }
        if let key = unsafe key { return unsafe key }
        let error = OpenSSLError.taken(after: "PEM_read_bio_PrivateKey")
        if wasAsked { throw .encryptedKey }
        // OpenSSL tries every decoder it has, and what the last one says tells little.
        throw text.text().contains("PRIVATE KEY-----") ? .malformedKey(error.reason) : .noKey
    }
}

/// Why a certificate and a key make no identity.
public enum TLSIdentityError: Error, Sendable, Equatable {
    case noCertificate
    case malformedCertificate(String)
    case noKey
    case malformedKey(String)
    /// It is protected by a password, and nobody is there to give it.
    case encryptedKey
    /// It is a key, but not that of the first certificate.
    case keyOfAnother
}
