// Tokens that are bound to a client's certificate (RFC 8705), and the fields that tell of one.

import Bytes
import HTTPWire
import Testing

@testable import Admission

@Suite struct CertificateBindingTests {
    private static let own = CertificateThumbprint(sha256: (0..<32).map { UInt8($0 * 8) })
    private static let other = CertificateThumbprint(sha256: (0..<32).map { UInt8($0 * 8 + ($0 == 31 ? 1 : 0)) })

    private static func confirmation(_ thumbprint: CertificateThumbprint) -> String {
        let bytes = thumbprint.bytes
        return "{\"x5t#S256\":\"\(String(decoding: Base64URL.encode(bytes.span), as: UTF8.self))\"}"
    }

    @Test("a bound token is good with its certificate alone, remembered or not")
    func bound() throws {
        let authenticator = Fixture.authenticator()
        let token = Fixture.token(["cnf": Self.confirmation(Self.own)])
        func decide(_ certificate: CertificateThumbprint?) -> Decision {
            authenticator.decide(token, certificate: certificate, isExplained: false)
        }
        // Verified anew, then remembered.
        for round in 0..<2 {
            let without = try #require(decide(nil).refusal, "round \(round)")
            #expect(without.code == .certificateMismatch && without.issuerIndex == 0)
            #expect(without.detail.contains("has shown none"))
            #expect(decide(Self.other).refusal?.code == .certificateMismatch)
            #expect(decide(Self.own).identity != nil)
        }
        #expect(authenticator.counters.cacheHits > 0)
        #expect(Fixture.authenticator().decide(Fixture.token(), certificate: Self.own).identity != nil)
    }

    @Test("what else it lacks is told first")
    func order() {
        let expired = Fixture.token(["cnf": Self.confirmation(Self.own), "exp": "\(Fixture.now - 100)"])
        #expect(Fixture.authenticator().decide(expired).refusal?.code == .tokenExpired)
    }

    @Test("terse tells less", arguments: [nil, other])
    func terse(certificate: CertificateThumbprint?) throws {
        let token = Fixture.token(["cnf": Self.confirmation(Self.own)])
        let refusal = try #require(
            Fixture.authenticator(detail: .terse).decide(token, certificate: certificate, isExplained: false).refusal)
        #expect(refusal == Refusal(.certificateMismatch, issuerIndex: 0))
    }

    @Test("a cnf that cannot be read does not pass as none", arguments: [
        "\"x\"", "[]", "null", "{\"x5t#S256\":1}", "{\"x5t#S256\":\"\"}", "{\"x5t#S256\":\"AAAA\"}", "{\"x5t#S256\":null}",
        "{\"x5t#S256\":\"\(String(repeating: "A", count: 42))=\"}", "{\"x5t#S256\":\"\(String(repeating: "A", count: 42))B\"}",
    ])
    func malformed(value: String) throws {
        let refusal = try #require(Fixture.authenticator().decide(Fixture.token(["cnf": value])).refusal)
        #expect(refusal.code == .malformedClaim)
    }

    @Test("other ways to confirm a holder are not ours to check")
    func unknown() {
        #expect(Fixture.authenticator().decide(Fixture.token(["cnf": "{\"kid\":\"1\"}"])).identity != nil)
    }

    @Test("an explanation says what a bound token is bound to")
    func explained() {
        let explanation = Fixture.authenticator().explain(Fixture.token(["cnf": Self.confirmation(Self.own)]))
        #expect(explanation.isAdmitted)
        #expect(explanation.text().contains("certificate_mismatch"))
        #expect(explanation.text().filter { !$0.isWhitespace }.contains(Self.own.hexadecimal))
    }

    @Test("the certificate's fields are one line each, whatever its names hold, and nobody can send them")
    func fields() {
        let certificate = ClientCertificate(
            sha256: Self.own.bytes, subject: "CN=a\r\nX-Evil: 1,O=\u{f6}%", issuer: " CN=ca ", serialNumber: "0AFF")
        #expect(String(decoding: certificate.fieldLines, as: UTF8.self) == """
            X-Auth-Client-Certificate-Subject: CN=a%0D%0AX-Evil: 1,O=%C3%B6%25\r
            X-Auth-Client-Certificate-Issuer: %20CN=ca%20\r
            X-Auth-Client-Certificate-Serial: 0AFF\r
            X-Auth-Client-Certificate-SHA256: 0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8\r

            """)
        #expect(String(decoding: certificate.subjectJSON, as: UTF8.self) == "CN=a\\r\\nX-Evil: 1,O=\\u00f6%")
        let hygiene = HeaderHygiene(
            policy: AdmissionPolicy(issuers: [Fixture.policy()], reservedHeaderPrefixes: ["X-Other-"]))
        for name in ClientCertificate.fieldNames + ["x_auth_client_certificate_sha256"] {
            let bytes = Array(name.utf8)
            let isReserved = hygiene.isReserved(bytes.span, fromTrusted: true)
            #expect(isReserved)
            #expect(ForwardedHeaderName.objection(to: name) == .isOurs)
        }
    }
}
