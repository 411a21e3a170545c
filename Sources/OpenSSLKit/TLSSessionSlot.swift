// The session that the next connection to a server may take up. Confined to its owner's loop.

internal import COpenSSL

@safe
public final class TLSSessionSlot {
    private var session: OpaquePointer?

    public init() {}

    deinit { unsafe SSL_SESSION_free(session) }

    /// Takes over `session`, the newest there is.
    @unsafe
    func keep(_ session: OpaquePointer) {
        unsafe SSL_SESSION_free(self.session)
        unsafe self.session = unsafe session
    }

    /// Offers the session to the server of a new connection. A ticket of TLS 1.3 is for one use (RFC 8446 §C.4): each
    /// connection brings new ones.
    @unsafe
    func offer(to ssl: OpaquePointer) {
        guard let held = unsafe session else { return }
        if unsafe SSL_SESSION_is_resumable(held) == 1 { unsafe SSL_set_session(ssl, held) }
        if unsafe SSL_SESSION_get_protocol_version(held) == TLS1_3_VERSION {
            unsafe SSL_SESSION_free(held)
            unsafe session = nil
        }
    }
}
