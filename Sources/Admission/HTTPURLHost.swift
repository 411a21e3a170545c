// Who a URL or an address to listen at names: a DNS name or an address literal, told apart strictly, because what
// some resolvers take for an address (`127.1`, `010.0.0.1`) is another host to others.

extension HTTPURL {
    /// In lower case. Its description is what stands in a URL: an IPv6 address in brackets.
    public enum Host: Sendable, Hashable, CustomStringConvertible {
        case name(String)
        case ipv4(String)
        /// Without brackets.
        case ipv6(String)

        /// A registered name, an IPv4 address, or an IPv6 address in brackets; nil where it is none of them.
        public init?(parsing text: some StringProtocol) {
            // Some letters beyond ASCII have a lower case within it: U+212A would be a 'k'.
            guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
            let text = text.lowercased()
            if text.hasPrefix("[") {
                let inside = String(text.dropFirst().dropLast())
                guard text.hasSuffix("]"), IPAddress.ipv6(inside) != nil else { return nil }
                self = .ipv6(inside)
            } else if IPAddress.isIPv4(text) {
                self = .ipv4(text)
            } else if HTTPURL.isDNSName(text) {
                self = .name(text)
            } else {
                return nil
            }
        }

        public var description: String {
            switch self {
            case .name(let text), .ipv4(let text): text
            case .ipv6(let text): "[\(text)]"
            }
        }

        /// Without brackets, as resolvers and sockets take it.
        public var unbracketed: String {
            switch self {
            case .name(let text), .ipv4(let text), .ipv6(let text): text
            }
        }

        /// It can only be this machine, by its spelling, so that what is sent there crosses no network: `localhost`
        /// and the names below it (RFC 6761 §6.3), 127.0.0.0/8 (RFC 1122 §3.2.1.3), ::1 (RFC 4291 §2.5.3).
        public var isLoopback: Bool {
            switch self {
            case .name(let name): name == "localhost" || name.hasSuffix(".localhost")
            case .ipv4(let address): address.hasPrefix("127.")
            case .ipv6(let address): IPAddress.ipv6(address) == [0, 0, 0, 0, 0, 0, 0, 1]
            }
        }
    }

    /// A DNS name (RFC 1123 §2.1) in lower case, with the underscore that container networks use. A name that ends in
    /// a number would be an address to some resolvers (`127.1`), so it is none.
    private static func isDNSName(_ text: String) -> Bool {
        guard text.utf8.count <= 253 else { return false }
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 1, labels.last == "" { labels.removeLast() }
        guard let last = labels.last, !last.utf8.allSatisfy({ $0 &- 0x30 < 10 }), !last.hasPrefix("0x")
        else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy {
                    $0 &- 0x30 < 10 || $0 &- 0x61 < 26 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                }
        }
    }
}

/// Address literals, read strictly: `010.0.0.1` and `127.1` mean different hosts to different programs.
enum IPAddress {
    static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { $0 &- 0x30 < 10 }
                    && (part == "0" || !part.hasPrefix("0")) && UInt8(part) != nil
            }
    }

    /// The eight groups of an address (RFC 4291 §2.2), or nil where it is none. A zone (`%eth0`) is not taken.
    static func ipv6(_ text: String) -> [UInt16]? {
        var text = Substring(text)
        var tail: [UInt16] = []
        if text.contains("."), let colon = text.lastIndex(of: ":") {
            let embedded = String(text[text.index(after: colon)...])
            guard isIPv4(embedded) else { return nil }
            let octets = embedded.split(separator: ".").compactMap { UInt16($0) }
            tail = [octets[0] << 8 | octets[1], octets[2] << 8 | octets[3]]
            text = text[...colon]
            // "::1.2.3.4" leaves "::", and "a:1.2.3.4" leaves "a:", whose colon goes with the address.
            if !text.hasSuffix("::") { text = text.dropLast() }
        }
        let room = 8 - tail.count
        guard let gap = text.firstRange(of: "::") else {
            guard let all = groups(text), all.count == room else { return nil }
            return all + tail
        }
        let before = text[..<gap.lowerBound]
        let after = text[gap.upperBound...]
        guard let head = before.isEmpty ? [] : groups(before), let rest = after.isEmpty ? [] : groups(after),
            head.count + rest.count < room
        else { return nil }
        return head + Array(repeating: 0, count: room - head.count - rest.count) + rest + tail
    }

    private static func groups(_ text: Substring) -> [UInt16]? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let values = parts.compactMap { part in
            (1...4).contains(part.utf8.count) && part.utf8.allSatisfy { $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 6 }
                ? UInt16(part, radix: 16) : nil
        }
        return values.count == parts.count ? values : nil
    }
}
