// X.509 certificates (RFC 5280): what TLS, its configuration and a backend that is told of a client's ask of them.

internal import COpenSSL
internal import Glibc

/// A certificate that could be parsed. Who vouches for it is another question.
@safe
public final class Certificate: Sendable, Equatable {
    nonisolated(unsafe) let raw: OpaquePointer  // Nothing changes it, and OpenSSL allows sharing it.
    /// Its encoding, which is what two certificates are compared by.
    public let der: [UInt8]
    public let sha256: SHA256Digest
    /// When it begins and ends to be valid, in Unix seconds.
    public let notBefore: Int64
    public let notAfter: Int64

    /// Takes over `raw`.
    @unsafe
    init(owning raw: OpaquePointer) throws(OpenSSLError) {
        unsafe self.raw = unsafe raw
        var encoded: UnsafeMutablePointer<UInt8>?
        ERR_clear_error()
        let count = unsafe i2d_X509(raw, &encoded)
        defer { unsafe CRYPTO_free(encoded, nil, 0) }
        guard count > 0, let encoded = unsafe encoded,
            let start = unsafe Self.seconds(X509_get0_notBefore(raw)),
            let end = unsafe Self.seconds(X509_get0_notAfter(raw))
        else {
            let error = OpenSSLError.taken(after: "X509")
            unsafe X509_free(raw)
            throw error
        }
        let bytes = unsafe Array(UnsafeBufferPointer(start: encoded, count: Int(count)))
        der = bytes
        sha256 = SHA256Digest(of: bytes.span)
        notBefore = start
        notAfter = end
    }

    deinit { unsafe X509_free(raw) }

    /// The certificates of a PEM file (RFC 7468 §5), `countMax` at most, in their order; blocks of other kinds and text
    /// between them are skipped.
    public static func all(inPEM text: Span<UInt8>, countMax: Int) throws(OpenSSLError) -> [Certificate] {
        let source = try pemSource(text)
        var certificates: [Certificate] = []
        while certificates.count < countMax {
            ERR_clear_error()
            guard let raw = unsafe PEM_read_bio_X509(source.raw, nil, nil, nil) else {
                if ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE {
                    throw .taken(after: "PEM_read_bio_X509")
                }
                ERR_clear_error()
                break
            }
            certificates.append(unsafe try Certificate(owning: raw))
        }
        return certificates
    }

    public static func == (left: Certificate, right: Certificate) -> Bool { left.der == right.der }

    /// The DNS names that it is for, in lower case. The common name is none: RFC 9525 §2.
    public var dnsNames: [String] {
        guard let names = unsafe X509_get_ext_d2i(raw, NID_subject_alt_name, nil, nil) else { return [] }
        let list = OpaquePointer(names)
        defer { unsafe GENERAL_NAMES_free(list) }
        return unsafe (0..<antechamber_names_count(list)).compactMap { index in
            var count: Int32 = 0
            guard let text = unsafe antechamber_dns_name(list, index, &count) else { return nil }
            return unsafe String(decoding: UnsafeBufferPointer(start: text, count: Int(count)), as: UTF8.self).lowercased()
        }
    }

    /// The subject's name as RFC 4514 writes it, in ASCII: every other character is `\` and the digits of its UTF-8.
    public var subject: String { unsafe Self.text(X509_get_subject_name(raw)) }

    /// The issuer's name likewise.
    public var issuer: String { unsafe Self.text(X509_get_issuer_name(raw)) }

    /// The serial number in upper-case hexadecimal.
    public var serialNumber: String {
        guard let number = unsafe ASN1_INTEGER_to_BN(X509_get0_serialNumber(raw), nil) else { return "" }
        defer { unsafe BN_free(number) }
        guard let text = unsafe BN_bn2hex(number) else { return "" }
        defer { unsafe CRYPTO_free(text, nil, 0) }
        return unsafe String(cString: text)
    }

    @unsafe
    private static func text(_ name: OpaquePointer?) -> String {
        guard let name = unsafe name, let out = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(out) }
        guard unsafe X509_NAME_print_ex(out, name, 0, antechamber_name_flags) >= 0 else { return "" }
        var bytes: UnsafeMutablePointer<CChar>?
        let count = unsafe BIO_ctrl(out, BIO_CTRL_INFO, 0, &bytes)
        guard count > 0, let bytes = unsafe bytes else { return "" }
        return unsafe String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    @unsafe
    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = unsafe tm()
        guard let time = unsafe time, unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return unsafe Int64(timegm(&parts))
    }
}
