// One TLS connection over a non-blocking socket that somebody else owns: bytes in clear on this side, records on that.
//
// Confined to its loop. The loop tells what the socket is ready for (`socketReady`); a call that ends with `blocked` has
// something to do again after the next event, whichever it is: in TLS a read may have to write first, and the other way
// round. Once a call has failed, the connection is broken for good.

public import Bytes
internal import COpenSSL

@safe
public final class TLSConnection {
    public enum Progress: Sendable, Equatable {
        case done
        case blocked
        case failed(TLSFailure)
    }

    public enum Read: Sendable, Equatable {
        case moved
        case blocked
        /// The peer has said that it sends no more (`close_notify`).
        case ended
        case failed(TLSFailure)
    }

    private let ssl: OpaquePointer
    private let transport: UnsafeMutablePointer<TLSTransport>
    /// What OpenSSL keeps pointers into.
    private let context: AnyObject
    private let sessions: TLSSessionSlot?
    /// The handshake is over.
    public private(set) var isEstablished = false
    private var hasFailed = false
    private var hasSaidEnd = false

    /// A client's connection to a server of this process.
    ///
    /// - Parameter early: what has been read from the socket already.
    public convenience init(
        accepting descriptor: Int32, by context: TLSServerContext, early: Span<UInt8> = Span()
    ) throws(OpenSSLError) {
        unsafe try self.init(context.raw, of: context, descriptor, early: early, sessions: nil)
        unsafe SSL_set_accept_state(ssl)
    }

    @unsafe
    init(
        _ raw: OpaquePointer, of context: AnyObject, _ descriptor: Int32, early: Span<UInt8>, sessions: TLSSessionSlot?
    ) throws(OpenSSLError) {
        ERR_clear_error()
        guard let ssl = unsafe SSL_new(raw) else { throw .taken(after: "SSL_new") }
        let transport = UnsafeMutablePointer<TLSTransport>.allocate(capacity: 1)
        unsafe transport.initialize(to: TLSTransport(descriptor: descriptor, early: early.array))
        unsafe self.ssl = unsafe ssl
        unsafe self.transport = unsafe transport
        self.context = context
        self.sessions = sessions
        guard let bio = unsafe TLSTransport.makeBIO(over: transport) else { throw .taken(after: "BIO_new") }
        unsafe SSL_set_bio(ssl, bio, bio)
    }

    /// Begins as a client.
    func begin(to name: TLSServerName, _ sessions: TLSSessionSlot, verifies: Bool) throws(OpenSSLError) {
        unsafe SSL_set_connect_state(ssl)
        switch name {
        case .name(let name):
            try succeed("SSL_set_tlsext_host_name") { unsafe antechamber_set_server_name(ssl, name) }
            if verifies {
                // RFC 9525: the common name is none, and a wildcard is a whole label.
                unsafe SSL_set_hostflags(
                    ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
                try succeed("SSL_set1_host") { unsafe SSL_set1_host(ssl, name) }
            }
        case .address(let address):
            if verifies {
                try succeed("X509_VERIFY_PARAM_set1_ip_asc") {
                    unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), address)
                }
            }
        }
        try succeed("SSL_set_ex_data") {
            unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(sessions).toOpaque())
        }
        unsafe sessions.offer(to: ssl)
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe transport.deinitialize(count: 1)
        unsafe transport.deallocate()
    }

    /// What every connection of a context has: calls return after one record, may come again with the same bytes
    /// elsewhere, and no buffer is held while nothing is under way.
    @unsafe
    static func configure(_ raw: OpaquePointer) {
        unsafe antechamber_ctx_set_mode(
            raw,
            Int(UInt32(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER) | SSL_MODE_RELEASE_BUFFERS))
        unsafe antechamber_ctx_set_read_ahead(raw)
        unsafe TLSTransport.countMessages(by: raw)
    }

    // MARK: The socket

    /// The kernel has news of the socket.
    public func socketReady(readable: Bool, writable: Bool, peerHasClosed: Bool) {
        if readable { unsafe transport.pointee.mayRead = true }
        if writable { unsafe transport.pointee.mayWrite = true }
        if peerHasClosed { unsafe transport.pointee.peerHasClosed = true }
    }

    /// Whether a read could bring something: of what the kernel has, or of what was read ahead, of which no event tells.
    public var mayRead: Bool {
        unsafe transport.pointee.mayRead || transport.pointee.holdsEarlyBytes || SSL_has_pending(ssl) == 1
    }

    /// Whether the peer has sent anything at all.
    public var hasReceived: Bool { unsafe transport.pointee.hasReceived }

    // MARK: The connection

    /// Goes on with the handshake.
    public func handshake() -> Progress {
        if isEstablished { return .done }
        if hasFailed { return .failed(.handshake("broken before")) }
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 {
            isEstablished = true
            // Those of the handshake are bounded by what it is.
            unsafe transport.pointee.messagesWithoutData = 0
            return .done
        }
        switch outcome(of: result) {
        case .blocked: return .blocked
        case .moved, .ended: return failed(.truncated)
        case .failed(let failure): return .failed(failure)
        }
    }

    /// Reads into the buffer's free space, which must not be empty: one record at most.
    public func read(into buffer: ByteBuffer) -> Read {
        precondition(buffer.writableCount > 0, "reading nothing looks like an end of stream")
        if hasFailed { return .failed(.truncated) }
        ERR_clear_error()
        let count = unsafe buffer.receive { room in
            var count = 0
            let result = unsafe SSL_read_ex(ssl, room.baseAddress, room.count, &count)
            return result == 1 ? count : Int(min(0, result))
        }
        if count <= 0 { return outcome(of: Int32(count)) }
        if unsafe transport.pointee.isFlooded {
            hasFailed = true
            return .failed(takenFailure())
        }
        unsafe transport.pointee.messagesWithoutData = 0
        return .moved
    }

    /// Writes the buffer's first bytes, one record at most, and drops them. `blocked`: the same bytes have to come first
    /// at the next call.
    public func write(from buffer: ByteBuffer) -> Progress {
        if buffer.isEmpty { return .done }
        if hasFailed { return .failed(.truncated) }
        ERR_clear_error()
        var count = 0
        let result = unsafe buffer.readable.withUnsafeBufferPointer { bytes in
            unsafe SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count)
        }
        if result == 1 {
            buffer.consume(count)
            return .done
        }
        switch outcome(of: result) {
        case .moved, .blocked: return .blocked
        case .ended: return failed(.truncated)
        case .failed(let failure): return .failed(failure)
        }
    }

    /// Says that nothing more follows (`close_notify`), once; reading goes on.
    public func finishWriting() -> Progress {
        if hasFailed || !isEstablished || hasSaidEnd { return .done }
        ERR_clear_error()
        // 0: said, and the peer has not said so yet.
        let result = unsafe SSL_shutdown(ssl)
        if result >= 0 {
            hasSaidEnd = true
            return .done
        }
        switch outcome(of: result) {
        case .moved, .blocked: return .blocked
        case .ended: return .done
        case .failed(let failure): return .failed(failure)
        }
    }

    /// Whether bytes or an end wait to be read, asked of the kernel. Bytes stay where they are; what concerns TLS alone,
    /// such as session tickets, is taken in.
    public var hasUnreadInput: Bool {
        if hasFailed { return true }
        unsafe transport.pointee.mayRead = true
        ERR_clear_error()
        var byte: UInt8 = 0
        var count = 0
        let result = unsafe SSL_peek_ex(ssl, &byte, 1, &count)
        if result == 1 { return true }
        return outcome(of: result) != .blocked
    }

    private func outcome(of result: Int32) -> Read {
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .blocked
        case SSL_ERROR_ZERO_RETURN: return .ended
        default:
            hasFailed = true
            return .failed(takenFailure())
        }
    }

    private func failed(_ failure: TLSFailure) -> Progress {
        hasFailed = true
        return .failed(failure)
    }

    private func takenFailure() -> TLSFailure {
        let code = ERR_peek_error()
        defer { ERR_clear_error() }
        if unsafe transport.pointee.isFlooded { return .handshake("messages of TLS alone, and no data") }
        if unsafe transport.pointee.failure != 0 { return .socket(unsafe transport.pointee.failure) }
        if antechamber_handshake_is_http(code) == 1 { return .plainHTTP }
        if unsafe transport.pointee.hasEnded || code == 0 || antechamber_is_unexpected_end(code) == 1 { return .truncated }
        if !isEstablished {
            let verdict = unsafe SSL_get_verify_result(ssl)
            if verdict != Int(X509_V_OK) {
                return .certificate(unsafe String(cString: X509_verify_cert_error_string(verdict)))
            }
        }
        let reason = OpenSSLError.taken(after: "SSL").reason
        if antechamber_is_missing_certificate(code) == 1 { return .noCertificate(reason) }
        if antechamber_is_disagreement(code) == 1 { return .disagreement(reason) }
        return antechamber_is_alert(code) == 1 ? .alert(reason) : .handshake(reason)
    }

    // MARK: What was agreed on

    /// Such as `TLSv1.3`.
    public var version: String { unsafe String(cString: SSL_get_version(ssl)) }

    /// An earlier session was taken up.
    public var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// The peer's certificate, which was verified where this side verifies; nil: it has shown none.
    public var peerCertificate: Certificate? {
        guard let raw = unsafe SSL_get1_peer_certificate(ssl) else { return nil }
        return unsafe try? Certificate(owning: raw)
    }
}
