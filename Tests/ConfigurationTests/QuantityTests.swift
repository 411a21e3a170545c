import Testing

@testable import Configuration

@Suite("Quantities, addresses and URLs")
struct QuantityTests {
    @Test(
        "durations",
        arguments: [
            ("500ms", 500), ("30s", 30_000), ("10m", 600_000), ("24h", 86_400_000), ("7d", 604_800_000), ("75", 75_000),
            ("0", 0), ("106751991167d", 9_223_372_036_828_800_000),
        ] as [(String, Int64)])
    func durations(text: String, milliseconds: Int64) {
        #expect(Quantity.milliseconds(text) == milliseconds)
    }

    @Test(
        "what is no duration",
        arguments: [
            "", "s", "-1s", "+1s", "1.5s", "1 s", "1S", "1w", "1h30m", "0x1s", "106751991168d", "9223372036854775808ms",
            "٣s", "5\u{301}s", "1s ",
        ])
    func noDurations(text: String) {
        #expect(Quantity.milliseconds(text) == nil)
    }

    @Test(
        "sizes",
        arguments: [("0", 0), ("512", 512), ("8k", 8192), ("8K", 8192), ("1m", 1 << 20), ("2G", 2 << 30)]
            as [(String, Int64)])
    func sizes(text: String, bytes: Int64) {
        #expect(Quantity.bytes(text) == bytes)
    }

    @Test("what is no size", arguments: ["", "k", "1kb", "-1", "1.5m", "9223372036854775807k", "8589934592g"])
    func noSizes(text: String) {
        #expect(Quantity.bytes(text) == nil)
    }

    @Test(
        "IPv6 addresses",
        arguments: [
            ("::", [0, 0, 0, 0, 0, 0, 0, 0]), ("::1", [0, 0, 0, 0, 0, 0, 0, 1]), ("1::", [1, 0, 0, 0, 0, 0, 0, 0]),
            ("2001:db8::8:800:200c:417a", [0x2001, 0xDB8, 0, 0, 8, 0x800, 0x200C, 0x417A]),
            ("1:2:3:4:5:6:7:8", [1, 2, 3, 4, 5, 6, 7, 8]), ("1:2:3:4:5:6:7::", [1, 2, 3, 4, 5, 6, 7, 0]),
            ("::ffff:1.2.3.4", [0, 0, 0, 0, 0, 0xFFFF, 0x102, 0x304]), ("::1.2.3.4", [0, 0, 0, 0, 0, 0, 0x102, 0x304]),
            ("1:2:3:4:5:6:1.2.3.4", [1, 2, 3, 4, 5, 6, 0x102, 0x304]),
        ] as [(String, [UInt16])])
    func ipv6(text: String, groups: [UInt16]) {
        #expect(IPAddress.ipv6(text) == groups)
    }

    @Test(
        "what is no IPv6 address",
        arguments: [
            "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "1::2::3", "12345::", "g::",
            "::1%eth0", "1.2.3.4", ":1.2.3.4", "::1.2.3", "::1.2.3.4:1", "1:2:3:4:5:6:7:1.2.3.4", "+1::", "::0x1",
        ])
    func noIPv6(text: String) {
        #expect(IPAddress.ipv6(text) == nil)
    }

    @Test("what is an IPv4 address", arguments: ["0.0.0.0", "127.0.0.1", "255.255.255.255"])
    func ipv4(text: String) {
        #expect(IPAddress.isIPv4(text))
    }

    @Test("what is no IPv4 address", arguments: ["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.", "+1.2.3.4"])
    func noIPv4(text: String) {
        #expect(!IPAddress.isIPv4(text))
    }

    @Test(
        "hosts that are loopback, and hosts that only look so",
        arguments: [
            ("127.0.0.1", true), ("127.9.9.9", true), ("localhost", true), ("LOCALHOST", true), ("a.localhost", true),
            ("[::1]", true), ("[0:0:0:0:0:0:0:1]", true), ("128.0.0.1", false), ("127.example", false),
            ("localhost.example", false), ("notlocalhost", false), ("[::2]", false),
        ])
    func loopback(text: String, isLoopback: Bool) throws {
        #expect(try #require(Host(inURL: text)).isLoopback == isLoopback)
    }

    @Test("what is no host", arguments: ["", "a..b", "-a", "a-", "a b", "1.2.3", "a.1", "0x7f", "a.0x1", "[::1", "[a]", "é"])
    func noHost(text: String) {
        #expect(Host(inURL: text) == nil)
    }

    @Test("a URL's parts")
    func parts() throws {
        let url = try URLText("HTTPS://issuer.example:8443/realm/a?b#c")
        #expect(url.scheme == "https")
        #expect(url.host == .name("issuer.example"))
        #expect(url.port == 8443)
        #expect(url.path == "/realm/a")
        #expect(url.hasQuery && url.hasFragment && !url.hasUserInformation)
        let hidden = try URLText("https://localhost@evil.example/#?")
        #expect(hidden.host == .name("evil.example"))
        #expect(hidden.hasUserInformation && !hidden.hasQuery)
    }

    @Test(
        "what is no URL",
        arguments: [
            "", "//a", "a", "a:b", "https:/a", "https://", "https:///a", "https://a:", "https://a:0", "https://a:65536",
            "https://a:1a", "https://[::1", "https://[::1]a", "https://a b", "https://a\\b", "https://a/%4",
            "https://a/%zz", "1https://a", "https://é", "https://a/\u{0}", "://a",
        ])
    func noURL(text: String) {
        #expect(throws: URLText.Invalid.self) { try URLText(text) }
    }

    @Test(
        "a suggestion is near, or is none",
        arguments: [
            ("audiance", "audience"), ("adience", "audience"), ("uadience", "audience"), ("AUDIENCE", "audience"),
            ("listne", "listen"), ("xyz", nil), ("", nil), ("a", nil),
        ] as [(String, String?)])
    func suggestions(word: String, meant: String?) {
        #expect(suggestion(for: word, among: ["listen", "audience", "issuer"]) == meant)
    }
}
