import CertificateFixtures
import Testing

@testable import OpenSSLKit

@Suite("Which certificate a name is shown") struct ServerNameTests {
    private static let names = ServerNames([
        (["a.example", "www.a.example"], "EC"), (["*.b.example", "b.example"], "EC"), (["www.b.example"], "RSA"),
        (["a.example"], "RSA"), (["a.example"], "EC"), ([], "EC"),
    ])

    @Test("a full name before a wildcard, of each kind of key the first, and else the first one's", arguments: [
        ("a.example", [0, 3]), ("A.Example", [0, 3]), ("www.a.example", [0]), ("b.example", [1]), ("x.b.example", [1]),
        ("www.b.example", [2]), ("x.y.b.example", [0, 3]), (".b.example", [0, 3]), ("", [0, 3]), ("other", [0, 3]),
        ("*.b.example", [1]),
    ])
    func choice(name: String, shown: [Int]) {
        #expect(Self.names.identities(for: name) == shown)
    }

    @Test("clients get the certificate for the name they ask for", arguments: [
        (TLSServerName.name("server.example"), "CN=server"), (.name("WWW.example"), "CN=wild"),
        (.name("x.wild.example"), "CN=wild"), (.name("x.y.wild.example"), "CN=server"), (.address("127.0.0.1"), "CN=server"),
    ])
    func shown(name: TLSServerName, subject: String) throws {
        let context = try Certificates.serverContext([Certificates.server, Certificates.wild])
        let pair = try TLSPair(context, verifies: false, to: name)
        pair.shakeHands()
        #expect(pair.client.peerCertificate?.subject == subject)
    }

    @Test("one certificate of each kind of key can be for a name")
    func bothKinds() throws {
        let context = try Certificates.serverContext([Certificates.wild, Certificates.rsa, Certificates.server])
        let pair = try TLSPair(context, to: .name("server.example"))
        #expect(pair.shakeHands() == (.done, .done))
        #expect(["CN=server", "CN=rsa"].contains(pair.client.peerCertificate?.subject))
    }
}
