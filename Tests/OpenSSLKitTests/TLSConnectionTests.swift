import Bytes
import CertificateFixtures
import Glibc
import Testing

@testable import OpenSSLKit

@Suite("TLS connections") struct TLSConnectionTests {
    @Test("bytes pass both ways, in either version", arguments: TLSVersion.allCases)
    func bothWays(version: TLSVersion) throws {
        let pair = try TLSPair(Certificates.serverContext(versions: version...version))
        #expect(pair.shakeHands() == (.done, .done))
        #expect(pair.server.version == version.rawValue)
        #expect(try pair.pass("question", from: pair.client, to: pair.server) == "question")
        #expect(try pair.pass("answer", from: pair.server, to: pair.client) == "answer")
    }

    @Test("an end that was said is an end, and one that was not is a truncation")
    func ends() throws {
        let said = try TLSPair(Certificates.serverContext())
        said.shakeHands()
        #expect(said.client.finishWriting() == .done)
        #expect(said.outcome(of: said.server) == .ended)
        #expect(try said.pass("answer", from: said.server, to: said.client) == "answer")

        let cut = try TLSPair(Certificates.serverContext())
        cut.shakeHands()
        #expect(try cut.pass("half", from: cut.client, to: cut.server) == "half")
        cut.clientEnd.finish()
        #expect(cut.outcome(of: cut.server) == .failed(.truncated))
        #expect(cut.outcome(of: cut.server) == .failed(.truncated))
        #expect(cut.server.finishWriting() == .done)
    }

    @Test("what was read ahead is told of: no event will")
    func readAhead() throws {
        let pair = try TLSPair(Certificates.serverContext())
        pair.shakeHands()
        let out = ByteBuffer(capacity: 64)
        for text in ["one", "two", "three"] {
            out.append(text)
            #expect(pair.client.write(from: out) == .done)
        }
        #expect(try pair.read(from: pair.server) == "one")
        var rest: [String] = []
        while pair.server.mayRead {
            let input = ByteBuffer(capacity: 64)
            input.reserve(1)
            guard pair.server.read(into: input) == .moved else { break }
            rest.append(input.readable.text())
        }
        #expect(rest == ["two", "three"])
        #expect(!pair.server.mayRead, "the socket was found to be empty")
    }

    @Test("a record larger than the buffer is read in pieces, and the rest is told of")
    func pieces() throws {
        let pair = try TLSPair(Certificates.serverContext())
        pair.shakeHands()
        let out = ByteBuffer(capacity: 64)
        out.append(String(repeating: "x", count: 10_000))
        #expect(pair.client.write(from: out) == .done)
        pair.wake()
        var count = 0
        while count < 10_000 {
            #expect(pair.server.mayRead)
            let input = ByteBuffer(capacity: 100)
            input.reserve(1)
            try #require(pair.server.read(into: input) == .moved)
            count += input.count
        }
        #expect(pair.outcome(of: pair.server) == .blocked)
    }

    @Test("a write that finds no room goes on where it was, with more bytes behind it and in another place")
    func blockedWrite() throws {
        let pair = try TLSPair(Certificates.serverContext())
        pair.shakeHands()
        let out = ByteBuffer(capacity: 64)
        var sent = 0
        func append(_ count: Int) {
            for index in sent..<sent + count { out.append(UInt8(truncatingIfNeeded: index &* 31 >> 3)) }
            sent += count
        }
        append(4 << 20)
        while pair.server.write(from: out) == .done {}
        #expect(!out.isEmpty)
        append(1 << 20)  // The storage moves.
        var received = 0
        let input = ByteBuffer(capacity: 32 * 1024)
        for _ in 0..<100_000 where received < sent {
            pair.wake()
            while !out.isEmpty, pair.server.write(from: out) == .done {}
            pair.wake()
            input.reserve(1)
            while pair.client.read(into: input) == .moved {
                for index in input.readable.indices {
                    if input.readable[index] != UInt8(truncatingIfNeeded: received &* 31 >> 3) {
                        Issue.record("byte \(received) is another")
                        return
                    }
                    received += 1
                }
                input.removeAll()
            }
        }
        #expect(received == sent)
    }

    @Test("a handshake may come byte by byte, and begin with what was read before")
    func byteByByte() throws {
        let (clientEnd, relayEnd) = try End.pair()
        let (relayOut, serverEnd) = try End.pair()
        let sessions = TLSSessionSlot()
        let own = try TLSClientContext(authorities: Certificates.authorities())
        let client = try TLSConnection(
            connecting: clientEnd.descriptor, to: TLSPeer(own, .name("server.example")), sessions: sessions)
        #expect(client.handshake() == .blocked)
        var hello = [UInt8](repeating: 0, count: 4096)
        let count = unsafe recv(relayEnd.descriptor, &hello, hello.count, 0)
        try #require(count > 20)
        let server = try TLSConnection(
            accepting: serverEnd.descriptor, by: Certificates.serverContext(), early: hello.span.extracting(0..<20))
        #expect(server.mayRead && server.hasReceived)
        for byte in hello[20..<count] {
            #expect(server.handshake() == .blocked)
            var byte = byte
            #expect(unsafe send(relayOut.descriptor, &byte, 1, 0) == 1)
            server.socketReady(readable: true, writable: false, peerHasClosed: false)
        }
        _ = server.handshake()
        let answered = unsafe recv(relayOut.descriptor, &hello, hello.count, 0)
        #expect(answered > 100, "the server has answered the whole hello")
    }

    @Test("a request in clear is told apart")
    func plainHTTP() throws {
        let (clientEnd, serverEnd) = try End.pair()
        let server = try TLSConnection(accepting: serverEnd.descriptor, by: Certificates.serverContext())
        #expect(server.handshake() == .blocked)
        #expect(!server.hasReceived)
        let request = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(unsafe send(clientEnd.descriptor, request, request.count, 0) == request.count)
        server.socketReady(readable: true, writable: false, peerHasClosed: false)
        #expect(server.handshake() == .failed(.plainHTTP))
    }

    @Test("a client verifies who the server is", arguments: [
        (TLSServerName.name("server.example"), "done"), (.address("127.0.0.1"), "done"),
        (.name("other.example"), "certificate verify failed: hostname mismatch"),
        (.address("127.0.0.2"), "certificate verify failed: IP address mismatch"),
    ])
    func serverName(name: TLSServerName, outcome: String) throws {
        let pair = try TLSPair(Certificates.serverContext(), to: name)
        let came = pair.shakeHands().client
        if case .failed(let failure) = came { #expect(failure.reason == outcome) } else { #expect("\(came)" == outcome) }
    }

    @Test("a certificate counts where its authority is believed, or nobody is asked")
    func authorities() throws {
        let strangers = try Certificates.authorities(Certificates.other)
        let refused = try TLSPair(Certificates.serverContext(), trusting: strangers).shakeHands()
        #expect(refused.client == .failed(.certificate("unable to get local issuer certificate")))
        #expect(refused.server == .failed(.alert("tlsv1 alert unknown ca")))
        let unasked = try TLSPair(Certificates.serverContext(), trusting: strangers, verifies: false).shakeHands()
        #expect(unasked == (.done, .done))
    }

    @Test("the common name is no name of a server")
    func commonName() throws {
        let unnamed = Result { try Certificates.authority.get().issue("/CN=server.example", names: []) }
        let came = try TLSPair(Certificates.serverContext([unnamed])).shakeHands().client
        #expect(came == .failed(.certificate("hostname mismatch")))
    }

    @Test("a client's certificate is known where it was asked for", arguments: TLSVersion.allCases)
    func clientCertificate(version: TLSVersion) throws {
        let authorities = try Certificates.authorities()
        for isRequired in [false, true] {
            let rule = ClientCertificateRule(authorities: authorities, isRequired: isRequired)
            let pair = try TLSPair(Certificates.serverContext(versions: version...version, asking: rule))
            #expect((pair.shakeHands().server == .done) == !isRequired)
            #expect(pair.server.peerCertificate == nil)
        }
    }
}
