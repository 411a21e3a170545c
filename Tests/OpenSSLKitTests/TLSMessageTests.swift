// Messages behind the handshake that are TLS's own (RFC 8446 §4.6).

import Bytes
import COpenSSL
import Glibc
import Testing

@testable import OpenSSLKit

@Suite("TLS messages behind the handshake") struct TLSMessageTests {
    @Test("new keys between data are taken, as often as data comes")
    func keysBetweenData() throws {
        let client = try UpdatingClient(Certificates.serverContext())
        for _ in 0..<3 {
            for _ in 0..<TLSTransport.messagesWithoutDataMax { client.updateKeys() }
            client.send("data")
            #expect(client.read() == .moved)
        }
    }

    @Test("new keys without data are taken up to a bound, whether they come together or one by one", arguments: [true, false])
    func keysWithoutData(together: Bool) throws {
        let client = try UpdatingClient(Certificates.serverContext())
        for _ in 0..<TLSTransport.messagesWithoutDataMax {
            client.updateKeys()
            if !together { #expect(client.read() == .blocked) }
        }
        #expect(client.read() == .blocked)
        client.updateKeys()
        #expect(client.read() == .failed(.handshake("messages of TLS alone, and no data")))
    }

    @Test("a flood of new keys is read no further, and the data in it is not believed")
    func flood() throws {
        let client = try UpdatingClient(Certificates.serverContext())
        for _ in 0..<1000 {
            client.updateKeys()
            client.updateKeys()
            if client.updates == 100 { client.send("data") }
        }
        #expect(client.read() == .failed(.handshake("messages of TLS alone, and no data")))
        #expect(client.read() == .failed(.truncated))
        #expect(client.unreadBytes > 27 * 500, "one read ahead, of two thousand messages")
    }

    @Test("a flood is one for whoever only looks whether there is data, too")
    func peek() throws {
        let client = try UpdatingClient(Certificates.serverContext())
        for _ in 0..<100 { client.updateKeys() }
        client.wakeServer()
        #expect(client.server.hasUnreadInput)
        #expect(client.read() == .failed(.truncated))
    }
}

/// A client of OpenSSL's own, since ours never asks for new keys, and the server it talks to.
@safe
private final class UpdatingClient {
    let server: TLSConnection
    private(set) var updates = 0
    private let ends: (client: End, server: End)
    private let ssl: OpaquePointer
    private let context: OpaquePointer

    init(_ serverContext: TLSServerContext) throws {
        ends = try End.pair()
        server = try TLSConnection(accepting: ends.server.descriptor, by: serverContext)
        unsafe context = try #require(unsafe SSL_CTX_new(TLS_client_method()))
        unsafe ssl = try #require(unsafe SSL_new(context))
        unsafe SSL_set_fd(ssl, ends.client.descriptor)
        unsafe SSL_set_connect_state(ssl)
        for _ in 0..<3 {
            _ = unsafe SSL_do_handshake(ssl)
            server.socketReady(readable: true, writable: true, peerHasClosed: false)
            _ = server.handshake()
        }
        try #require(server.isEstablished && server.version == TLSVersion.tls13.rawValue)
        // What follows is sent in a few pieces, as a socket holds few small ones.
        unsafe SSL_set0_wbio(ssl, BIO_new(BIO_s_mem()))
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
    }

    func updateKeys() {
        updates += 1
        #expect(unsafe SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
        #expect(unsafe SSL_do_handshake(ssl) == 1)
    }

    func send(_ text: String) {
        #expect(unsafe SSL_write(ssl, text, Int32(text.utf8.count)) == Int32(text.utf8.count))
    }

    /// Sends what is there, and tells the server.
    func wakeServer() {
        var bytes = [UInt8](repeating: 0, count: 128 * 1024)
        let count = unsafe BIO_read(SSL_get_wbio(ssl), &bytes, Int32(bytes.count))
        if count > 0 { #expect(unsafe Glibc.send(ends.client.descriptor, bytes, Int(count), 0) == Int(count)) }
        server.socketReady(readable: true, writable: true, peerHasClosed: false)
    }

    /// What comes of the server's next read.
    func read() -> TLSConnection.Read {
        wakeServer()
        let input = ByteBuffer(capacity: 1024)
        input.reserve(1)
        return server.read(into: input)
    }

    /// What has been sent and the server has not read from its socket.
    var unreadBytes: Int32 {
        var count: Int32 = 0
        #expect(unsafe ioctl(ends.server.descriptor, UInt(FIONREAD), &count) == 0)
        return count
    }
}
