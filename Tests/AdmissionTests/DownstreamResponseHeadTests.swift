// What the client gets, as raw bytes.

import Bytes
import HTTPWire
import Testing

@testable import Admission

@Suite struct DownstreamResponseHeadTests {
    private static let date = "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n"

    @Test func `A response is written anew, with a date`() {
        let (head, outcome) = Self.downstream(
            "HTTP/1.1 201 Made It\r\ncontent-length: 3\r\nX-Powered-By:  x\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n")
        #expect(
            head == """
                HTTP/1.1 201 Made It\r
                X-Powered-By: x\r
                Set-Cookie: a\r
                Set-Cookie: b\r
                \(Self.date)Content-Length: 3\r
                \r

                """)
        #expect(outcome == .init(body: .length(3), closes: false))
    }

    @Test func `The backend's date stays`() {
        let sent = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        let (head, _) = Self.downstream("HTTP/1.1 200 OK\r\n\(sent)Content-Length: 0\r\n\r\n")
        #expect(head == "HTTP/1.1 200 OK\r\n\(sent)Content-Length: 0\r\n\r\n")
    }

    @Test func `Hop-by-hop fields and those that Connection nominates end here`() {
        let (head, _) = Self.downstream(
            """
            HTTP/1.1 200 OK\r
            Connection: close, X-Hop\r
            Keep-Alive: timeout=5\r
            Proxy-Authenticate: Basic\r
            Upgrade: h2c\r
            X-Hop: 1\r
            X-Stay: 2\r
            Content-Length: 0\r
            \r

            """)
        #expect(head == "HTTP/1.1 200 OK\r\nX-Stay: 2\r\n\(Self.date)Content-Length: 0\r\n\r\n")
    }

    @Test(arguments: [
        ("", true), ("Cache-Control: public, max-age=60\r\n", true), ("Cache-Control: no-cache\r\n", true),
        ("Cache-Control: private=\"set-cookie\"\r\n", true), ("Cache-Control: max-age=5, Private\r\n", false),
        ("Cache-Control: max-age=5\r\nCache-Control: no-store\r\n", false), ("X: private\r\n", true),
    ])
    func `What answers a URL with a token is for no shared cache, and what the backend says stays`(
        fields: String, isAdded: Bool
    ) {
        let response = "HTTP/1.1 200 OK\r\nDate: x\r\n\(fields)Content-Length: 0\r\n\r\n"
        let bytes = Array(response.utf8)
        var parser = ResponseHeadParser(headBytesMax: 65_536)
        #expect((try? parser.parse(bytes.span, requestMethod: .get)) == true)
        for isPrivate in [true, false] {
            let out = ByteBuffer(capacity: 1)
            DownstreamResponseHead.write(
                parser.head, from: bytes.span, to: .http11, at: Fixture.instant(), close: false, requestID: Span(),
                isPrivate: isPrivate, into: out)
            let added = isPrivate && isAdded ? "Cache-Control: private\r\n" : ""
            #expect(out.text == "HTTP/1.1 200 OK\r\nDate: x\r\n\(fields)\(added)Content-Length: 0\r\n\r\n")
        }
    }

    @Test func `Trailers are announced where there is a place for them`() {
        let response = "HTTP/1.1 200 OK\r\nDate: x\r\nTrailer: X-Sum\r\n"
        let (chunked, _) = Self.downstream(response + "Transfer-Encoding: chunked\r\n\r\n")
        #expect(chunked.contains("\r\nTrailer: X-Sum\r\n"))
        let (whole, _) = Self.downstream(response + "Content-Length: 2\r\n\r\n")
        #expect(!whole.contains("Trailer"))
    }

    @Test func `A switch of protocols names the one that was offered, and frames nothing`() throws {
        let response = """
            HTTP/1.1 101 Switching Protocols\r
            Connection: upgrade, X-Hop\r
            X-Hop: 1\r
            Upgrade: WEBSOCKET\r
            Sec-WebSocket-Accept: x\r
            Content-Length: 0\r
            \r

            """
        let bytes = Array(response.utf8)
        var parser = ResponseHeadParser(headBytesMax: 4096)
        let isComplete = try parser.parse(bytes.span, requestMethod: .get)
        let offered = Array("websocket".utf8)
        let switches = parser.head.switches(to: offered.span, in: bytes.span)
        #expect(isComplete && switches)
        let out = ByteBuffer(capacity: 64)
        DownstreamResponseHead.writeSwitch(parser.head, from: bytes.span, to: offered.span, into: out)
        #expect(
            out.text == """
                HTTP/1.1 101 Switching Protocols\r
                Sec-WebSocket-Accept: x\r
                Connection: upgrade\r
                Upgrade: websocket\r
                \r

                """)
    }

    @Test(arguments: [
        "Upgrade: websocket\r\n", "Connection: upgrade\r\n", "Connection: upgrade\r\nUpgrade: h2c\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n",
        "Connection: upgrade\r\nUpgrade: websocket, x\r\n", "",
    ])
    func `A 101 that does not name the protocol switches to nothing`(fields: String) throws {
        let bytes = Array("HTTP/1.1 101 x\r\n\(fields)\r\n".utf8)
        var parser = ResponseHeadParser(headBytesMax: 4096)
        let isComplete = try parser.parse(bytes.span, requestMethod: .get)
        let offered = Array("websocket".utf8)
        let switches = parser.head.switches(to: offered.span, in: bytes.span)
        #expect(isComplete && !switches)
    }

    @Test(arguments: [
        (
            "Transfer-Encoding: chunked\r\n", HTTPVersion.http11, "Transfer-Encoding: chunked\r\n", BodyFraming.chunked,
            false
        ),
        ("Transfer-Encoding: chunked\r\n", .http10, "Connection: close\r\n", .untilClose, true),
        ("", .http11, "Transfer-Encoding: chunked\r\n", .chunked, false),
        ("", .http10, "Connection: close\r\n", .untilClose, true),
        ("Content-Length: 7\r\n", .http10, "Content-Length: 7\r\nConnection: keep-alive\r\n", .length(7), false),
    ])
    func `The framing suits the client's version`(
        sent: String, version: HTTPVersion, expected: String, body: BodyFraming, closes: Bool
    ) {
        let (head, outcome) = Self.downstream("HTTP/1.1 200 OK\r\n\(sent)\r\n", to: version)
        #expect(head == "HTTP/1.1 200 OK\r\n\(Self.date)\(expected)\r\n")
        #expect(outcome == .init(body: body, closes: closes))
    }

    @Test(arguments: [HTTPVersion.http10, .http11])
    func `A connection that closes says so`(version: HTTPVersion) {
        let (head, outcome) = Self.downstream(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", to: version, close: true)
        #expect(head == "HTTP/1.1 200 OK\r\n\(Self.date)Content-Length: 0\r\nConnection: close\r\n\r\n")
        #expect(outcome.closes)
    }

    @Test(arguments: [(Method.head, 200), (.get, 304)])
    func `A response without a body keeps the length that it tells`(method: HTTPWire.Method, status: Int) {
        let (head, outcome) = Self.downstream("HTTP/1.1 \(status) X\r\nContent-Length: 12\r\n\r\n", for: method)
        #expect(head == "HTTP/1.1 \(status) X\r\nContent-Length: 12\r\n\(Self.date)\r\n")
        #expect(outcome == .init(body: .none, closes: false))
    }

    @Test func `A 204 has no framing`() {
        let (head, outcome) = Self.downstream("HTTP/1.1 204 No Content\r\nX: y\r\n\r\n")
        #expect(head == "HTTP/1.1 204 No Content\r\nX: y\r\n\(Self.date)\r\n")
        #expect(outcome == .init(body: .none, closes: false))
    }

    @Test func `An interim response has neither framing nor a word on the connection`() {
        let (head, outcome) = Self.downstream(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: close\r\n\r\n", close: true)
        #expect(head == "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        #expect(outcome == .init(body: .none, closes: false))
    }

    @Test func `A final response bears its request's name, unless the backend gave it one`() {
        let plain = "Date: x\r\nContent-Length: 0\r\n\r\n"
        let (named, _) = Self.downstream("HTTP/1.1 200 OK\r\n" + plain, requestID: "r-1")
        #expect(named == "HTTP/1.1 200 OK\r\nDate: x\r\nX-Request-Id: r-1\r\nContent-Length: 0\r\n\r\n")
        let (own, _) = Self.downstream("HTTP/1.1 200 OK\r\nx-request-id: own\r\n" + plain, requestID: "r-1")
        #expect(own == "HTTP/1.1 200 OK\r\nx-request-id: own\r\n" + plain)
        let (interim, _) = Self.downstream("HTTP/1.1 103 Early Hints\r\n\r\n", requestID: "r-1")
        #expect(interim == "HTTP/1.1 103 Early Hints\r\n\r\n")
    }

    @Test func `A 426 says which protocols it wants, and no other response does`() {
        let fields = "Date: x\r\nConnection: Upgrade\r\nUpgrade: websocket, IRC/6.9\r\nContent-Length: 0\r\n\r\n"
        let wanted = "HTTP/1.1 426 Upgrade Required\r\n"
        let offer = "Date: x\r\nContent-Length: 0\r\nUpgrade: websocket, IRC/6.9\r\n"
        #expect(Self.downstream(wanted + fields).0 == wanted + offer + "Connection: upgrade\r\n\r\n")
        #expect(Self.downstream(wanted + fields, close: true).0 == wanted + offer + "Connection: close, upgrade\r\n\r\n")
        // HTTP/1.0 has no upgrade (RFC 9110 §7.8).
        let plain = "Date: x\r\nContent-Length: 0\r\n"
        #expect(Self.downstream(wanted + fields, to: .http10).0 == wanted + plain + "Connection: keep-alive\r\n\r\n")
        #expect(Self.downstream("HTTP/1.1 200 OK\r\n" + fields).0 == "HTTP/1.1 200 OK\r\n" + plain + "\r\n")
    }

    @Test func `A response from an HTTP/1.0 backend with an empty reason is one of HTTP/1.1`() {
        let (head, _) = Self.downstream("HTTP/1.0 200 \r\nContent-Length: 1\r\n\r\n")
        #expect(head == "HTTP/1.1 200 \r\n\(Self.date)Content-Length: 1\r\n\r\n")
    }

    @Test func `The client of a legacy audience is told so, in place of the backend's own dates`() throws {
        let authenticator = Fixture.authenticator(
            Fixture.policy {
                $0.legacyAudiences = [
                    LegacyAudience(audience: "old", name: "old", deprecatedAt: 1, acceptUntil: Fixture.now + 60)
                ]
            })
        let identity = try #require(authenticator.decide(Fixture.token(["aud": "\"old\""])).identity)
        let response =
            "HTTP/1.1 200 OK\r\ndeprecation: @7\r\nSUNSET: Thu, 01 Jan 1970 00:00:00 GMT\r\nLink: </a>; rel=next\r\n"
            + "\(Self.date)Content-Length: 1\r\n\r\n"
        #expect(
            Self.downstream(response, identity: identity).0 == """
                HTTP/1.1 200 OK\r
                Link: </a>; rel=next\r
                \(Self.date)Deprecation: @1\r
                Sunset: Fri, 15 Jan 2027 08:01:00 GMT\r
                Content-Length: 1\r
                \r

                """)
        #expect(
            Self.downstream("HTTP/1.1 103 Early Hints\r\nSunset: x\r\n\r\n", identity: identity).0
                == "HTTP/1.1 103 Early Hints\r\nSunset: x\r\n\r\n")
        let moved = try #require(authenticator.decide(Fixture.token()).identity)
        #expect(Self.downstream(response, identity: moved).0 == response)
    }

    private static func downstream(
        _ response: String, to version: HTTPVersion = .http11, for method: HTTPWire.Method = .get, close: Bool = false,
        identity: Identity? = nil, requestID: String = ""
    ) -> (String, DownstreamResponseHead.Outcome) {
        let bytes = Array(response.utf8)
        var parser = ResponseHeadParser(headBytesMax: 65_536)
        precondition(try! parser.parse(bytes.span, requestMethod: method))
        let requestID = Array(requestID.utf8)
        let out = ByteBuffer(capacity: 1)
        let outcome = DownstreamResponseHead.write(
            parser.head, from: bytes.span, to: version, at: Fixture.instant(), close: close, identity: identity,
            requestID: requestID.span, into: out)
        return (out.text, outcome)
    }
}
