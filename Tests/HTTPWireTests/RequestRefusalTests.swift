// Requests that are refused, as raw bytes, and with which status. Each is also fed byte by byte: a refusal must not
// depend on how the bytes were cut.

import FuzzTargets
import HTTPWire
import Testing

private func expectRefused(
    _ request: String, _ kind: RequestError.Kind, limits: Limits = Limits(),
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let whole = parseRequest(octets(request), limits: limits)
    guard case .refused(let error) = whole else {
        Issue.record("not refused: \(whole)", sourceLocation: sourceLocation)
        return
    }
    #expect(error.kind == kind, sourceLocation: sourceLocation)
    #expect(!error.detail.isEmpty, sourceLocation: sourceLocation)
    #expect(parseRequestByteByByte(octets(request), limits: limits) == whole, sourceLocation: sourceLocation)
}

@Suite struct RequestRefusalTests {
    @Test(arguments: [
        // Both, or one of them twice.
        "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\ncontent-length: 6", "Content-Length: 5, 5",
        "Content-Length: 5,6", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "Transfer-Encoding: identity\r\nContent-Length: 5",
        // Not one decimal number within 64 bits.
        "Content-Length: +5", "Content-Length: -1", "Content-Length: 0x5", "Content-Length: 1_0", "Content-Length: 1e1",
        "Content-Length: 5 5", "Content-Length: 1Z", "Content-Length:", "Content-Length: \"5\"", "Content-Length: 5,",
        "Content-Length: 5.0", "Content-Length: \u{B2}", "Content-Length: 18446744073709551616",
        "Content-Length: 99999999999999999999", "Content-Length: 184467440737095516150",
        // Not exactly chunked.
        "Transfer-Encoding:", "Transfer-Encoding: ,chunked", "Transfer-Encoding: chunked,",
        "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: gzip",
        "Transfer-Encoding: deflate", "Transfer-Encoding: identity", "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: xchunked", "Transfer-Encoding: chunkedx", "Transfer-Encoding: chunked;x=y",
        "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked\u{0B}", "Transfer-Encoding: \u{0C}chunked",
        "Transfer-Encoding: chunked\u{A0}", "Transfer-Encoding: \u{FF}chunked", "Transfer-Encoding: chunked\u{00}",
        "Transfer-Encoding: chun ked", "Transfer-Encoding: gzip, chunked, gzip", "Transfer-Encoding: cow, chunked",
        // Names that a backend may read as framing.
        "Content_Length: 5", "CONTENT_LENGTH: 5", "Transfer_Encoding: chunked", "transfer.encoding: chunked",
        "Content-Length : 5", "Content-Length\t: 5", "Transfer-Encoding : chunked",
    ])
    func `Framing that could be read in two ways is a bad request`(fields: String) {
        expectRefused("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n", .badRequest)
        expectRefused("POST / HTTP/1.1\r\n\(fields)\r\nHost: a\r\n\r\n", .badRequest)
    }

    @Test(arguments: ["gzip, chunked", "x-gzip,CHUNKED", "deflate, chunked", "compress , gzip, chunked"])
    func `A known coding below chunked is not implemented`(coding: String) {
        expectRefused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \(coding)\r\n\r\n", .notImplemented)
    }

    @Test(arguments: ["chunked", "gzip, chunked", "identity"])
    func `HTTP 1.0 has no transfer codings`(coding: String) {
        expectRefused("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: \(coding)\r\n\r\n", .badRequest)
    }

    @Test(arguments: [
        // Folding, and white space where none belongs.
        "X: y\r\n z", "X: y\r\n\tz", " X: y", "\tX: y", "X : y", "X\t: y", "X y: z", " ",
        // Line ends.
        "X: y\nZ: w", "X: y\rZ: w", "X: y\r\r\nZ: w", "X: y\n", "X: y\u{00}", "\nX: y", "\rX: y", "X\r: y", "X\n: y",
        // Controls.
        "X: \u{01}", "X: a\u{08}b", "X: a\u{1F}b", "X: a\u{7F}b", "X: \u{0B}", "X: \u{0C}", "X: \u{1B}[0m",
        "X\u{00}: y",
        // Names.
        ": y", "no colon", "nocolon", "X\u{80}: y", "X\u{FF}Y: y", "\u{C3}\u{A9}: y", "X(: y", "X/Y: y", "X;: y",
        "\"X\": y",
        "X,Y: z", "X@: z", "[X]: z", "{X}: z", "X=Y: z", "X\\: y", "X?: y", "X<: y",
        "__proto__: x", "__PROTO__: x",
        // Lists that name nobody can say what.
        "Connection: a b", "Connection: close;", "Connection: \"close\"", "Connection: \u{E9}",
        "Connection: \(Array(repeating: "a", count: 33).joined(separator: ","))",
    ])
    func `A malformed field line is a bad request`(line: String) {
        expectRefused("GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n", .badRequest)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\n\n", "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1\r\nHost: a\r\n\rX", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n",
        "GET / HTTP/1.1\rHost: a\r\n\r\n", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ])
    func `A bare CR, a bare LF or a stray line is a bad request`(request: String) {
        expectRefused(request, .badRequest)
    }

    @Test(arguments: [
        "", "Host: a\r\nHost: a\r\n", "Host: a\r\nhost: b\r\n", "Host: a,b\r\n", "Host: a, b\r\n", "Host: a b\r\n",
        "Host: u@a\r\n", "Host: u:p@a\r\n", "Host: a/\r\n", "Host: a/b\r\n", "Host: http://a\r\n", "Host: a?\r\n",
        "Host: a#\r\n", "Host: a\\b\r\n", "Host: a:\r\n", "Host: :80\r\n", "Host: a:80:80\r\n", "Host: a:0\r\n",
        "Host: a:65536\r\n", "Host: a:8x\r\n", "Host: a:+8\r\n", "Host: a:000080\r\n", "Host: [::1\r\n", "Host: []\r\n",
        "Host: [::1]x\r\n", "Host: [::1]:\r\n", "Host: [g::1]\r\n", "Host: ::1\r\n", "Host: a]\r\n", "Host: a%20\r\n",
        "Host: a;b\r\n", "Host: 'a'\r\n", "Host: <a>\r\n", "Host: a\u{E9}\r\n", "Host: a\tb\r\n",
        "Host:\r\nHost: a\r\n",
    ])
    func `A Host that is not one host and port is a bad request`(fields: String) {
        expectRefused("GET / HTTP/1.1\r\n\(fields)\r\n", .badRequest)
    }

    @Test func `Two Hosts are a bad request on HTTP 1.0 too`() {
        expectRefused("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .badRequest)
    }

    @Test(arguments: [
        ("http://a/", "b"), ("http://a/", ""), ("http://a:80/", "a"), ("http://a/", "a:80"), ("http://a", "b"),
        ("https://[::1]/", "[::2]"), ("http:///x", ""), ("http://", ""), ("http://u@a/", "a"), ("http://u@a/", "u@a"),
        ("http://a:/", "a:"), ("http://a,b/", "a,b"), ("http://%61/", "a"), ("http://?x", ""),
    ])
    func `An absolute-form has a plain authority that agrees with Host`(target: String, host: String) {
        expectRefused("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n", .badRequest)
    }

    @Test(arguments: [
        "a", "a:80", "a/b", "*", "**", "?", "?x", ".", "*/x", "/*#", "ftp://a/", "file:///", "http:/a", "http:a", "htt",
        "http",
        "//\\a", "/a\\b", "/#", "/a#b", "/a?b#c", "/a\tb", "/\u{01}", "/\u{00}", "/\u{7F}", "/\u{80}", "/\u{C3}\u{A9}",
        "/\u{FF}",
        "/a\rb", "/a\nb", "/%00", "/%0d", "/%0D", "/%0a", "/%0A", "/?%00", "/?a=%0d%0a", "/%", "/%4", "/%4g", "/%g4",
        "/%%41",
        "/%u0041", "/?%", "/a%2", "http://a/%00", "http://a/#",
    ])
    func `A target that is no clean path or http URI is a bad request`(target: String) {
        expectRefused("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n", .badRequest)
    }

    @Test(arguments: [
        "GET  / HTTP/1.1\r\n", " GET / HTTP/1.1\r\n", "\tGET / HTTP/1.1\r\n", "GET\t/ HTTP/1.1\r\n",
        "GET /  HTTP/1.1\r\n",
        "GET / HTTP/1.1 \r\n", "GET /\tHTTP/1.1\r\n", "GET / HTTP/1.1\t\r\n", "GET /a b HTTP/1.1\r\n", "GET /\r\n",
        "GET / \r\n",
        "GET\r\n", "GET \r\n", "/ HTTP/1.1\r\n", "G(T / HTTP/1.1\r\n", "G\u{00}T / HTTP/1.1\r\n",
        "G\u{C9}T / HTTP/1.1\r\n",
        "\"GET\" / HTTP/1.1\r\n", "G:T / HTTP/1.1\r\n", "GET,POST / HTTP/1.1\r\n", "\u{16}\u{03}\u{01}\u{02}\u{00}",
    ])
    func `A malformed request line is a bad request`(line: String) {
        expectRefused("\(line)Host: a\r\n\r\n", .badRequest)
    }

    @Test(arguments: [
        "http/1.1", "Http/1.1", "HTTP/1.32", "HTTP/01.1", "HTTP/1.01", "HTTP/11.1", "HTTP/1", "HTTP/1.", "HTTP/.1",
        "HTTP/1.x",
        "HTTP/1,1", "HTTP-1.1", "HTTP1.1", "HTTPS/1.1", "HTTP/1.1x", "HTTP /1.1", "HTTP/ 1.1", "HTTP/+1.1", "XTTP/1.1",
        "1.1",
        "HTTP/1.\u{B9}", "HTTP/1.1\u{00}", "HTTP/2",
    ])
    func `A malformed version is a bad request`(version: String) {
        expectRefused("GET / \(version)\r\nHost: a\r\n\r\n", .badRequest)
    }

    @Test(arguments: ["HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/3.0", "HTTP/9.9"])
    func `A version that is not spoken is unsupported`(version: String) {
        expectRefused("GET / \(version)\r\nHost: a\r\n\r\n", .unsupportedVersion)
    }

    @Test(arguments: ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI / HTTP/1.1\r\nHost: a\r\n\r\n"])
    func `The HTTP 2 preface is an unsupported version, whatever follows its method`(text: String) {
        expectRefused(text, .unsupportedVersion)
    }

    @Test(arguments: ["CONNECT a:443", "CONNECT /", "TRACE /", "TRACE *"])
    func `CONNECT and TRACE are not served`(methodAndTarget: String) {
        expectRefused("\(methodAndTarget) HTTP/1.1\r\nHost: a\r\n\r\n", .methodNotAllowed)
    }

    @Test(arguments: [
        "Expect: 200-ok", "Expect:", "Expect: 100-continue, 100-continue", "Expect: 100-continue;x",
        "Expect: 100-continue\r\nExpect: 100-continue", "Expect: 100", "Expect: \"100-continue\"",
        "Expect: 100-continue, x",
    ])
    func `An expectation other than 100-continue fails`(field: String) {
        expectRefused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\(field)\r\n\r\n", .expectationFailed)
        expectRefused("POST / HTTP/1.0\r\n\(field)\r\n\r\n", .expectationFailed)
    }
}
