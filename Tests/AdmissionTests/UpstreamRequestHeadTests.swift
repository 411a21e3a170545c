// What the backend gets, as raw bytes.

import Admission
import Bytes
import HTTPWire
import Testing

@Suite struct UpstreamRequestHeadTests {
    private static let identity = Fixture.authenticator().decide(Fixture.token()).identity!

    @Test func `A request is written anew, with our fields set`() {
        let upstream = Self.upstream(
            "POST /a/b?c=d HTTP/1.1\r\nhOsT: api.example.com\r\nAccept:  */* \r\nX-Custom:\r\nContent-length: 5\r\n\r\n"
        )
        #expect(
            upstream == """
                POST /a/b?c=d HTTP/1.1\r
                Host: api.example.com\r
                Accept: */*\r
                X-Custom: \r
                X-Forwarded-For: 192.0.2.7\r
                X-Forwarded-Proto: https\r
                X-Forwarded-Host: api.example.com\r
                Forwarded: for=192.0.2.7;host=api.example.com;proto=https\r
                X-Request-Id: 4bf92f3577b34da6a3ce929d0e0e4736\r
                traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r
                \(Self.identity.fieldText)Content-Length: 5\r
                \r

                """)
    }

    @Test(arguments: [
        ("http://api.example.com/p?q", "/p?q"), ("http://api.example.com", "/"), ("http://api.example.com?q", "/?q"),
        ("/p?", "/p?"), ("/?http://x/", "/?http://x/"),
    ])
    func `The target becomes origin-form`(target: String, expected: String) {
        let upstream = Self.upstream("GET \(target) HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
        #expect(upstream.hasPrefix("GET \(expected) HTTP/1.1\r\nHost: api.example.com\r\n"))
    }

    @Test func `An OPTIONS for the whole server keeps its asterisk`() {
        for target in ["*", "http://a"] {
            let upstream = Self.upstream("OPTIONS \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(upstream.hasPrefix("OPTIONS * HTTP/1.1\r\nHost: a\r\n"))
        }
    }

    @Test func `Stripped of its Authorization, a request has none in any spelling of the name`() {
        let request = "GET / HTTP/1.1\r\nHost: a\r\nAUTHORIZATION: Bearer x.y.z\r\nAuthor: kept\r\n\r\n"
        #expect(Self.upstream(request).contains("AUTHORIZATION: Bearer x.y.z\r\n"))
        let stripped = Self.upstream(request, authorization: .strip)
        #expect(!stripped.contains("x.y.z") && !stripped.lowercased().contains("authorization"))
        #expect(stripped.contains("Author: kept\r\n"))
    }

    @Test(arguments: [
        "Authorization", "authorization", "AUTHORIZATION", "Authorization_", "-authorization", "Author.ization", "author_ization",
    ])
    func `Where tokens are minted, the backend gets the minted one alone, whatever a client sends, however it is spelled`(
        name: String
    ) throws {
        let identity = try #require(MintTests.authenticator().decide(Fixture.token()).identity)
        let line = try #require(identity.fieldText.split(separator: "\r\n").last { $0.hasPrefix("Authorization: ") })
        for more in ["", "Connection: \(name)\r\n", "\(name): Basic YTpi\r\n"] {
            let head = Self.upstream(
                "GET / HTTP/1.1\r\nHost: a\r\n\(name): Bearer x.y.z\r\n\(more)Author: kept\r\n\r\n",
                admittance: .verified(identity), authorization: .mint)
            let lines = head.split(separator: "\r\n")
            let all = lines.filter { HeaderHygiene.fold(String($0.prefix { $0 != ":" })) == Array("authorization".utf8) }
            #expect(all == [line])
            #expect(head.contains("\r\nAuthor: kept\r\n"))
        }
    }

    @Test(arguments: [Enforcement.on, .reportOnly])
    func `Where tokens are minted, a request without a verified one has no Authorization`(enforcement: Enforcement) throws {
        let policy = RoutePolicy(isPublic: enforcement == .on, enforcement: enforcement)
        let bytes = Fixture.request("Authorization: Bearer \(Fixture.token(signer: Fixture.impostor))")
        guard case .forward(let admittance) = Route(policy).judge(
            Fixture.parse(bytes), in: bytes.span, by: MintTests.authenticator(), at: Fixture.instant(), certificate: nil,
            mayAwaitKeys: false)
        else { throw CancellationError() }
        let head = Self.upstream(String(decoding: bytes, as: UTF8.self), admittance: admittance, authorization: .mint)
        #expect(!head.lowercased().contains("authorization") && !head.contains("eyJ"))
        #expect(head.contains("\r\nX-Auth-Status: "))
        let kept = Self.upstream(String(decoding: bytes, as: UTF8.self), admittance: admittance)
        #expect(kept.contains("\r\nAuthorization: Bearer eyJ"))
    }

    @Test func `A head of as many bytes as the backend may have is good, one more is refused and told apart`() throws {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let head = Fixture.parse(bytes)
        #expect(UpstreamRequestHead.refusal(ofBytes: 500, for: head, bytesMax: 500) == nil)
        let refusal = try #require(UpstreamRequestHead.refusal(ofBytes: 501, for: head, bytesMax: 500))
        #expect(refusal.code == .headerTooLarge && refusal.code.status == 431)
        #expect(
            refusal.detail
                == "The head for the backend would have 501 bytes, \(501 - bytes.count) of them added here; 500 is the most "
                + "that it may have.")
    }

    @Test func `Hop-by-hop fields and those that Connection nominates end here`() {
        let upstream = Self.upstream(
            """
            GET / HTTP/1.1\r
            Host: a\r
            Connection: keep-alive, X-Hop , x-HOP-two\r
            Connection: Cookie\r
            Keep-Alive: timeout=5\r
            Proxy-Connection: keep-alive\r
            TE: gzip\r
            Trailer: X-Hop\r
            Upgrade: h2c\r
            Proxy-Authorization: Basic YTpi\r
            X-Hop: 1\r
            X-Hop-Two: 2\r
            X-Hop-Three: 3\r
            Cookie: a=b\r
            \r

            """)
        #expect(Self.names(upstream).prefix(3) == ["Host", "X-Hop-Three", "X-Forwarded-For"])
    }

    @Test(arguments: [
        "X-Auth-Subject", "x-auth-subject", "X_Auth_Subject", "x.auth.subject", "X-AUTH-SUBJECT", "X-Auth-Role",
        "X-Auth-Legacy-Audience", "X-Forwarded-For", "x_forwarded_for", "X-Forwarded-Proto", "X-Forwarded-Host",
        "X-Forwarded-Port", "Forwarded", "X-Request-Id", "x_request_id", "X-Original-URL", "X-Rewrite-URL", "x_original_host",
        "X-Real-IP", "traceparent", "TraceParent", "trace_parent", "tracestate", "X-Forwarded-Prefix",
    ])
    func `What a client may not say never reaches the backend, however it is spelled or repeated`(name: String) {
        let upstream = Self.upstream("GET / HTTP/1.1\r\nHost: a\r\n\(name): forged\r\nA: b\r\n\(name): forged\r\n\r\n")
        #expect(!upstream.contains("forged"))
        #expect(upstream == Self.upstream("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n"))
    }

    @Test func `A managed name is removed even when the token has no such claim`() {
        let bare = Fixture.authenticator().decide(Fixture.token(["sub": "", "azp": "", "scope": ""])).identity!
        let upstream = Self.upstream(
            "GET / HTTP/1.1\r\nHost: a\r\nX-Auth-Subject: forged\r\nX-Auth-Scope: forged\r\n\r\n", admittance: .verified(bare))
        #expect(!upstream.contains("forged"))
        #expect(!upstream.contains("X-Auth-Subject"))
    }

    @Test(arguments: [
        "X-Auth-Subject", "X-Auth-Status, X-Forwarded-For", "Host", "x-request-id, close", "Forwarded, traceparent",
        "x-forwarded-proto, x-forwarded-host",
    ])
    func `A client that nominates our fields does not remove them`(options: String) {
        let upstream = Self.upstream("GET / HTTP/1.1\r\nHost: a\r\nConnection: \(options)\r\n\r\n")
        #expect(upstream == Self.upstream("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
    }

    @Test func `Authorization and every other end-to-end field go through in their order`() {
        let names = ["Authorization", "Accept", "baggage", "Via", "Trace", "Cookie", "Accept"]
        let lines = names.map { "\($0): v\r\n" }.joined()
        let upstream = Self.upstream("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
        #expect(Array(Self.names(upstream).prefix(8)) == ["Host"] + names)
    }

    @Test func `Each of our names occurs once`() {
        let names = Self.names(Self.upstream("GET / HTTP/1.1\r\nHost: a\r\nX-Auth-Status: verified\r\n\r\n"))
        #expect(names.count == Set(names).count)
    }

    @Test func `A body goes on with canonical framing`() {
        let chunked = Self.upstream("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n")
        #expect(chunked.hasSuffix("\r\nTransfer-Encoding: chunked\r\n\r\n"))
        let empty = Self.upstream("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        #expect(empty.hasSuffix("\r\nContent-Length: 0\r\n\r\n"))
        let none = Self.upstream("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(!none.contains("Content-Length") && !none.contains("Transfer-Encoding"))
    }

    @Test func `An expectation is passed on only where the backend is to answer it`() {
        let request = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"
        #expect(!Self.upstream(request).contains("Expect"))
        #expect(Self.upstream(request, forwardExpect: true).contains("\r\nExpect: 100-continue\r\n"))
    }

    @Test func `An HTTP/1.0 request without Host is sent to the backend's own name`() {
        let upstream = Self.upstream("GET / HTTP/1.0\r\nAccept: */*\r\n\r\n")
        #expect(upstream.hasPrefix("GET / HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nAccept: */*\r\n"))
        #expect(!upstream.contains("X-Forwarded-Host"))
    }

    @Test func `A client without an address, on a Unix socket, gets no X-Forwarded-For`() {
        let upstream = Self.upstream("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: forged\r\n\r\n", client: "")
        #expect(!upstream.contains("X-Forwarded-For"))
        #expect(upstream.contains("\r\nForwarded: for=unknown;host=a;proto=https\r\n"))
    }

    @Test(arguments: [
        ("Connection: Upgrade\r\nUpgrade: WebSocket\r\n", "Connection: upgrade\r\nUpgrade: WebSocket\r\n"),
        // The first that is listed, and nothing beside it.
        ("Connection: x, upgrade\r\nUpgrade: h2c, foo/2 , websocket\r\n", "Connection: upgrade\r\nUpgrade: foo/2\r\n"),
        ("Connection: upgrade\r\nUpgrade: a\r\nUpgrade: websocket\r\n", "Connection: upgrade\r\nUpgrade: websocket\r\n"),
        ("Connection: upgrade, te\r\nUpgrade: websocket\r\nTE: trailers\r\n",
            "Connection: upgrade, TE\r\nUpgrade: websocket\r\nTE: trailers\r\n"),
        // What is not listed, not named by Connection, or named by none, goes on as a plain request.
        ("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n", ""),
        ("Connection: upgrade\r\nUpgrade: websockets\r\n", ""),
        ("Connection: upgrade\r\nUpgrade: \"websocket\"\r\n", ""),
        ("Upgrade: websocket\r\n", ""),
        ("Connection: upgrade\r\n", ""),
        // The body's end and the new protocol's beginning could be taken for each other.
        ("Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n", ""),
    ])
    func `An upgrade is offered when it is listed, alone, and without a body`(fields: String, expected: String) {
        let upstream = Self.upstream("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", upgrades: ["foo/2", "websocket"])
        let lines = upstream.split(separator: "\r\n").filter {
            ["connection", "upgrade", "te", "http2-settings"].contains($0.lowercased().prefix { $0 != ":" })
        }
        #expect(lines.map { $0 + "\r\n" }.joined() == expected)
    }

    @Test(arguments: [
        ("TE: trailers\r\n", true), ("TE: deflate;q=0.5, Trailers\r\n", true), ("TE: gzip\r\nTE: trailers\r\n", true),
        ("TE: trailers;q=1\r\n", false), ("TE: gzip\r\n", false), ("TE:\r\n", false), ("", false),
    ])
    func `Only that trailers are taken is passed on of TE`(fields: String, passed: Bool) {
        let upstream = Self.upstream("GET / HTTP/1.1\r\nHost: a\r\n\(fields)Connection: te\r\n\r\n")
        #expect(upstream.contains("\r\nConnection: TE\r\nTE: trailers\r\n") == passed)
        #expect(upstream.lowercased().contains("\r\nte:") == passed)
        #expect(!Self.upstream("GET / HTTP/1.0\r\nHost: a\r\n\(fields)\r\n").lowercased().contains("\r\nte:"))
    }

    @Test func `Trailers are announced where there is a place for them`() {
        let trailer = "Host: a\r\nTrailer: X-Checksum\r\n"
        let chunked = Self.upstream("POST / HTTP/1.1\r\n\(trailer)Transfer-Encoding: chunked\r\n\r\n")
        #expect(chunked.contains("\r\nTrailer: X-Checksum\r\n"))
        #expect(!Self.upstream("POST / HTTP/1.1\r\n\(trailer)Content-Length: 2\r\n\r\n").contains("Trailer"))
    }

    // MARK: Tokens from elsewhere than Authorization

    @Test(arguments: [
        ("t=x", ""), ("?", "??"), ("a=1&t=x", "?a=1"), ("t=x&a=1", "?a=1"), ("a=1&t=x&b=2", "?a=1&b=2"),
        ("a=1;t=x&b=2", "?a=1&b=2"), ("a=1&t=x;b=2", "?a=1;b=2"), ("t=x&t=y", ""), ("t", ""), ("t=", ""), ("a&t=x&b", "?a&b"),
        ("%74=x&a", "?a"), ("a=t=x", "?a=t=x"), ("tt=x", "?tt=x"), ("T=x", "?T=x"), ("", "?"), ("&&", "?&&"), ("&t=x&", ""),
        ("a=1&&t=x&&b=2", "?a=1&&&b=2"), ("a=%26t%3dx", "?a=%26t%3dx"), ("u+v=x&a", "?a"), ("u%20v=x&a", "?a"),
        ("%2574=x", "?%2574=x"), ("a=/?t=x", "?a=/?t=x"),
    ])
    func `A parameter that tokens are taken from is left out of the target, and the rest stays as it is`(
        query: String, rest: String
    ) {
        for (target, path) in [("/x", "/x"), ("http://a", "/"), ("http://a/x/", "/x/")] {
            let request = "GET \(target)?\(query) HTTP/1.1\r\nHost: a\r\n\r\n"
            let upstream = Self.upstream(request, tokens: [.query("t"), .query("u v")])
            #expect(upstream.hasPrefix("GET \(path)\(rest) HTTP/1.1\r\n"), "\(upstream)")
            let untouched = Self.upstream(request, tokens: [.authorization, .cookie("t")])
            #expect(untouched.hasPrefix("GET \(path)?\(query) HTTP/1.1\r\n"))
        }
    }

    @Test(arguments: [
        ("t=x", nil), ("a=1; t=x", "a=1"), ("t=x; a=1", "a=1"), ("a=1; t=x; b=2", "a=1; b=2"),
        ("a=1;t=x;b=2", "a=1;b=2"), ("a=1;  b=\"2\" ;t=x", "a=1;  b=\"2\" "), ("t=x;   t=y", nil), ("t =x; a", "a"),
        ("t", nil), ("t=", nil), ("T=x", "T=x"), ("%74=x", "%74=x"), ("tt=1; at=2", "tt=1; at=2"), ("a=t=x", "a=t=x"),
        ("", ""), ("; t=x;", nil), ("a=\"; t=x; b=\"", "a=\"; b=\""), ("a=1; t=x; ;", "a=1; ;"),
    ])
    func `A cookie that tokens are taken from is left out, and the others stay as they are`(
        cookies: String, rest: String?
    ) {
        let request = "GET / HTTP/1.1\r\nHost: a\r\nCookie: \(cookies)\r\ncookie: z=1\r\nX: \(cookies)\r\n\r\n"
        let lines = Self.upstream(request, tokens: [.cookie("t")]).split(separator: "\r\n").map(String.init)
        #expect(lines.filter { $0.hasPrefix("Cookie:") } == (rest.map { ["Cookie: \($0)"] } ?? []))
        #expect(lines.filter { $0.hasPrefix("cookie:") } == ["cookie: z=1"])
        #expect(lines.filter { $0.hasPrefix("X:") } == ["X: \(cookies)"])
        let untouched = Self.upstream(request, tokens: [.query("t")]).split(separator: "\r\n").map(String.init)
        #expect(untouched.filter { $0.hasPrefix("Cookie:") } == ["Cookie: \(cookies)"])
    }

    @Test(arguments: [
        ("bearer, x", nil), ("bearer, x, chat", "chat"), ("chat, bearer, x", "chat"), ("a,bearer,x,b", "a,b"),
        ("chat", "chat"), ("chat, x", "chat, x"), ("bearer", nil), ("chat,bearer", "chat"), ("Bearer, x", "Bearer, x"),
        ("bearer,, x, a", "a"), ("bearer, x, bearer, y", nil), ("bearer, bearer, a", "a"), ("bearer.x, a", "bearer.x, a"),
    ])
    func `The subprotocols that carry a token are left out, and the others offered`(offered: String, rest: String?) {
        let request = """
            GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Protocol: \(offered)\r\n\r\n
            """
        let lines = Self.upstream(request, tokens: [.webSocketProtocol]).split(separator: "\r\n").map(String.init)
        #expect(
            lines.filter { $0.hasPrefix("Sec-WebSocket-Protocol:") } == (rest.map { ["Sec-WebSocket-Protocol: \($0)"] } ?? []))
        #expect(Self.upstream(request).contains("\r\nSec-WebSocket-Protocol: \(offered)\r\n"))
    }

    private static func upstream(
        _ request: String, admittance: Admittance = .verified(identity), client: String = "192.0.2.7", forwardExpect: Bool = false,
        upgrades: [String] = ["websocket"], tokens: [TokenSource] = [.authorization],
        authorization: AuthorizationPolicy = .keep
    ) -> String {
        let bytes = Array(request.utf8)
        let out = ByteBuffer(capacity: 1)
        let address = Array(client.utf8)
        let requestID = Array("4bf92f3577b34da6a3ce929d0e0e4736".utf8)
        let traceparent = Array("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".utf8)
        let authority = Array("127.0.0.1:3000".utf8)
        let head = Fixture.parse(bytes)
        UpstreamRequestHead.write(
            head, from: bytes.span, admittance: admittance,
            hygiene: HeaderHygiene(policy: AdmissionPolicy(issuers: [])), tokens: TokenPlaces(tokens),
            authorization: authorization,
            forwarding: ForwardedFields(
                clientAddress: address.span, isTrusted: false, scheme: .https, requestID: requestID.span,
                traceparent: traceparent.span, upstreamAuthority: authority.span),
            forwardExpect: forwardExpect, upgrade: UpgradeRule(upgrades).offer(head, in: bytes.span), into: out)
        return out.text
    }

    private static func names(_ head: String) -> [String] {
        head.split(separator: "\r\n").dropFirst().map { String($0.prefix { $0 != ":" }) }
    }
}
