// Which trailers go on.

import Admission
import Bytes
import HTTPWire
import Testing

@Suite struct TrailerRuleTests {
    private static let hygiene = HeaderHygiene(policy: AdmissionPolicy(issuers: []))

    private static func trailers(
        _ section: String, of request: String, tokens: [TokenSource] = [.authorization]
    ) -> String {
        let bytes = Array(request.utf8)
        let rule = TrailerRule.fromClient(
            Fixture.parse(bytes), in: bytes.span, hygiene: hygiene, tokens: TokenPlaces(tokens))
        return written(section, rule)
    }

    private static func written(_ section: String, _ rule: TrailerRule) -> String {
        let bytes = Array("0\r\n\(section)\r\n".utf8)
        var decoder = ChunkedDecoder()
        guard case .end(_, let fields)? = try? decoder.next(bytes.span) else { return "no trailers" }
        let out = ByteBuffer(capacity: 64)
        rule.append(fields, from: bytes.span, to: out)
        return out.text
    }

    private static func request(connection: String) -> String {
        "POST / HTTP/1.1\r\nHost: a\r\n\(connection)Transfer-Encoding: chunked\r\n\r\n"
    }

    @Test(arguments: [
        "X-Auth-Subject: a", "x_auth_subject: a", "X.AUTH.Role: a", "X-Forwarded-For: a", "Forwarded: for=a",
        "X-Request-Id: a", "Authorization: Bearer a", "Cookie: a", "Host: a", "Content-Length: 5", "Connection: a",
        "Transfer-Encoding: chunked", "Trailer: a", "Expect: 100-continue",
    ])
    func `What a client may not say in a head it may not say behind the body`(line: String) {
        let section = "X-Before: 1\r\n\(line)\r\nX-After: 2\r\n"
        let request = Self.request(connection: "Connection: keep-alive, TE\r\n")
        #expect(Self.trailers(section, of: request) == "X-Before: 1\r\nX-After: 2\r\n")
    }

    @Test func `A header that tokens are taken from brings none behind the body`() {
        let section = "X-Access-Token: a\r\nx_access.token: a\r\nX-Access: 1\r\n"
        let request = Self.request(connection: "")
        #expect(Self.trailers(section, of: request, tokens: [.header("X-Access-Token")]) == "X-Access: 1\r\n")
        #expect(Self.trailers(section, of: request) == section)
    }

    @Test(arguments: [("close", true), ("Keep-Alive, te,Upgrade", true), ("X-Sum", false), ("close, X-Other", false)])
    func `Where Connection nominates fields no trailer goes on`(connection: String, passed: Bool) {
        let request = Self.request(connection: "Connection: \(connection)\r\n")
        #expect(Self.trailers("X-Sum: 1\r\n", of: request) == (passed ? "X-Sum: 1\r\n" : ""))
    }

    @Test func `A backend's trailers go on, and none do where there is no place for them`() {
        #expect(Self.written("X-Auth-Subject: a\r\nSet-Cookie: b\r\n", .fromBackend) == "X-Auth-Subject: a\r\n")
        #expect(Self.written("X-Sum: 1\r\n", .none) == "")
    }
}
