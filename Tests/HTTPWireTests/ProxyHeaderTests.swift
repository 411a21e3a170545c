// The PROXY protocol's header, version 1 and 2: taken exactly as specified, in whatever pieces it comes.

import Bytes
import FuzzTargets
import HTTPWire
import Testing

private enum Reading: Equatable {
    case header(ProxyHeader)
    case refused
    case incomplete
}

private func read(_ bytes: some Collection<UInt8>) -> Reading {
    let bytes = Array(bytes)
    do throws(ProxyHeaderError) {
        return try ProxyHeader(parsing: bytes.span).map(Reading.header) ?? .incomplete
    } catch {
        return .refused
    }
}

/// What comes of the bytes as they arrive one by one.
private func readByteByByte(_ bytes: [UInt8]) -> Reading {
    for count in 0...bytes.count {
        let reading = read(bytes.prefix(count))
        if reading != .incomplete { return reading }
    }
    return .incomplete
}

private let signature = octets("\r\n\r\n\0\r\nQUIT\n")

private func version2(
    _ family: UInt8, _ rest: [UInt8], command: UInt8 = 0x21, claims count: Int? = nil
) -> [UInt8] {
    let count = count ?? rest.count
    return signature + [command, family, UInt8(count >> 8), UInt8(count & 0xFF)] + rest
}

private let tcp4: [UInt8] = [203, 0, 113, 7, 192, 0, 2, 1, 0xDB, 0xBA, 0x1F, 0x90]
private let tcp6: [UInt8] =
    [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7] + [UInt8](repeating: 0, count: 20)
private let unix = [UInt8](repeating: 0x61, count: 216)

@Suite struct ProxyHeaderTests {
    @Test(arguments: [
        ("PROXY TCP4 203.0.113.7 192.0.2.1 56250 8080\r\n", "203.0.113.7"),
        ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
        ("PROXY TCP4 203.0.113.7 192.0.2.1 0 0\r\n", "203.0.113.7"),
        ("PROXY TCP6 2001:db8::7 2001:db8::1 56250 8080\r\n", "2001:db8::7"),
        (
            "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        ),
        ("PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2\r\n", "203.0.113.7"),
    ])
    func `Version 1 names the client`(line: String, client: String) throws {
        let address = try #require(IPAddress(client))
        let header = Reading.header(ProxyHeader(client: .address(address), byteCount: line.utf8.count))
        for rest in ["", "GET / HTTP/1.1\r\n", "PROXY TCP4"] {
            #expect(read(octets(line + rest)) == header)
            #expect(readByteByByte(octets(line + rest)) == header)
        }
    }

    @Test(arguments: [
        "PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
        "PROXY UNKNOWN " + String(repeating: "x", count: 91) + "\r\n",
    ])
    func `Version 1 of an unknown client leaves the peer`(line: String) {
        #expect(read(octets(line)) == .header(ProxyHeader(client: .peer, byteCount: line.utf8.count)))
    }

    @Test(arguments: [
        "PROXY TCP4 203.0.113.7 192.0.2.1 56250 8080\n", "PROXY TCP4 203.0.113.7 192.0.2.1 56250\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 56250 8080 \r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 56250 8080 9\r\n",
        "PROXY  TCP4 203.0.113.7 192.0.2.1 56250 8080\r\n", "PROXY TCP4  203.0.113.7 192.0.2.1 56250 8080\r\n",
        "PROXY TCP4 203.0.113.007 192.0.2.1 56250 8080\r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 056250 8080\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 65536 8080\r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 -1 8080\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 00 8080\r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 1\t8080\r\n",
        "PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n", "PROXY TCP6 203.0.113.7 192.0.2.1 1 2\r\n",
        "PROXY TCP4 203.0.113.7 2001:db8::1 1 2\r\n", "PROXY TCP5 203.0.113.7 192.0.2.1 1 2\r\n",
        "PROXY TCP6 [2001:db8::7] [2001:db8::1] 1 2\r\n", "proxy TCP4 203.0.113.7 192.0.2.1 1 2\r\n",
        "PROXY tcp4 203.0.113.7 192.0.2.1 1 2\r\n", "PROXY UNKNOWNS\r\n", "PROXY \r\n", "PROXY\r\n", "P\r\n",
        "\r\nPROXY", "PROXYTCP4 203.0.113.7 192.0.2.1 1 2\r\n", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "PUT", "\0", " PROXY",
        "PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\r\n", "PROXY TCP4 evil\n.example 1 2 3\r\n",
    ])
    func `What is not exactly a version 1 header is refused`(line: String) {
        #expect(readByteByByte(octets(line)) == .refused)
        #expect(read(octets(line)) == .refused)
    }

    @Test func `A version 1 header has 107 bytes at most`() {
        let longest = octets("PROXY UNKNOWN " + String(repeating: "x", count: 91) + "\r\n")
        #expect(longest.count == 107)
        #expect(read(longest.dropLast()) == .incomplete)
        let longer = octets("PROXY UNKNOWN " + String(repeating: "x", count: 92) + "\r\n")
        #expect(read(longer) == .refused)
        #expect(readByteByByte(longer) == .refused)
    }

    @Test func `Version 2 names the client, over a stream or by datagrams`() throws {
        let ipv4 = ProxyHeader.Client.address(try #require(IPAddress("203.0.113.7")))
        let ipv6 = ProxyHeader.Client.address(try #require(IPAddress("2001:db8::7")))
        for (family, rest, client) in [
            (0x11, tcp4, ipv4), (0x12, tcp4, ipv4), (0x21, tcp6, ipv6), (0x22, tcp6, ipv6),
            (0x31, unix, .unixSocket), (0x32, unix, .unixSocket),
        ] as [(UInt8, [UInt8], ProxyHeader.Client)] {
            let bytes = version2(family, rest)
            let header = Reading.header(ProxyHeader(client: client, byteCount: bytes.count))
            #expect(read(bytes + octets("GET /")) == header)
            #expect(readByteByByte(bytes + octets("GET /")) == header)
        }
    }

    @Test func `Version 2 without an address leaves the peer, whatever else it holds`() {
        for bytes in [
            version2(0x00, [], command: 0x20), version2(0x11, tcp4, command: 0x20), version2(0x31, [1, 2, 3], command: 0x20), version2(0x00, []),
            version2(0x00, [9, 9, 9, 9]), version2(0x10, tcp4), version2(0x01, tcp4), ProxyHeader.local,
        ] {
            #expect(read(bytes + [0x47]) == .header(ProxyHeader(client: .peer, byteCount: bytes.count)))
        }
    }

    @Test func `What is appended to a version 2 header is stepped over, and has to end where the header does`() throws {
        let client = ProxyHeader.Client.address(try #require(IPAddress("203.0.113.7")))
        for extensions: [UInt8] in [[4, 0, 0], [1, 0, 2, 0x68, 0x32], [4, 0, 1, 0, 3, 0, 4, 1, 2, 3, 4]] {
            let bytes = version2(0x11, tcp4 + extensions)
            #expect(readByteByByte(bytes) == .header(ProxyHeader(client: client, byteCount: bytes.count)))
        }
        for extensions: [UInt8] in [[4], [4, 0], [4, 0, 1], [4, 0, 0, 4], [4, 0xFF, 0xFF, 1], [4, 0, 2, 1]] {
            #expect(readByteByByte(version2(0x11, tcp4 + extensions)) == .refused)
        }
    }

    @Test func `What is not exactly a version 2 header is refused`() {
        let damaged = [
            version2(0x11, tcp4, command: 0x11), version2(0x11, tcp4, command: 0x22), version2(0x11, tcp4, command: 0x2F), version2(0x11, tcp4, command: 0x01),
            version2(0x41, tcp4), version2(0xF1, tcp4), version2(0x13, tcp4), version2(0x1F, tcp4),
            version2(0x41, [], command: 0x20), version2(0x03, [], command: 0x20),
            version2(0x11, Array(tcp4.dropLast())), version2(0x11, []), version2(0x21, tcp4),
            version2(0x21, Array(tcp6.dropLast())), version2(0x31, Array(unix.dropLast())),
        ]
        for bytes in damaged {
            #expect(read(bytes) == .refused, "\(bytes)")
            #expect(readByteByByte(bytes) == .refused, "\(bytes)")
        }
        for index in signature.indices {
            var bytes = version2(0x11, tcp4)
            bytes[index] ^= 0x80
            #expect(readByteByByte(bytes) == .refused)
        }
    }

    @Test func `A version 2 header has a bound, known from its first 16 bytes`() throws {
        let room = ProxyHeader.byteCountMax - 16
        let padding = [4] + [UInt8((room - tcp4.count - 3) >> 8), UInt8((room - tcp4.count - 3) & 0xFF)]
        let largest = version2(0x11, tcp4 + padding + [UInt8](repeating: 0, count: room - tcp4.count - 3))
        #expect(largest.count == ProxyHeader.byteCountMax)
        #expect(
            read(largest)
                == .header(
                    ProxyHeader(client: .address(try #require(IPAddress("203.0.113.7"))), byteCount: largest.count)))
        #expect(read(largest.dropLast()) == .incomplete)
        #expect(read(version2(0x11, [], claims: room + 1)) == .refused)
        #expect(read(version2(0x00, [], command: 0x20, claims: 0xFFFF)) == .refused)
    }

    @Test func `No bytes trap, and pieces change no verdict`() {
        var random = SeededGenerator(seed: 7)
        let headers = [
            version2(0x11, tcp4 + [4, 0, 1, 0]), version2(0x21, tcp6), version2(0x31, unix),
            octets("PROXY TCP4 203.0.113.7 192.0.2.1 56250 8080\r\n"), octets("PROXY UNKNOWN\r\n"),
        ]
        for _ in 0..<3_000 {
            var bytes = headers[Int(random.next() % UInt64(headers.count))]
            for _ in 0..<1 + random.next() % 3 {
                let index = Int(random.next() % UInt64(bytes.count))
                bytes[index] = UInt8(truncatingIfNeeded: random.next())
            }
            let whole = read(bytes)
            let pieces = readByteByByte(bytes)
            #expect(pieces == whole, "\(bytes)")
        }
    }
}
