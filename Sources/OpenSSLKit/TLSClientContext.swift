// This process's side of TLS towards its backend: whom it believes, and by which name.

internal import COpenSSL

/// Whom a server has to prove itself to be.
public enum TLSServerName: Sendable, Hashable {
    /// A DNS name, told to the server (SNI) and looked for in its certificate.
    case name(String)
    /// An address, looked for in the certificate; SNI has no place for it (RFC 6066 §3).
    case address(String)
}

/// A server that connections are made to under TLS: by whose word, and who it has to be.
public struct TLSPeer: Sendable, Equatable {
    public var context: TLSClientContext
    public var name: TLSServerName

    public init(_ context: TLSClientContext, _ name: TLSServerName) {
        self.context = context
        self.name = name
    }
}

/// Immutable; all workers share it.
@safe
public final class TLSClientContext: Sendable, Equatable {
    /// Those who may vouch for a server; nil: those that the system trusts.
    public let authorities: [Certificate]?
    /// Whether servers have to prove who they are.
    public let verifies: Bool
    nonisolated(unsafe) let raw: OpaquePointer  // Not changed after init, and OpenSSL allows sharing it.

    public init(authorities: [Certificate]? = nil, verifies: Bool = true) throws(OpenSSLError) {
        self.authorities = authorities
        self.verifies = verifies
        ERR_clear_error()
        guard let raw = unsafe SSL_CTX_new(TLS_client_method()) else { throw .taken(after: "SSL_CTX_new") }
        unsafe self.raw = unsafe raw
        _ = unsafe SSL_CTX_set_options(raw, antechamber_client_options)
        try succeed("SSL_CTX_set_min_proto_version") {
            unsafe antechamber_ctx_set_versions(raw, TLS1_2_VERSION, TLS1_3_VERSION)
        }
        unsafe TLSConnection.configure(raw)
        unsafe SSL_CTX_set_verify(raw, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
        if let authorities {
            for authority in authorities {
                try succeed("X509_STORE_add_cert") { unsafe X509_STORE_add_cert(SSL_CTX_get_cert_store(raw), authority.raw) }
            }
        } else if verifies {
            try succeed("SSL_CTX_set_default_verify_paths") { unsafe SSL_CTX_set_default_verify_paths(raw) }
        }
        // RFC 7301: a server that speaks several protocols on the port has to know which one is meant.
        let offered: [UInt8] = [8] + Array("http/1.1".utf8)
        guard unsafe SSL_CTX_set_alpn_protos(raw, offered, UInt32(offered.count)) == 0 else {
            throw .taken(after: "SSL_CTX_set_alpn_protos")
        }
        unsafe antechamber_ctx_set_session_cache_mode(
            raw, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE))
        unsafe SSL_CTX_sess_set_new_cb(raw) { ssl, session in
            guard let session = unsafe session, let slot = unsafe SSL_get_ex_data(ssl, 0) else { return 0 }
            unsafe Unmanaged<TLSSessionSlot>.fromOpaque(slot).takeUnretainedValue().keep(session)
            // It is ours now.
            return 1
        }
    }

    deinit { unsafe SSL_CTX_free(raw) }

    public static func == (left: TLSClientContext, right: TLSClientContext) -> Bool {
        left.authorities == right.authorities && left.verifies == right.verifies
    }
}

extension TLSConnection {
    /// A connection to a server, which has to prove who it is where the context verifies.
    ///
    /// - Parameter sessions: what an earlier connection to the same server has left, and where this one leaves its own.
    public convenience init(
        connecting descriptor: Int32, to peer: TLSPeer, sessions: TLSSessionSlot
    ) throws(OpenSSLError) {
        unsafe try self.init(peer.context.raw, of: peer.context, descriptor, early: Span(), sessions: sessions)
        try begin(to: peer.name, sessions, verifies: peer.context.verifies)
    }
}
