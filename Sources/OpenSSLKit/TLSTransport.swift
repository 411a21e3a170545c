// The bytes under TLS: one socket as OpenSSL reads and writes it.
//
// OpenSSL's own socket BIO asks the kernel for a record's five bytes, then for its rest, then once more to hear that
// there is nothing. This one is told by the event loop what the kernel has, remembers what a short read says, and with
// read-ahead costs one system call for what is there.

internal import COpenSSL
internal import Glibc

/// What is known of a socket between two events. At a fixed address, as OpenSSL keeps it.
struct TLSTransport {
    let descriptor: Int32
    /// Something may be there to read.
    var mayRead = true
    var mayWrite = true
    /// The peer sends no more, though bytes of it may still be unread.
    var peerHasClosed = false
    /// All that the peer will ever send has been read.
    var hasEnded = false
    var hasReceived = false
    /// Messages that are about TLS alone (RFC 8446 §4.6), since the peer last sent any data.
    var messagesWithoutData = 0
    /// The errno of the call that failed; 0: none has.
    var failure: Int32 = 0
    /// Bytes that were read before TLS began.
    private var early: [UInt8]
    private var earlyRead = 0

    /// Such messages in a row that are put up with. Each costs twenty microseconds and the peer 27 bytes, and OpenSSL goes on
    /// reading for as long as there are any: what fits in a socket's buffer would keep a worker busy for many seconds.
    static let messagesWithoutDataMax = 32

    init(descriptor: Int32, early: [UInt8]) {
        self.descriptor = descriptor
        self.early = early
        hasReceived = !early.isEmpty
    }

    /// The peer sends messages and no data, for which nobody can have a reason.
    var isFlooded: Bool { messagesWithoutData > TLSTransport.messagesWithoutDataMax }

    /// Bytes that were read; 0: the end; negative: not now, or `failure`.
    @unsafe
    mutating func read(_ out: UnsafeMutablePointer<CChar>, _ room: Int) -> Int {
        if earlyRead < early.count {
            let count = min(room, early.count - earlyRead)
            for index in 0..<count { unsafe out[index] = CChar(bitPattern: early[earlyRead + index]) }
            earlyRead += count
            if earlyRead == early.count { (early, earlyRead) = ([], 0) }
            return count
        }
        if isFlooded { failure = EPROTO }
        guard mayRead, !isFlooded else { return -1 }
        let count = uninterrupted { unsafe recv(descriptor, out, room, 0) }
        if count < 0 {
            mayRead = false
            if errno != EAGAIN { failure = errno }
        } else if count == 0 {
            hasEnded = true
        } else {
            hasReceived = true
            if count < room, !peerHasClosed { mayRead = false }
        }
        return count
    }

    /// Whether bytes wait that the kernel knows nothing of.
    var holdsEarlyBytes: Bool { earlyRead < early.count }

    /// Bytes that were written; negative: not now, or `failure`.
    @unsafe
    mutating func write(_ bytes: UnsafePointer<CChar>, _ count: Int) -> Int {
        guard mayWrite else { return -1 }
        let written = uninterrupted { unsafe send(descriptor, bytes, count, Int32(MSG_NOSIGNAL)) }
        if written < 0 {
            mayWrite = false
            if errno != EAGAIN { failure = errno }
        }
        return written
    }

    /// A signal is no reason to believe that the kernel has nothing: there would be no second event.
    private func uninterrupted(_ call: () -> Int) -> Int {
        while true {
            let count = call()
            if count >= 0 || errno != EINTR { return count }
        }
    }
}

extension TLSTransport {
    /// A BIO over a transport, which the caller keeps for as long.
    @unsafe
    static func makeBIO(over transport: UnsafeMutablePointer<TLSTransport>) -> OpaquePointer? {
        guard let bio = unsafe BIO_new(method.raw) else { return nil }
        unsafe BIO_set_data(bio, transport)
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    private static let method = BIOMethod()

    /// Has the messages of every connection of a context counted.
    @unsafe
    static func countMessages(by context: OpaquePointer) {
        unsafe SSL_CTX_set_msg_callback(context) { isWritten, _, contentType, _, _, ssl, _ in
            guard isWritten == 0, contentType == SSL3_RT_HANDSHAKE, let ssl = unsafe ssl else { return }
            guard let data = unsafe BIO_get_data(SSL_get_rbio(ssl)) else { return }
            unsafe data.assumingMemoryBound(to: TLSTransport.self).pointee.messagesWithoutData += 1
        }
    }
}

/// How OpenSSL calls a transport. Made once, never freed.
@safe
private struct BIOMethod: @unchecked Sendable {  // A BIO_METHOD does not change once BIOs are made of it.
    let raw: OpaquePointer

    init() {
        guard let raw = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "antechamber socket") else {
            preconditionFailure("OpenSSL has no memory for a BIO_METHOD")
        }
        unsafe self.raw = unsafe raw
        unsafe BIO_meth_set_read(raw) { bio, out, room in
            unsafe BIOMethod.transfer(bio, antechamber_bio_retry_read) { transport in
                unsafe out.map { unsafe transport.pointee.read($0, Int(room)) } ?? -1
            }
        }
        unsafe BIO_meth_set_write(raw) { bio, bytes, count in
            unsafe BIOMethod.transfer(bio, antechamber_bio_retry_write) { transport in
                unsafe bytes.map { unsafe transport.pointee.write($0, Int(count)) } ?? -1
            }
        }
        unsafe BIO_meth_set_ctrl(raw) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    }

    @unsafe
    private static func transfer(
        _ bio: OpaquePointer?, _ retry: (OpaquePointer?) -> Void,
        _ body: (UnsafeMutablePointer<TLSTransport>) -> Int
    ) -> Int32 {
        guard let data = unsafe BIO_get_data(bio) else { return -1 }
        let transport = unsafe data.assumingMemoryBound(to: TLSTransport.self)
        unsafe antechamber_bio_clear_retry(bio)
        let count = unsafe body(transport)
        if count < 0, unsafe transport.pointee.failure == 0 { unsafe retry(bio) }
        return Int32(clamping: count)
    }
}
