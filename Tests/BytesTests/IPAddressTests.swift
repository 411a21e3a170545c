// Addresses are read strictly and written in one way.

import Bytes
import Testing

@Suite("IP addresses")
struct IPAddressTests {
    private func ipv4(_ text: String) -> IPAddress? { IPAddress(ipv4: Array(text.utf8).span) }
    private func ipv6(_ text: String) -> IPAddress? { IPAddress(ipv6: Array(text.utf8).span) }

    @Test(
        "IPv6 addresses, and how each is written",
        arguments: [
            ("::", [0, 0, 0, 0, 0, 0, 0, 0], "::"), ("::1", [0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            ("1::", [1, 0, 0, 0, 0, 0, 0, 0], "1::"), ("0:0:0:0:0:0:0:1", [0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            ("2001:DB8::8:800:200C:417A", [0x2001, 0xDB8, 0, 0, 8, 0x800, 0x200C, 0x417A], "2001:db8::8:800:200c:417a"),
            ("1:2:3:4:5:6:7:8", [1, 2, 3, 4, 5, 6, 7, 8], "1:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7::", [1, 2, 3, 4, 5, 6, 7, 0], "1:2:3:4:5:6:7:0"),
            ("::2:3:4:5:6:7:8", [0, 2, 3, 4, 5, 6, 7, 8], "0:2:3:4:5:6:7:8"),
            ("2001:db8:0:0:1:0:0:1", [0x2001, 0xDB8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"),
            ("1:0:0:2:0:0:0:3", [1, 0, 0, 2, 0, 0, 0, 3], "1:0:0:2::3"), ("0001::0", [1, 0, 0, 0, 0, 0, 0, 0], "1::"),
            ("::1.2.3.4", [0, 0, 0, 0, 0, 0, 0x102, 0x304], "::102:304"),
            ("1:2:3:4:5:6:1.2.3.4", [1, 2, 3, 4, 5, 6, 0x102, 0x304], "1:2:3:4:5:6:102:304"),
            ("::ffff:1.2.3.4", [0, 0, 0, 0, 0, 0xFFFF, 0x102, 0x304], "1.2.3.4"),
            ("::ffff:102:304", [0, 0, 0, 0, 0, 0xFFFF, 0x102, 0x304], "1.2.3.4"),
        ] as [(String, [UInt16], String)])
    func ipv6(text: String, groups: [UInt16], canonical: String) throws {
        let address = try #require(ipv6(text))
        #expect(address.bits == groups.reduce(0) { $0 << 16 | UInt128($1) })
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(
        "what is no IPv6 address",
        arguments: [
            "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
            "1:2:3:4::5:6:7:8", "1::2::3", "12345::", "g::", "::1%eth0", "1.2.3.4", ":1.2.3.4", "::1.2.3", "::1.2.3.4:1",
            "1:2:3:4:5:6:7:1.2.3.4", "+1::", "::0x1", "1:", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "[::1]", " ::1", "::1 ",
            "1.2.3.4::", "::01.2.3.4", "::1.2.3.256",
        ])
    func noIPv6(text: String) {
        #expect(ipv6(text) == nil)
    }

    @Test("what is an IPv4 address", arguments: ["0.0.0.0", "127.0.0.1", "255.255.255.255", "10.20.30.40"])
    func ipv4(text: String) throws {
        let address = try #require(ipv4(text))
        #expect(address.isIPv4)
        #expect(address.description == text)
        #expect(ipv6("::ffff:" + text) == address)
    }

    @Test(
        "what is no IPv4 address",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "00.0.0.0", "1.2.3.", ".1.2.3", "1..2.3", "+1.2.3.4",
            "1.2.3.4 ", "1.2.3.1000", "0x1.2.3.4", "1.2.3.4:5",
        ])
    func noIPv4(text: String) {
        #expect(ipv4(text) == nil)
    }

    @Test("only the mapped ones of IPv6 are IPv4 addresses", arguments: ["::", "::1.2.3.4", "1::ffff:1.2.3.4", "::fffe:1.2.3.4"])
    func isIPv4(text: String) throws {
        #expect(try !#require(IPAddress(text)).isIPv4)
    }
}
