// What a trusted proxy says of a request's way: what is believed, what the backend is told, and whose request it is.

import Admission
import Bytes
import HTTPWire
import Testing

@Suite struct ProvenanceTests {
    private static let identity = Fixture.authenticator().decide(Fixture.token()).identity!
    private static let ourTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    /// The values of one field of the head that goes upstream for a request with these lines.
    private func upstream(
        _ name: String, _ lines: [String], from peer: String = "10.0.0.1", host: String = "api.example.com"
    ) -> [String] {
        let request = "GET / HTTP/1.1\r\nHost: \(host)\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
        let bytes = Array(request.utf8)
        let out = ByteBuffer(capacity: 1)
        let address = Array(peer.utf8)
        let traceparent = Array(Self.ourTrace.utf8)
        let requestID = Array("ours".utf8)
        let authority = Array("backend".utf8)
        UpstreamRequestHead.write(
            Fixture.parse(bytes), from: bytes.span, admittance: .verified(Self.identity),
            hygiene: HeaderHygiene(policy: AdmissionPolicy(issuers: [])), tokens: TokenPlaces([.authorization]),
            authorization: .keep,
            forwarding: ForwardedFields(
                clientAddress: address.span, isTrusted: true, scheme: .http, requestID: requestID.span,
                traceparent: traceparent.span, upstreamAuthority: authority.span),
            forwardExpect: false, upgrade: nil, into: out)
        return out.text.split(separator: "\r\n").filter { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            .map { String($0.dropFirst(name.count + 2)) }
    }

    private func provenance(_ lines: [String]) -> (client: String?, requestID: String?) {
        let bytes = Array(("GET / HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
        let provenance = Provenance(Fixture.parse(bytes), in: bytes.span)
        let proxies = TrustedProxies(ranges: ["10.0.0.0/8", "2001:db8:1::/48"].map { try! AddressRange(parsing: $0) })
        return (
            provenance.client(behind: proxies)?.description,
            provenance.requestID.map { bytes.span.slice($0).text() }
        )
    }

    @Test(arguments: [
        (["X-Forwarded-For: 203.0.113.7"], "203.0.113.7, 10.0.0.1"),
        (["X-Forwarded-For: 203.0.113.7,  198.51.100.2 "], "203.0.113.7, 198.51.100.2, 10.0.0.1"),
        (["X-Forwarded-For: 203.0.113.7", "x-forwarded-for: 198.51.100.2"], "203.0.113.7, 198.51.100.2, 10.0.0.1"),
        (["X-Forwarded-For: 2001:DB8:0::7, [2001:db8::8], [2001:db8::9]:443"], "2001:db8::7, 2001:db8::8, 2001:db8::9, 10.0.0.1"),
        (["X-Forwarded-For: 203.0.113.7:56789, ::ffff:198.51.100.2"], "203.0.113.7, 198.51.100.2, 10.0.0.1"),
        ([], "10.0.0.1"), (["X-Forwarded-For:"], "10.0.0.1"), (["X-Forwarded-For: unknown"], "10.0.0.1"),
        (["X-Forwarded-For: <script>, 203.0.113.7"], "203.0.113.7, 10.0.0.1"),
        (["X-Forwarded-For: 6.6.6.6, , 203.0.113.7"], "203.0.113.7, 10.0.0.1"),
        (["X-Forwarded-For: 6.6.6.6, evil.example", "X-Forwarded-For: 203.0.113.7"], "203.0.113.7, 10.0.0.1"),
        (["X-Forwarded-For: 6.6.6.6, 203.0.113.7:", "X_Forwarded_For: 7.7.7.7"], "10.0.0.1"),
        (["X-Forwarded-For: 203.0.113.7:123456"], "10.0.0.1"), (["X-Forwarded-For: [203.0.113.7]"], "10.0.0.1"),
        (["X-Forwarded-For: [::1"], "10.0.0.1"), (["X-Forwarded-For: [::1]x"], "10.0.0.1"),
        (["Connection: X-Forwarded-For", "X-Forwarded-For: 203.0.113.7"], "203.0.113.7, 10.0.0.1"),
    ])
    func `X-Forwarded-For is the end of the received chain, as far as it is addresses, and the peer`(
        lines: [String], value: String
    ) {
        #expect(upstream("X-Forwarded-For", lines) == [value])
    }

    @Test func `The chain has a bound, and a client cannot push out what proxies appended`() {
        let flood = (0..<900).map { "6.6.\($0 / 256).\($0 % 256)" }.joined(separator: ", ")
        let chain = upstream("X-Forwarded-For", ["X-Forwarded-For: \(flood), 203.0.113.7"])[0].split(separator: ", ")
        #expect(chain.count == 33)
        #expect(chain[0] == "6.6.3.101" && chain[30] == "6.6.3.131" && chain[31] == "203.0.113.7" && chain[32] == "10.0.0.1")
        #expect(provenance(["X-Forwarded-For: \(flood), 203.0.113.7"]).client == "203.0.113.7")
    }

    @Test(arguments: [
        ([], nil), (["X-Forwarded-For: 203.0.113.7"], "203.0.113.7"),
        (["X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.2.3.4"], "203.0.113.7"),
        (["X-Forwarded-For: 6.6.6.6, 2001:db8::7, 2001:db8:1::1, 10.2.3.4"], "2001:db8::7"),
        (["X-Forwarded-For: 10.7.7.7, 10.2.3.4"], "10.7.7.7"), (["X-Forwarded-For: unknown, 10.2.3.4"], "10.2.3.4"),
        (["X-Forwarded-For: unknown"], nil), (["Forwarded: for=203.0.113.7, for=10.2.3.4"], "203.0.113.7"),
        (["Forwarded: for=6.6.6.6", "X-Forwarded-For: 203.0.113.7"], "203.0.113.7"),
        (["Forwarded: for=6.6.6.6", "X-Forwarded-Proto: https"], nil),
    ] as [([String], String?)])
    func `The client is the last address that is no proxy's`(lines: [String], client: String?) {
        #expect(provenance(lines).client == client)
    }

    @Test(arguments: [
        (["X-Forwarded-Proto: https"], "https"), (["X-Forwarded-Proto: HTTPS"], "https"), (["X-Forwarded-Proto: http"], "http"),
        (["X-Forwarded-Proto: https,http"], "http"), (["X-Forwarded-Proto: ftp"], "http"), (["X-Forwarded-Proto:"], "http"),
        (["X-Forwarded-Proto: https", "X-Forwarded-Proto: https"], "http"), (["x_forwarded_proto: https"], "http"), ([], "http"),
    ])
    func `The scheme is kept when it is exactly one of the two`(lines: [String], value: String) {
        #expect(upstream("X-Forwarded-Proto", lines) == [value])
    }

    @Test(arguments: [
        (["X-Forwarded-Host: www.example.com"], "www.example.com"), (["X-Forwarded-Host: www.example.com:8443"], "www.example.com:8443"),
        (["X-Forwarded-Host: a, b"], "api.example.com"), (["X-Forwarded-Host: a/b"], "api.example.com"),
        (["X-Forwarded-Host: a", "X-Forwarded-Host: b"], "api.example.com"), (["X-Forwarded-Host: u@a"], "api.example.com"),
        (["X-Forwarded-Host:"], "api.example.com"), ([], "api.example.com"),
    ])
    func `The host is kept when it is one authority`(lines: [String], value: String) {
        #expect(upstream("X-Forwarded-Host", lines) == [value])
    }

    @Test(arguments: [
        ([], "for=10.0.0.1;host=api.example.com;proto=http"),
        (
            ["Forwarded: for=203.0.113.7;proto=https;host=www.example.com"],
            "for=203.0.113.7;host=www.example.com;proto=https, for=10.0.0.1;host=api.example.com;proto=http"
        ),
        (
            ["Forwarded: For=\"[2001:DB8::7]:443\";by=_x;ext=\"a,b;\\\"c\", for=\"198.51.100.2:1\""],
            "for=\"[2001:db8::7]\";host=api.example.com;proto=http, for=198.51.100.2, "
                + "for=10.0.0.1;host=api.example.com;proto=http"
        ),
        (
            ["Forwarded: for=203.0.113.7", "Forwarded: for=198.51.100.2"],
            "for=203.0.113.7;host=api.example.com;proto=http, for=198.51.100.2, for=10.0.0.1;host=api.example.com;proto=http"
        ),
        (["Forwarded: for=_hidden, for=203.0.113.7"], "for=203.0.113.7;host=api.example.com;proto=http, for=10.0.0.1;host=api.example.com;proto=http"),
        // X-Forwarded-* is the vocabulary of a proxy that uses it: Forwarded may be its client's.
        (
            ["Forwarded: for=6.6.6.6;host=evil.example;proto=https", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https"],
            "for=203.0.113.7;host=api.example.com;proto=https, for=10.0.0.1;host=api.example.com;proto=http"
        ),
        (["X-Forwarded-Proto: https"], "for=10.0.0.1;host=api.example.com;proto=https"),
    ])
    func `Forwarded tells the same story as X-Forwarded-For, and ends with the peer`(lines: [String], value: String) {
        #expect(upstream("Forwarded", lines) == [value])
    }

    @Test(arguments: [
        "for=203.0.113.7;", ";for=203.0.113.7", "for=\"203.0.113.7", "for= 203.0.113.7", "for =203.0.113.7", "for", "=1", "for=",
        "for=203.0.113.7; proto=http", "for=203.0.113.7;for=6.6.6.6", "for=203.0.113.7;proto=https;proto=http",
        "for=203.0.113.7 for=6.6.6.6", "for=[::1]", "for=\"203.0.113.7\\\"", "for=203.0.113.7,,for=6.6.6.6", "203.0.113.7", "é=1",
        "for=a\"b\"",
    ])
    func `A Forwarded that does not parse says nothing`(value: String) {
        let lines = ["Forwarded: \(value)", "Forwarded: for=6.6.6.6"]
        #expect(upstream("Forwarded", lines) == ["for=10.0.0.1;host=api.example.com;proto=http"])
        #expect(upstream("X-Forwarded-For", lines) == ["10.0.0.1"])
    }

    @Test func `Where X-Forwarded-For is absent, Forwarded tells what it would`() {
        let lines = ["Forwarded: for=203.0.113.7;proto=https;host=\"www.example.com:8443\""]
        #expect(upstream("X-Forwarded-For", lines) == ["203.0.113.7, 10.0.0.1"])
        #expect(upstream("X-Forwarded-Proto", lines) == ["https"])
        #expect(upstream("X-Forwarded-Host", lines) == ["www.example.com:8443"])
    }

    @Test func `Ports and IPv6 addresses are quoted in Forwarded`() {
        #expect(
            upstream("Forwarded", [], from: "2001:db8::1", host: "[::1]:8080")
                == ["for=\"[2001:db8::1]\";host=\"[::1]:8080\";proto=http"])
        #expect(upstream("X-Forwarded-For", [], from: "2001:db8::1") == ["2001:db8::1"])
    }

    @Test func `A trusted peer on a Unix socket has no address to append`() {
        let lines = ["X-Forwarded-For: 203.0.113.7"]
        #expect(upstream("X-Forwarded-For", lines, from: "") == ["203.0.113.7"])
        #expect(
            upstream("Forwarded", lines, from: "") == [
                "for=203.0.113.7;host=api.example.com;proto=http, for=unknown;host=api.example.com;proto=http"
            ])
    }

    @Test func `What else a trusted proxy says goes through, unless it passes for an identity or another request`() {
        let lines = [
            "X-Forwarded-Port: 8443", "X-Forwarded-Prefix: /api", "X-Real-IP: 203.0.113.7", "X-Auth-Subject: forged",
            "X_Forwarded_Prefix: forged", "X-Original-URL: /forged", "X-Rewrite-URL: /forged",
        ]
        #expect(upstream("X-Forwarded-Port", lines) == ["8443"])
        #expect(upstream("X-Forwarded-Prefix", lines) == ["/api"])
        #expect(upstream("X-Real-IP", lines) == ["203.0.113.7"])
        #expect(upstream("X-Auth-Subject", lines) == ["auth0|42"])
        #expect(upstream("X-Original-URL", lines) == [] && upstream("X-Rewrite-URL", lines) == [])
        #expect(upstream("X_Forwarded_Prefix", lines) == [])
    }

    @Test(arguments: [
        "a", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "Root=1-67891233-abcdef012345678912345678", "a+b/c=", "a.b_c~d:e@f",
        String(repeating: "x", count: 128),
    ])
    func `A name that a trusted proxy gave the request is taken over`(name: String) {
        #expect(provenance(["X-Request-Id: \(name)"]).requestID == name)
    }

    @Test(arguments: [
        ["X-Request-Id:"], ["X-Request-Id: a b"], ["X-Request-Id: a\"b"], ["X-Request-Id: a\\b"], ["X-Request-Id: é"],
        ["X-Request-Id: a,b"], ["X-Request-Id: a", "X-Request-Id: b"], ["x_request_id: a"],
        ["X-Request-Id: " + String(repeating: "x", count: 129)], ["X-Request-Id: <b>"], ["X-Request-Id: a{b"],
    ])
    func `A name that could be more than one is not`(lines: [String]) {
        #expect(provenance(lines).requestID == nil)
        #expect(upstream("X-Request-Id", lines) == ["ours"])
    }

    @Test(arguments: [
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
        "00-ffffffffffffffffffffffffffffffff-0000000000000001-ff", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes-later",
    ])
    func `A trace that is under way goes on, with its state`(traceparent: String) {
        let lines = ["traceparent: \(traceparent)", "tracestate: congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "tracestate: a/b@c=d e, "]
        #expect(upstream("traceparent", lines) == [traceparent])
        #expect(upstream("tracestate", lines) == ["congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "a/b@c=d e,"])
    }

    @Test(arguments: [
        "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x", "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-" + String(repeating: "x", count: 201),
    ])
    func `A trace that is none begins anew, without the state that came with it`(traceparent: String) {
        let lines = ["traceparent: \(traceparent)", "tracestate: congo=t61rcWkgMzE"]
        #expect(upstream("traceparent", lines) == [Self.ourTrace])
        #expect(upstream("tracestate", lines) == [])
    }

    @Test(arguments: [
        ["a"], ["=a"], ["a="], ["A=b"], ["a=b=c"], ["a=é"], ["a b=c"], ["a=b", "c"], ["a=" + String(repeating: "x", count: 257)],
        ["a=" + String(repeating: "x", count: 250), "b=" + String(repeating: "x", count: 250), "c=" + String(repeating: "x", count: 10)],
    ])
    func `A state that is no list of pairs, or has more than 512 bytes, is left out`(values: [String]) {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let lines = ["traceparent: \(trace)"] + values.map { "tracestate: \($0)" }
        #expect(upstream("traceparent", lines) == [trace])
        #expect(upstream("tracestate", lines) == [])
    }

    @Test func `Two traces are none`() {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        #expect(upstream("traceparent", ["traceparent: \(trace)", "traceparent: \(trace)"]) == [Self.ourTrace])
    }
}
