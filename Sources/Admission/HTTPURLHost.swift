// Who a URL or an address to listen at names: a DNS name or an address literal, told apart strictly, because what
// some resolvers take for an address (`127.1`, `010.0.0.1`) is another host to others.

internal import Bytes

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
            let bytes = Array(text.utf8)
            if text.hasPrefix("[") {
                guard text.hasSuffix("]"), IPAddress(ipv6: bytes.span.extracting(1..<bytes.count - 1)) != nil
                else { return nil }
                self = .ipv6(String(text.dropFirst().dropLast()))
            } else if IPAddress(ipv4: bytes.span) != nil {
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
            case .ipv6(let address): IPAddress(address) == IPAddress(bits: 1)
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
