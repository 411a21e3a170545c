// What a verify location answers, as raw bytes.

import Bytes
import Testing

@testable import Admission

@Suite struct VerifyResponseTests {
    private static func response(
        to policy: RoutePolicy = RoutePolicy(), _ lines: [String], by authenticator: Authenticator = Fixture.authenticator(),
        close: Bool = false
    ) -> String {
        let bytes = Array(("GET /v HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
        let head = Fixture.parse(bytes)
        let verdict = Route(policy).judge(
            head, in: bytes.span, by: authenticator, at: Fixture.instant(), certificate: nil, mayAwaitKeys: false)
        guard case .forward(let admittance) = verdict else { return "refused" }
        let out = ByteBuffer(capacity: 16)
        admittance.writeVerifyResponse(
            into: out, at: Fixture.instant(), requestID: Array("4bf92f3577b34da6".utf8).span, close: close)
        return out.readable.text()
    }

    /// The lines that a backend gets of the same admittance.
    private static func identityLines(_ token: String) throws -> String {
        let identity = try #require(Fixture.authenticator().decide(token).identity)
        let out = ByteBuffer(capacity: 16)
        identity.appendFields(to: out)
        return out.readable.text()
    }

    @Test func `A good token gets 200 and the very fields that a backend gets`() throws {
        let token = Fixture.token()
        #expect(
            Self.response(["Authorization: Bearer \(token)"]) == """
                HTTP/1.1 200 OK\r
                Date: Fri, 15 Jan 2027 08:00:00 GMT\r
                \(try Self.identityLines(token))Cache-Control: no-store\r
                X-Request-Id: 4bf92f3577b34da6\r
                Content-Length: 0\r
                \r

                """)
    }

    @Test func `Without a token that was verified, the answer says so and names nobody`() {
        let report = Self.response(to: RoutePolicy(enforcement: .reportOnly), ["X-Auth-Subject: mallory"], close: true)
        #expect(
            report == """
                HTTP/1.1 200 OK\r
                Date: Fri, 15 Jan 2027 08:00:00 GMT\r
                X-Auth-Status: report_only; reason=missing_token\r
                Cache-Control: no-store\r
                X-Request-Id: 4bf92f3577b34da6\r
                Content-Length: 0\r
                Connection: close\r
                \r

                """)
    }
}
