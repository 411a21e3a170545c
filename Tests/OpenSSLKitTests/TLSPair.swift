// Two ends of TLS over a pair of sockets, and certificates for them.

import Bytes
import CertificateFixtures
import Glibc
import Testing

@testable import OpenSSLKit

/// Certificates that every test can use: made once.
enum Certificates {
    static let authority = Result { try TestAuthority() }
    static let other = Result { try TestAuthority("Another Authority") }
    static let server = Result { try authority.get().issue("/CN=server", names: ["DNS:server.example", "IP:127.0.0.1"]) }
    static let wild = Result { try authority.get().issue("/CN=wild", names: ["DNS:*.wild.example", "DNS:www.example"]) }
    static let rsa = Result { try authority.get().issue("/CN=rsa", names: ["DNS:server.example"], key: .rsa) }
    static let client = Result { try authority.get().issue("/O=Acme/CN=client", names: [], usage: "clientAuth") }

    static func identity(_ certificate: Result<TestCertificate, any Error>) throws -> TLSIdentity {
        let certificate = try certificate.get()
        let (pem, key) = (Array(certificate.pem.utf8), Array(certificate.key.utf8))
        return try TLSIdentity(certificates: pem.span, key: key.span)
    }

    static func authorities(_ authority: Result<TestAuthority, any Error> = authority) throws -> [Certificate] {
        let pem = Array(try authority.get().certificate.pem.utf8)
        return try Certificate.all(inPEM: pem.span, countMax: 8)
    }

    static func serverContext(
        _ identities: [Result<TestCertificate, any Error>] = [server], versions: ClosedRange<TLSVersion> = .tls12 ... .tls13,
        asking rule: ClientCertificateRule? = nil
    ) throws -> TLSServerContext {
        try TLSServerContext(identities: identities.map(identity), versions: versions, clientCertificates: rule)
    }
}

/// One socket of a pair; not blocking, closed with its owner.
final class End {
    let descriptor: Int32
    private var isOpen = true

    init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { close() }

    /// The end of the stream, without a word of TLS.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() {
        if isOpen { Glibc.close(descriptor) }
        isOpen = false
    }

    static func pair() throws -> (End, End) {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try #require(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
        return (End(ends[0]), End(ends[1]))
    }
}

/// A client and a server of TLS that talk to each other.
struct TLSPair {
    let clientEnd: End
    let serverEnd: End
    let client: TLSConnection
    let server: TLSConnection

    init(
        _ context: TLSServerContext, trusting authorities: [Certificate]? = nil, verifies: Bool = true,
        to name: TLSServerName = .name("server.example"), sessions: TLSSessionSlot = TLSSessionSlot()
    ) throws {
        (clientEnd, serverEnd) = try End.pair()
        let own = try TLSClientContext(authorities: authorities ?? Certificates.authorities(), verifies: verifies)
        client = try TLSConnection(connecting: clientEnd.descriptor, to: TLSPeer(own, name), sessions: sessions)
        server = try TLSConnection(accepting: serverEnd.descriptor, by: context)
    }

    /// Lets both go on until neither can, or one has failed: what came of each.
    @discardableResult
    func shakeHands() -> (client: TLSConnection.Progress, server: TLSConnection.Progress) {
        var client = TLSConnection.Progress.blocked
        var server = TLSConnection.Progress.blocked
        for _ in 0..<10 where client == .blocked || server == .blocked {
            wake()
            if client == .blocked { client = self.client.handshake() }
            wake()
            if server == .blocked { server = self.server.handshake() }
        }
        return (client, server)
    }

    /// As the loop does it after each event.
    func wake() {
        for end in [client, server] { end.socketReady(readable: true, writable: true, peerHasClosed: false) }
    }

    /// Sends a text and reads it at the other end.
    func pass(_ text: String, from sender: TLSConnection, to receiver: TLSConnection) throws -> String {
        let out = ByteBuffer(capacity: 64)
        out.append(text)
        wake()
        #expect(sender.write(from: out) == .done)
        return try read(from: receiver)
    }

    /// One record.
    func read(from receiver: TLSConnection) throws -> String {
        wake()
        let input = ByteBuffer(capacity: 32 * 1024)
        input.reserve(1)
        #expect(receiver.read(into: input) == .moved)
        return input.readable.text()
    }

    func outcome(of receiver: TLSConnection) -> TLSConnection.Read {
        wake()
        let input = ByteBuffer(capacity: 1024)
        input.reserve(1)
        return receiver.read(into: input)
    }
}
