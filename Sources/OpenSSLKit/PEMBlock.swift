// Keys in PEM (RFC 7468), as openssl and issuers' consoles write them.
//
// Only the numbers of a key are taken from OpenSSL. Whoever verifies with them makes a PublicKey of them, as of the
// members of a JWK, so that both pass the same checks. A certificate is a wrapping here: who vouches for it, for whom and
// until when is not looked at, as whoever names the file vouches for what is in it.

internal import COpenSSL

/// A block of a PEM file.
public enum PEMBlock: Sendable, Equatable {
    case publicKey(PublicKeyMembers)
    /// Elliptic, but not of a curve that signs tokens.
    case unsupportedCurve
    /// A private key, in whatever form.
    case privateKey
    /// A kind of key or block that signs no tokens.
    case unsupported
    /// Its content is not what its label says, or something follows it.
    case malformed

    /// The blocks of a text, `countMax` at most, in their order; what stands between them is skipped, as by every reader
    /// (RFC 7468 §2). Nil: one has no end, or is not base64.
    public static func blocks(in text: Span<UInt8>, countMax: Int) throws(OpenSSLError) -> [PEMBlock]? {
        let source = try pemSource(text)
        var blocks: [PEMBlock] = []
        while blocks.count < countMax {
            var label: UnsafeMutablePointer<CChar>?
            var header: UnsafeMutablePointer<CChar>?
            var content: UnsafeMutablePointer<UInt8>?
            var count = 0
            ERR_clear_error()
            guard unsafe PEM_read_bio(source.raw, &label, &header, &content, &count) == 1 else {
                let isEnd = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
                ERR_clear_error()
                return isEnd ? blocks : nil
            }
            defer {
                unsafe CRYPTO_free(label, nil, 0)
                unsafe CRYPTO_free(header, nil, 0)
                unsafe CRYPTO_free(content, nil, 0)
            }
            // A header tells how the content is encrypted (RFC 1421 §4.6.1).
            let isPlain = unsafe header?.pointee == 0
            unsafe blocks.append(PEMBlock(String(cString: label!), isPlain: isPlain, content!, count))
        }
        return blocks
    }

    @unsafe
    private init(_ label: String, isPlain: Bool, _ content: UnsafePointer<UInt8>, _ count: Int) {
        if label.hasSuffix("PRIVATE KEY") {
            self = .privateKey
            return
        }
        var position: UnsafePointer<UInt8>? = unsafe content
        let key: OpaquePointer?
        ERR_clear_error()
        defer { ERR_clear_error() }
        switch label {
        case _ where !isPlain:
            self = .unsupported
            return
        case "PUBLIC KEY":
            unsafe key = d2i_PUBKEY(nil, &position, count)
        case "RSA PUBLIC KEY":
            unsafe key = d2i_PublicKey(EVP_PKEY_RSA, nil, &position, count)
        case "CERTIFICATE":
            let certificate = unsafe d2i_X509(nil, &position, count)
            // Its own reference, which is good for longer than the certificate.
            unsafe key = certificate == nil ? nil : X509_get_pubkey(certificate)
            unsafe X509_free(certificate)
        default:
            self = .unsupported
            return
        }
        defer { unsafe EVP_PKEY_free(key) }
        guard let key = unsafe key, let position = unsafe position, unsafe position == content + count else {
            self = .malformed
            return
        }
        unsafe self.init(key)
    }

    @unsafe
    private init(_ key: OpaquePointer) {
        do throws(OpenSSLError) {
            if let members = unsafe try PublicKeyMembers(of: key) {
                self = .publicKey(members)
            } else {
                self = unsafe EVP_PKEY_is_a(key, "EC") == 1 ? .unsupportedCurve : .unsupported
            }
        } catch {
            self = .malformed
        }
    }
}
