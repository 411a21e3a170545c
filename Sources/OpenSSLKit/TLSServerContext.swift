// A listener's side of TLS: what it shows, takes and asks for. One for all workers, as OpenSSL allows sharing what nobody
// changes; the connections made from it are each their worker's own.
//
// TLS 1.2 and 1.3 with authenticated ciphers and ephemeral keys alone, no compression, no renegotiation, no early data:
// what is sent in the first flight of a resumed session can be sent again by anyone who saw it (RFC 8446 §8).

internal import COpenSSL

/// A version of the protocol that listeners speak.
public enum TLSVersion: String, Sendable, CaseIterable, Comparable {
    case tls12 = "TLSv1.2"
    case tls13 = "TLSv1.3"

    var number: Int32 { self == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION }

    public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.number < right.number }
}

/// What is asked of clients.
public struct ClientCertificateRule: Sendable, Equatable {
    /// Who may vouch for them; never empty.
    public var authorities: [Certificate]
    /// Nobody without a certificate gets through the handshake.
    public var isRequired: Bool

    public init(authorities: [Certificate], isRequired: Bool) {
        self.authorities = authorities
        self.isRequired = isRequired
    }
}

@safe
public final class TLSServerContext: Sendable, Equatable {
    /// How long a session may be taken up again, in seconds.
    static let sessionSeconds = SessionTicketKeys.sealsForSeconds
    /// Mozilla's intermediate list without the finite-field groups: forward secrecy and authenticated encryption.
    private static let ciphersOfTLS12 = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")
    private static let ciphersOfTLS13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    private static let groups = "X25519:P-256:P-384"
    /// OpenSSL's level of 112 bits: no RSA below 2048 bits, no SHA-1 in signatures.
    private static let securityLevel: Int32 = 2

    public let identities: [TLSIdentity]
    public let versions: ClosedRange<TLSVersion>
    public let clientCertificates: ClientCertificateRule?
    /// Whether a client is asked for a certificate.
    public var asksForCertificates: Bool { clientCertificates != nil }
    nonisolated(unsafe) let raw: OpaquePointer  // Not changed after init, and OpenSSL allows sharing it.
    private let chooser: IdentityChooser

    /// - Parameter identities: not empty; the first is shown to clients that name nobody.
    /// - Throws: where OpenSSL finds one of them too weak, or has no memory.
    public init(
        identities: [TLSIdentity], versions: ClosedRange<TLSVersion> = .tls12 ... .tls13,
        clientCertificates: ClientCertificateRule? = nil
    ) throws(OpenSSLError) {
        precondition(!identities.isEmpty, "a TLS server has a certificate")
        self.identities = identities
        self.versions = versions
        self.clientCertificates = clientCertificates
        chooser = IdentityChooser(identities)
        ERR_clear_error()
        guard let raw = unsafe SSL_CTX_new(TLS_server_method()) else { throw .taken(after: "SSL_CTX_new") }
        unsafe self.raw = unsafe raw
        try unsafe Self.configure(raw, versions)
        try unsafe Self.show(identities, chooser, by: raw)
        if let clientCertificates { try unsafe Self.ask(clientCertificates, by: raw) }
        let name = sessionName()
        try succeed("SSL_CTX_set_session_id_context") {
            unsafe SSL_CTX_set_session_id_context(raw, name, UInt32(name.count))
        }
    }

    deinit { unsafe SSL_CTX_free(raw) }

    public static func == (left: TLSServerContext, right: TLSServerContext) -> Bool {
        left.identities == right.identities && left.versions == right.versions
            && left.clientCertificates == right.clientCertificates
    }

    @unsafe
    private static func configure(_ raw: OpaquePointer, _ versions: ClosedRange<TLSVersion>) throws(OpenSSLError) {
        unsafe SSL_CTX_set_security_level(raw, securityLevel)
        _ = unsafe SSL_CTX_set_options(raw, antechamber_server_options)
        try succeed("SSL_CTX_set_min_proto_version") {
            unsafe antechamber_ctx_set_versions(raw, versions.lowerBound.number, versions.upperBound.number)
        }
        try succeed("SSL_CTX_set_cipher_list") { unsafe SSL_CTX_set_cipher_list(raw, ciphersOfTLS12) }
        try succeed("SSL_CTX_set_ciphersuites") { unsafe SSL_CTX_set_ciphersuites(raw, ciphersOfTLS13) }
        try succeed("SSL_CTX_set1_groups_list") { unsafe antechamber_ctx_set_groups(raw, groups) }
        try succeed("SSL_CTX_set_max_early_data") { unsafe SSL_CTX_set_max_early_data(raw, 0) }
        unsafe TLSConnection.configure(raw)

        // Tickets alone: a table of sessions would be memory, a lock, and no use to the other machines.
        unsafe antechamber_ctx_set_session_cache_mode(raw, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_timeout(raw, Int(sessionSeconds))
        try succeed("SSL_CTX_set_tlsext_ticket_key_evp_cb") {
            unsafe antechamber_ctx_set_ticket_callback(raw, SessionTicketKeys.seal)
        }
        unsafe SSL_CTX_set_alpn_select_cb(raw, ApplicationProtocol.choose, nil)
    }

    @unsafe
    private static func show(
        _ identities: [TLSIdentity], _ chooser: IdentityChooser, by raw: OpaquePointer
    ) throws(OpenSSLError) {
        // Each of them is tried, so that one that OpenSSL would not use is found now. Those that most clients get come last,
        // and stay.
        for index in Array(identities.indices) + chooser.names.standard {
            let identity = identities[index]
            try unsafe withChain(of: identity) { (chain) throws(OpenSSLError) in
                try succeed("SSL_CTX_use_cert_and_key") {
                    unsafe SSL_CTX_use_cert_and_key(raw, identity.chain[0].raw, identity.key, chain, 1)
                }
            }
        }
        unsafe SSL_CTX_set_cert_cb(
            raw,
            { ssl, chooser in
                guard let ssl = unsafe ssl, let chooser = unsafe chooser else { return 0 }
                return unsafe Unmanaged<IdentityChooser>.fromOpaque(chooser).takeUnretainedValue().choose(for: ssl)
            }, Unmanaged.passUnretained(chooser).toOpaque())
    }

    @unsafe
    private static func ask(_ rule: ClientCertificateRule, by raw: OpaquePointer) throws(OpenSSLError) {
        for authority in rule.authorities {
            try succeed("X509_STORE_add_cert") { unsafe antechamber_ctx_add_client_authority(raw, authority.raw) }
        }
        let mode = SSL_VERIFY_PEER | (rule.isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        unsafe SSL_CTX_set_verify(raw, mode, nil)
    }

    /// Sessions are taken up where clients are asked for the same: a ticket carries the client's certificate, and with it
    /// the word of those who vouched for it.
    private func sessionName() -> [UInt8] {
        var bytes: [UInt8] = []
        if let rule = clientCertificates {
            bytes.append(rule.isRequired ? 2 : 1)
            for authority in rule.authorities { bytes += authority.sha256.bytes }
        }
        return SHA256Digest(of: bytes.span).bytes
    }
}

/// Lends the certificates behind an identity's own, as OpenSSL takes them.
@unsafe
private func withChain<Result>(
    of identity: TLSIdentity, _ body: (OpaquePointer) throws(OpenSSLError) -> Result
) throws(OpenSSLError) -> Result {
    guard let chain = unsafe antechamber_certificates_new() else { throw .taken(after: "sk_X509_new_null") }
    defer { unsafe antechamber_certificates_free(chain) }
    for certificate in identity.chain.dropFirst() {
        unsafe X509_up_ref(certificate.raw)
        if unsafe antechamber_certificates_push(chain, certificate.raw) != 1 {
            unsafe X509_free(certificate.raw)
            throw .taken(after: "sk_X509_push")
        }
    }
    return try unsafe body(chain)
}

/// Shows a client the identity that it asks for.
private final class IdentityChooser: Sendable {
    let names: ServerNames
    private let identities: [TLSIdentity]

    init(_ identities: [TLSIdentity]) {
        self.identities = identities
        names = ServerNames(identities.map { ($0.chain[0].dnsNames, $0.keyKind) })
    }

    /// As OpenSSL asks for it once it has read the client's first message. 1: go on.
    @unsafe
    func choose(for ssl: OpaquePointer) -> Int32 {
        guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return 1 }
        let group = names.identities(for: unsafe String(cString: name))
        // Those are shown unless something else is said.
        if group == names.standard { return 1 }
        unsafe SSL_certs_clear(ssl)
        for identity in group.map({ identities[$0] }) {
            let status = unsafe try? withChain(of: identity) { chain in
                unsafe SSL_use_cert_and_key(ssl, identity.chain[0].raw, identity.key, chain, 1)
            }
            if status != 1 { return 0 }
        }
        return 1
    }
}

/// What is spoken within TLS (ALPN: RFC 7301).
enum ApplicationProtocol {
    private static let known: [StaticString] = ["http/1.1", "http/1.0"]

    /// A client that offers none of what is spoken here is told so (`no_application_protocol`, §3.2), instead of being
    /// answered in a protocol that it did not ask for.
    static let choose:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
            UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
        ) -> Int32 = { _, chosen, chosenCount, offered, offeredCount, _ in
            let offers = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredCount))
            for name in known {
                // OpenSSL has checked the form: a length, and so many bytes, again and again.
                var start = 0
                while start < offers.count {
                    let count = unsafe Int(offers[start])
                    let offer = unsafe UnsafeBufferPointer(rebasing: offers[(start + 1)...].prefix(count))
                    if unsafe offer.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)) {
                        unsafe chosen?.pointee = offer.baseAddress
                        unsafe chosenCount?.pointee = UInt8(count)
                        return SSL_TLSEXT_ERR_OK
                    }
                    start += 1 + count
                }
            }
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
}
