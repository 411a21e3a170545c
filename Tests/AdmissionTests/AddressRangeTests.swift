// Ranges of addresses: read strictly, matched by bits.

import Admission
import Bytes
import Testing

@Suite struct AddressRangeTests {
    private func failure(_ text: String) -> AddressRangeError? {
        do throws(AddressRangeError) {
            _ = try AddressRange(parsing: text)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "9.255.255.255", "::a00:1", "a00::"]),
        ("192.0.2.1", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]),
        ("192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]),
        ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1", "2001:db8::1"]),
        ("::/0", ["::", "ffff::", "::fffe:1.2.3.4"], ["1.2.3.4", "::ffff:1.2.3.4"]),
        ("2001:db8::/33", ["2001:db8::", "2001:db8:7fff::1"], ["2001:db8:8000::", "2001:db7::"]),
        ("::1", ["::1"], ["::", "::2", "127.0.0.1"]), ("::ffff:10.0.0.0/104", ["10.9.9.9"], ["11.0.0.0", "::"]),
        ("2001:db8::1/128", ["2001:db8::1"], ["2001:db8::"]),
    ])
    func `A range holds what begins with its bits, in its own family`(text: String, inside: [String], outside: [String]) throws {
        let range = try AddressRange(parsing: text)
        for address in inside { #expect(try range.contains(#require(IPAddress(address))), "\(address)") }
        for address in outside { #expect(try !range.contains(#require(IPAddress(address))), "\(address)") }
    }

    @Test(arguments: [
        ("10.0.0.1/8", "10.0.0.0/8"), ("192.0.2.129/25", "192.0.2.128/25"), ("2001:DB8::1/32", "2001:db8::/32"),
        ("1.2.3.4/0", "0.0.0.0/0"), ("::1/0", "::/0"), ("::ffff:10.0.0.1/104", "10.0.0.0/8"), ("10.0.0.1/31", "10.0.0.0/31"),
    ])
    func `Bits behind the prefix are an error that names the range that was meant`(text: String, meant: String) throws {
        guard case .hasHostBits(let network) = failure(text) else {
            Issue.record("no such error")
            return
        }
        #expect(network.description == meant)
        #expect(try AddressRange(parsing: meant) == network)
    }

    @Test func `What is no range is told apart`() {
        for text in ["", "/", "/8", "10/8", "10.0.0/8", "010.0.0.0/8", "a.example", "[::1]", "1.2.3.4:5", "::1%eth0", " ::1", "all"] {
            #expect(failure(text) == .notAnAddress, "\(text)")
        }
        for text in ["1.2.3.0/33", "1.2.3.0/", "1.2.3.0/+8", "1.2.3.0/-1", "1.2.3.0/08", "1.2.3.0/8/8", "1.2.3.0/999999999999999999999"] {
            #expect(failure(text) == .prefixOutOfRange(32), "\(text)")
        }
        #expect(failure("::/129") == .prefixOutOfRange(128))
    }

    @Test func `Whole families are known as such`() throws {
        for text in ["0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"] { #expect(try AddressRange(parsing: text).isEverything) }
        for text in ["0.0.0.0/1", "::/1", "::/96", "0.0.0.0"] { #expect(try !AddressRange(parsing: text).isEverything) }
    }

    @Test func `Nobody is trusted unless named, and a Unix socket only by its own word`() throws {
        let nobody = TrustedProxies()
        #expect(nobody.isEmpty && !nobody.contains(peer: nil) && !nobody.contains(peer: IPAddress(bits: 1)))
        let local = TrustedProxies(includesUnixSockets: true)
        #expect(!local.isEmpty && local.contains(peer: nil) && !local.contains(peer: IPAddress(bits: 1)))
        let some = TrustedProxies(ranges: [try AddressRange(parsing: "10.0.0.0/8"), try AddressRange(parsing: "::1")])
        #expect(!some.isEmpty && !some.contains(peer: nil) && some.contains(peer: IPAddress(bits: 1)))
        #expect(some.contains(IPAddress(ipv4: 0x0A00_0001)) && !some.contains(IPAddress(ipv4: 0x0B00_0001)))
    }
}
