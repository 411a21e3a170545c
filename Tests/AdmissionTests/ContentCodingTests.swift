// Which responses are compressed, and what the head then says: request and response as raw bytes in, a head out.

import Bytes
import HTTPWire
import Testing

@testable import Admission

@Suite struct ContentCodingTests {
    private static let json = "Content-Type: application/json\r\n"
    private static let long = "Content-Length: 5000\r\n"
    private static let on = GzipPolicy(isOn: true)

    // MARK: The decision

    /// Status and fields.
    private static let compressible: [(String, String)] = [
        ("200 OK", "\(json)\(long)"),
        ("200 OK", "\(json)Transfer-Encoding: chunked\r\n"),
        ("200 OK", "\(json)"),
        ("404 Not Found", "Content-Type: application/problem+json\r\n\(long)"),
        ("500 Oops", "\(json)\(long)"),
        ("200 OK", "Content-Type: Application/JSON; charset=utf-8\r\n\(long)"),
        ("200 OK", "Content-Type: text/html ;charset=utf-8\r\n\(long)"),
        ("200 OK", "\(json)Content-Length: 1024\r\n"),
        ("200 OK", "\(json)\(long)Cache-Control: no-store\r\n"),
        ("200 OK", "\(json)\(long)Cache-Control: max-age=5, x-no-transform\r\n"),
    ]

    private static let untouched: [(String, String)] = [
        ("204 No Content", "\(json)"),
        ("205 Reset Content", "\(json)\(long)"),
        ("103 Early Hints", "\(json)"),
        ("206 Partial Content", "\(json)\(long)Content-Range: bytes 0-4999/9000\r\n"),
        ("206 Partial Content", "\(json)\(long)"),
        ("200 OK", "\(json)\(long)Content-Range: bytes 0-4999/9000\r\n"),
        ("416 Range Not Satisfiable", "\(json)\(long)Content-Range: bytes */9000\r\n"),
        ("200 OK", "\(json)\(long)Content-Encoding: br\r\n"),
        ("200 OK", "\(json)\(long)Content-Encoding: gzip\r\n"),
        ("200 OK", "\(json)\(long)Content-Encoding: identity\r\n"),
        ("200 OK", "\(json)\(long)Content-Encoding:\r\n"),
        ("200 OK", "\(json)\(long)Cache-Control: no-transform\r\n"),
        ("200 OK", "\(json)\(long)Cache-Control: public, No-Transform\r\n"),
        ("200 OK", "\(json)\(long)Cache-Control: public\r\nCache-Control: max-age=1,no-transform\r\n"),
        ("200 OK", "\(long)"),
        ("200 OK", "Content-Type:\r\n\(long)"),
        ("200 OK", "Content-Type: image/png\r\n\(long)"),
        ("200 OK", "Content-Type: application/jsonx\r\n\(long)"),
        ("200 OK", "\(json)\(json)\(long)"),
        ("200 OK", "\(json)Content-Length: 1023\r\n"),
        ("200 OK", "\(json)Content-Length: 0\r\n"),
    ]

    @Test(arguments: compressible)
    func `A response that can be compressed is, for those who take gzip; and for others its cached copies are kept apart`(
        status: String, fields: String
    ) {
        #expect(Self.coding(status, fields) == .gzip)
        #expect(Self.coding(status, fields, request: "") == .identity)
        #expect(Self.coding(status, fields, request: "Accept-Encoding: gzip;q=0\r\n") == .identity)
        #expect(Self.coding(status, fields, version: "1.0") == .identity)
        #expect(
            Self.coding(status, fields, request: "Accept-Encoding: gzip\r\nCache-Control: no-transform\r\n") == .identity)
        #expect(Self.coding(status, fields, policy: GzipPolicy()) == .asReceived)
    }

    @Test(arguments: untouched)
    func `A response that nobody gets compressed goes as it came`(status: String, fields: String) {
        #expect(Self.coding(status, fields) == .asReceived)
        #expect(Self.coding(status, fields, request: "") == .asReceived)
    }

    @Test func `The policy says which types, and from which length on`() {
        let own = GzipPolicy(isOn: true, types: .listed([Array("image/png".utf8)]), lengthMin: 10)
        #expect(Self.coding("200 OK", "Content-Type: image/PNG\r\nContent-Length: 10\r\n", policy: own) == .gzip)
        #expect(Self.coding("200 OK", "Content-Type: image/png\r\nContent-Length: 9\r\n", policy: own) == .asReceived)
        #expect(Self.coding("200 OK", Self.json + Self.long, policy: own) == .asReceived)
        let all = GzipPolicy(isOn: true, types: .all, lengthMin: 0)
        #expect(Self.coding("200 OK", "Content-Type: x/y\r\nContent-Length: 1\r\n", policy: all) == .gzip)
        #expect(Self.coding("200 OK", "Content-Type: x/y\r\nContent-Length: 0\r\n", policy: all) == .asReceived)
        #expect(Self.coding("200 OK", "Content-Length: 1\r\n", policy: all) == .asReceived)
    }

    // MARK: The head

    @Test func `A compressed response says what it is now, and nothing of what it was`() {
        let (head, outcome) = Self.downstream(
            "200 OK",
            """
            \(Self.json)Content-Length: 5000\r
            ETag: "abc"\r
            Accept-Ranges: bytes\r
            Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r
            digest: sha-256=abc\r
            Content-Digest: sha-256=:abc:\r
            REPR-DIGEST: sha-256=:abc:\r
            Want-Repr-Digest: sha-256=1\r
            X-Stay: 1\r
            Date: Sun, 06 Nov 1994 08:49:37 GMT\r

            """)
        #expect(
            head == """
                HTTP/1.1 200 OK\r
                \(Self.json)ETag: W/"abc"\r
                Want-Repr-Digest: sha-256=1\r
                X-Stay: 1\r
                Date: Sun, 06 Nov 1994 08:49:37 GMT\r
                Vary: Accept-Encoding\r
                Content-Encoding: gzip\r
                Transfer-Encoding: chunked\r
                \r

                """)
        #expect(outcome == .init(body: .chunked, closes: false))
    }

    @Test func `The same response to a client without gzip only says that there is another one`() {
        let fields = Self.json + "Content-Length: 5000\r\nETag: \"abc\"\r\nAccept-Ranges: bytes\r\nContent-MD5: x\r\n"
        let (head, outcome) = Self.downstream("200 OK", fields, request: "")
        #expect(
            head == "HTTP/1.1 200 OK\r\n" + fields.replacing("Content-Length: 5000\r\n", with: "") + Self.date
                + "Vary: Accept-Encoding\r\nContent-Length: 5000\r\n\r\n")
        #expect(outcome == .init(body: .length(5000), closes: false))
    }

    @Test(arguments: [
        (["\"abc\""], ["W/\"abc\""]), (["\"\""], ["W/\"\""]), (["W/\"abc\""], ["W/\"abc\""]), (["abc"], []), ([""], []),
        (["w/\"abc\""], []), (["\"a,b\""], ["W/\"a,b\""]),
    ] as [([String], [String])])
    func `An entity-tag is weak or absent`(sent: [String], expected: [String]) {
        let (head, _) = Self.downstream("200 OK", Self.json + sent.map { "ETag: \($0)\r\n" }.joined())
        #expect(Self.values("ETag", head) == expected)
    }

    @Test(arguments: [
        ([], "Accept-Encoding"), (["Origin"], "Origin, Accept-Encoding"),
        (["Origin", "Cookie,  Accept"], "Origin, Cookie, Accept, Accept-Encoding"), ([""], "Accept-Encoding"),
        ([", ,Origin,"], "Origin, Accept-Encoding"), (["accept-encoding"], "accept-encoding"),
        (["Accept-Encoding, Origin"], "Accept-Encoding, Origin"), (["*"], "*"), (["Origin", "*"], "Origin, *"),
        (["X-Accept-Encoding"], "X-Accept-Encoding, Accept-Encoding"),
    ] as [([String], String)])
    func `Vary is one line with Accept-Encoding in it once, compressed or not`(sent: [String], expected: String) {
        let fields = Self.json + Self.long + sent.map { "Vary: \($0)\r\n" }.joined()
        for request in ["Accept-Encoding: gzip\r\n", ""] {
            #expect(Self.values("Vary", Self.downstream("200 OK", fields, request: request).head) == [expected])
        }
    }

    @Test func `A Vary that was meant for this hop is not passed on`() {
        let (head, _) = Self.downstream("200 OK", "Connection: Vary\r\nVary: Origin\r\n" + Self.json + Self.long)
        #expect(Self.values("Vary", head) == ["Accept-Encoding"])
    }

    @Test func `The response to a HEAD has the head of that to a GET, without what only the body would tell`() {
        let fields = Self.json + Self.long + "ETag: \"abc\"\r\nAccept-Ranges: bytes\r\n"
        let (head, outcome) = Self.downstream("200 OK", fields, method: "HEAD")
        let ofGet = Self.downstream("200 OK", fields).head
        #expect(head == ofGet.replacing("Transfer-Encoding: chunked\r\n", with: ""))
        #expect(outcome == .init(body: .none, closes: false))
        // Where a GET would get it as it is, the length is known.
        #expect(Self.values("Content-Length", Self.downstream("200 OK", fields, request: "", method: "HEAD").head) == ["5000"])
        let short = Self.json + "Content-Length: 100\r\n"
        #expect(Self.downstream("200 OK", short, method: "HEAD").head.contains("Content-Encoding") == false)
    }

    @Test(arguments: [
        // (If-None-Match, what the backend's 304 says, what the client's does)
        ("W/\"abc\"", "ETag: \"abc\"\r\nContent-Length: 5000\r\n", "ETag: W/\"abc\"\r\n"),
        ("\"x\", W/\"abc\"", "ETag: \"abc\"\r\n", "ETag: W/\"abc\"\r\n"),
        ("\"abc\"", "ETag: \"abc\"\r\nContent-Length: 5000\r\n", "ETag: \"abc\"\r\n"),
        ("*", "ETag: \"abc\"\r\n", "ETag: \"abc\"\r\n"),
    ] as [(String, String, String)])
    func `A 304 has the tag that the client knows its copy by, keeps copies apart, and names no coding or length`(
        held: String, sent: String, expected: String
    ) {
        let (head, outcome) = Self.downstream(
            "304 Not Modified", sent, request: "Accept-Encoding: gzip\r\nIf-None-Match: \(held)\r\n")
        #expect(
            head == "HTTP/1.1 304 Not Modified\r\n\(expected)\(Self.date)Vary: Accept-Encoding\r\n\r\n")
        #expect(outcome == .init(body: .none, closes: false))
    }

    @Test func `A 304 for what is never compressed, or to whom nothing is, stays as it is`() {
        let gzip = "Accept-Encoding: gzip\r\nIf-None-Match: W/\"abc\"\r\n"
        #expect(Self.coding("304 Not Modified", "Content-Type: image/png\r\n", request: gzip) == .asReceived)
        #expect(Self.coding("304 Not Modified", "Content-Encoding: br\r\n", request: gzip) == .asReceived)
        #expect(Self.coding("304 Not Modified", "", request: "If-None-Match: W/\"abc\"\r\n") == .identity)
    }

    // MARK: Support

    private static let date = "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n"

    private static func coding(
        _ status: String, _ fields: String, request: String = "Accept-Encoding: br, gzip\r\n", version: String = "1.1",
        method: String = "GET", policy: GzipPolicy = on
    ) -> ContentCoding {
        let request = Array("\(method) / HTTP/\(version)\r\nHost: a\r\n\(request)\r\n".utf8)
        let preference = CodingPreference(Fixture.parse(request), in: request.span)
        let response = Array("HTTP/1.1 \(status)\r\n\(fields)\r\n".utf8)
        return policy.coding(of: parse(response, method), in: response.span, to: preference)
    }

    private static func downstream(
        _ status: String, _ fields: String, request: String = "Accept-Encoding: gzip\r\n", method: String = "GET"
    ) -> (head: String, outcome: DownstreamResponseHead.Outcome) {
        let response = Array("HTTP/1.1 \(status)\r\n\(fields)\r\n".utf8)
        let out = ByteBuffer(capacity: 1)
        let outcome = DownstreamResponseHead.write(
            parse(response, method), from: response.span, to: .http11, at: Fixture.instant(), close: false,
            coding: coding(status, fields, request: request, method: method), requestID: Span(), into: out)
        return (out.text, outcome)
    }

    private static func parse(_ response: [UInt8], _ method: String) -> ResponseHead {
        var parser = ResponseHeadParser(headBytesMax: 65_536)
        precondition(try! parser.parse(response.span, requestMethod: method == "HEAD" ? .head : .get))
        return parser.head
    }

    private static func values(_ name: String, _ head: String) -> [String] {
        head.split(separator: "\r\n").filter { $0.lowercased().hasPrefix(name.lowercased() + ":") }.map {
            String($0.drop { $0 != ":" }.dropFirst(2))
        }
    }
}
