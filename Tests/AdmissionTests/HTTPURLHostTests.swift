// Who a URL names, and whether that can only be this machine.

import Testing

@testable import Admission

@Suite struct HTTPURLHostTests {
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
            ("a.b.LocalHost", true), ("[::1]", true), ("[0:0:0:0:0:0:0:1]", true), ("128.0.0.1", false), ("127.example", false),
            ("localhost.example", false), ("notlocalhost", false), ("127.0.0.1.example", false), ("localhost.", false), ("[::2]", false),
        ])
    func loopback(text: String, isLoopback: Bool) throws {
        #expect(try #require(HTTPURL.Host(parsing: text)).isLoopback == isLoopback)
    }

    @Test("what is no host", arguments: ["", "a..b", "-a", "a-", "a b", "1.2.3", "127.1", "010.0.0.1", "127.0.0.999", "a.1", "0x7f", "a.0x1", "[::1", "[a]", "é", "\u{212A}"])
    func noHost(text: String) {
        #expect(HTTPURL.Host(parsing: text) == nil)
    }
}
