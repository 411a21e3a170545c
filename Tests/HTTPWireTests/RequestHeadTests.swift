// Requests that are served: what their heads say, and that the pieces they arrive in change nothing.

import Bytes
import FuzzTargets
import HTTPWire
import Testing

private func accepted(_ request: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> RequestHead {
    let bytes = octets(request)
    let whole = parseRequest(bytes)
    guard case .head(let head) = whole else {
        Issue.record("\(whole)", sourceLocation: sourceLocation)
        throw Refused()
    }
    #expect(parseRequestByteByByte(bytes) == whole, sourceLocation: sourceLocation)
    return head
}

private struct Refused: Error {}

@Suite struct RequestHeadTests {
    @Test func `A head is taken apart into places in its bytes`() throws {
        let request =
            "POST /orders/7?full=1 HTTP/1.1\r\nHost: api.example.com:8080\r\nX-Empty:\r\nAuthorization:\tBearer a.b.c \t\r\n"
            + "Content-Length: 5\r\n\r\nhello"
        let bytes = octets(request)
        let head = try accepted(request)
        #expect(head.method == .post)
        #expect(text(bytes, head.methodName) == "POST")
        #expect(text(bytes, head.target) == "/orders/7?full=1")
        #expect(text(bytes, head.path) == "/orders/7")
        #expect(head.query.map { text(bytes, $0) } == "full=1")
        #expect(head.authority.map { text(bytes, $0) } == "api.example.com:8080")
        #expect(head.version == .http11)
        #expect(head.fields.map { text(bytes, $0.name) } == ["Host", "X-Empty", "Authorization", "Content-Length"])
        #expect(head.fields.map { text(bytes, $0.value) } == ["api.example.com:8080", "", "Bearer a.b.c", "5"])
        #expect(head.fields.map(\.kind) == [.host, .other, .authorization, .contentLength])
        #expect(head.body == .length(5))
        #expect(head.isPersistent)
        #expect(!head.expectsContinue)
        #expect(!head.hasUpgrade)
        #expect(head.byteCount == bytes.count - 5)
        #expect(head.first(.authorization).map { text(bytes, $0.value) } == "Bearer a.b.c")
        #expect(head.first(.cookie) == nil)
        #expect(head.count(of: .host) == 1 && head.count(of: .origin) == 0)
    }

    @Test(arguments: [
        ("GET", Method.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("PATCH", .patch), ("DELETE", .delete),
        ("OPTIONS", .options), ("get", .other), ("PURGE", .other), ("M-SEARCH", .other),
        ("!#$%&'*+-.^_`|~09azAZ", .other),
    ])
    func `A method is a token, and known by its exact spelling`(name: String, method: HTTPWire.Method) throws {
        #expect(try accepted("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n").method == method)
    }

    @Test(
        arguments: [
            ("/", "/", nil), ("/a/b", "/a/b", nil), ("/?", "/", ""), ("/a?b?c", "/a", "b?c"),
            ("/%2e%C3%a4", "/%2e%C3%a4", nil),
            ("//a/../b;c", "//a/../b;c", nil), ("/{}|\"<>^`[]@!$&'()*+,=:~", "/{}|\"<>^`[]@!$&'()*+,=:~", nil),
            ("http://a/b?c", "/b", "c"), ("HTTP://A/", "/", nil), ("https://a", "", nil), ("http://a?x", "", "x"),
            ("/http://b/", "/http://b/", nil), ("/a?http://b/", "/a", "http://b/"),
        ] as [(String, String, String?)])
    func `A target is split into path and query`(target: String, path: String, query: String?) throws {
        let request = "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n"
        let head = try accepted(request)
        #expect(text(octets(request), head.path) == path)
        #expect(head.query.map { text(octets(request), $0) } == query)
        #expect(head.authority.map { text(octets(request), $0).lowercased() } == "a")
    }

    @Test func `The asterisk-form belongs to OPTIONS`() throws {
        let request = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(text(octets(request), try accepted(request).path) == "*")
    }

    @Test(arguments: [
        "a", "A.example.COM", "127.0.0.1:80", "[::1]", "[::ffff:1.2.3.4]:65535", "a_b-c.d~", "x:1",
    ])
    func `A Host of host and port is the authority`(host: String) throws {
        let request = "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n"
        #expect(try accepted(request).authority.map { text(octets(request), $0) } == host)
    }

    @Test func `An empty Host and HTTP 1.0 without one name no authority`() throws {
        #expect(try accepted("GET / HTTP/1.1\r\nHost:\r\n\r\n").authority == nil)
        #expect(try accepted("GET / HTTP/1.0\r\n\r\n").authority == nil)
    }

    @Test func `HTTP 1.0 in absolute-form has its authority without a Host`() throws {
        let request = "GET http://a:81/ HTTP/1.0\r\n\r\n"
        #expect(try accepted(request).authority.map { text(octets(request), $0) } == "a:81")
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: keep-alive\r\n", true), ("HTTP/1.1", "Connection: x,\t, CLOSE ,y\r\n", false),
        ("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("HTTP/1.1", "Connection: closed\r\n", true), ("HTTP/1.1", "Proxy-Connection: close\r\n", true),
        ("HTTP/1.0", "", false), ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false), ("HTTP/1.0", "Keep-Alive: timeout=5\r\n", false),
    ])
    func `A connection persists as its version and Connection say`(version: String, fields: String, persists: Bool)
        throws
    {
        #expect(try accepted("GET / \(version)\r\nHost: a\r\n\(fields)\r\n").isPersistent == persists)
    }

    @Test(arguments: [
        ("", BodyFraming.none), ("Content-Length: 0\r\n", .length(0)), ("Content-Length: 0007\r\n", .length(7)),
        ("content-length:18446744073709551615\r\n", .length(.max)), ("Transfer-Encoding: chunked\r\n", .chunked),
        ("TRANSFER-ENCODING:\tCHUNKED \r\n", .chunked), ("TE: trailers\r\nTrailer: X\r\n", .none),
    ])
    func `A body is framed by one length, or by chunked, or not there`(fields: String, body: BodyFraming) throws {
        #expect(try accepted("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n").body == body)
    }

    @Test(arguments: [
        ("HTTP/1.1", "Content-Length: 1\r\nExpect: 100-Continue\r\n", true),
        ("HTTP/1.1", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", true),
        ("HTTP/1.1", "Content-Length: 0\r\nExpect: 100-continue\r\n", false),
        ("HTTP/1.1", "Expect: 100-continue\r\n", false),
        ("HTTP/1.0", "Content-Length: 1\r\nExpect: 100-continue\r\n", false),
    ])
    func `A client that announces a body may wait for a 100`(version: String, fields: String, expects: Bool) throws {
        #expect(try accepted("PUT / \(version)\r\nHost: a\r\n\(fields)\r\n").expectsContinue == expects)
    }

    @Test(arguments: [
        ("HTTP/1.1", "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n", true),
        ("HTTP/1.1", "Upgrade: websocket\r\n", false), ("HTTP/1.1", "Connection: upgrade\r\n", false),
        ("HTTP/1.0", "Upgrade: websocket\r\nConnection: upgrade\r\n", false),
    ])
    func `An upgrade is one that Connection names, on HTTP 1.1`(version: String, fields: String, upgrades: Bool) throws
    {
        #expect(try accepted("GET / \(version)\r\nHost: a\r\n\(fields)\r\n").hasUpgrade == upgrades)
    }

    @Test func `Connection nominates fields in any case, from every line of it`() throws {
        let bytes = octets(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-One\r\nConnection: x-two\r\nX-Three: x-four\r\n\r\n")
        guard case .head(let head) = parseRequest(bytes) else { throw Refused() }
        func nominates(_ name: String) -> Bool { head.connectionNominates(octets(name).span, in: bytes.span) }
        #expect(nominates("x-one") && nominates("X-TWO") && nominates("close"))
        #expect(!nominates("x-on") && !nominates("x-four") && !nominates("X-Three") && !nominates(""))
    }

    @Test func `A value may hold tabs and bytes above 0x7F`() throws {
        let request = "GET / HTTP/1.1\r\nHost: a\r\nX: a\t\u{80}\u{FF}\u{7E} b\tc\r\n\r\n"
        let head = try accepted(request)
        #expect(text(octets(request), head.fields[1].value) == "a\t\u{80}\u{FF}\u{7E} b\tc")
    }

    @Test func `One empty line before the request line is skipped and counted`() throws {
        let request = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(try accepted(request).byteCount == request.utf8.count)
    }

    @Test func `The next pipelined request is parsed by the same parser`() throws {
        let first = octets(
            "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n")
        let second = octets("GET http://b HTTP/1.0\r\n\r\n")
        var parser = RequestHeadParser(headBytesMax: 1024)
        #expect(try parser.parse(first.span))
        #expect(parser.head.byteCount == first.count)
        parser.reset()
        #expect(try parser.parse(second.span))
        #expect(parseRequest(second) == .head(parser.head))
        parser.reset()
        #expect(try parser.parse(first.span))
        #expect(parseRequest(first) == .head(parser.head))
    }

    @Test func `A complete head stays complete while its body arrives`() throws {
        let bytes = octets("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        var parser = RequestHeadParser(headBytesMax: 1024)
        for length in (bytes.count - 2)...bytes.count {
            #expect(try parser.parse(bytes.span.extracting(..<length)))
            #expect(parseRequest(bytes) == .head(parser.head))
        }
    }

    @Test func `A parser is as new after a refused head`() throws {
        var parser = RequestHeadParser(headBytesMax: 1024)
        #expect(throws: RequestError.self) { try parser.parse(octets("GET / HTTP/1.1\r\nHost: a\r\n x\r\n").span) }
        parser.reset()
        let request = octets("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try parser.parse(request.span))
        #expect(parseRequest(request) == .head(parser.head))
    }

    @Test func `Every beginning of a head waits for more`() {
        let bytes = octets("\r\nGET /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n")
        for count in 0..<bytes.count {
            #expect(parseRequest(Array(bytes[..<count])) == .incomplete)
        }
    }
}
