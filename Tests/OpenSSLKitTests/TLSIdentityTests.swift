import CertificateFixtures
import Testing

@testable import OpenSSLKit

@Suite("Certificates and their keys") struct TLSIdentityTests {
    private func failure(_ certificate: String, _ key: String) -> TLSIdentityError? {
        let (certificate, key) = (Array(certificate.utf8), Array(key.utf8))
        do throws(TLSIdentityError) {
            _ = try TLSIdentity(certificates: certificate.span, key: key.span)
            return nil
        } catch {
            return error
        }
    }

    @Test("a pair is taken, from one file too, and what is none is told why")
    func pairs() throws {
        let own = try Certificates.server.get()
        let other = try Certificates.wild.get()
        #expect(failure(own.pem, own.key) == nil)
        #expect(failure(own.key + own.pem, own.key + own.pem) == nil)
        #expect(failure(own.pem, other.key) == .keyOfAnother)
        #expect(failure(other.pem + own.pem, own.key) == .keyOfAnother)
        #expect(failure("", own.key) == .noCertificate)
        #expect(failure(own.key, own.key) == .noCertificate)
        #expect(failure(own.pem, own.pem) == .noKey)
        #expect(failure(own.pem, try TestAuthority.encrypted(own)) == .encryptedKey)
        guard case .malformedCertificate = failure(String(own.pem.replacing("MII", with: "MIJ")), own.key) else {
            Issue.record("a damaged certificate is taken")
            return
        }
        guard case .malformedKey = failure(own.pem, String(own.key.replacing("MIG", with: "MIH"))) else {
            Issue.record("a damaged key is taken")
            return
        }
    }

    @Test("a key that is too weak is not served with")
    func weak() throws {
        let weak = Result { try Certificates.authority.get().issue(key: .weakRSA) }
        #expect(throws: OpenSSLError(operation: "SSL_CTX_use_cert_and_key", reason: "ee key too small")) {
            _ = try Certificates.serverContext([weak])
        }
    }

    @Test("what a certificate says of itself")
    func contents() throws {
        let made = try Certificates.authority.get().issue(
            "/O=Acme, Inc./OU=a\\+b/CN=J\u{f6}rg\\/x", names: ["DNS:A.Example", "IP:127.0.0.1", "DNS:*.b.example", "URI:urn:x"])
        let pem = Array(made.pem.utf8)
        let certificate = try #require(try Certificate.all(inPEM: pem.span, countMax: 1).first)
        #expect(certificate.dnsNames == ["a.example", "*.b.example"])
        #expect(certificate.subject == "CN=J\\C3\\B6rg/x,OU=a\\+b,O=Acme\\, Inc.")
        #expect(certificate.issuer == "CN=Test Authority")
        #expect(certificate.der == made.der)
        let der = made.der
        let digest = SHA256Digest(of: der.span)
        #expect(certificate.sha256 == digest)
        #expect(certificate.serialNumber.count >= 16 && certificate.serialNumber.allSatisfy { "0123456789ABCDEF".contains($0) })
        #expect(certificate.notBefore == 1_577_836_800 && certificate.notAfter == 4_102_358_400)
    }
}
