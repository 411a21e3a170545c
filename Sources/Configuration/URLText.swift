// The parts of an absolute URL (RFC 3986), checked strictly: what this takes, libcurl and every library that
// compares an issuer read the same way.

struct URLText {
    /// In lower case.
    var scheme: String
    var hasUserInformation: Bool
    var host: Host
    var port: UInt16?
    /// With its leading slash, or empty.
    var path: String
    var hasQuery: Bool
    var hasFragment: Bool

    struct Invalid: Error {
        var reason: String
    }

    init(_ text: String) throws(Invalid) {
        if let odd = text.unicodeScalars.first(where: { !Self.isAllowed($0) }) {
            throw Invalid(reason: "it holds the character \(quoted(String(odd)))")
        }
        try Self.checkPercentEscapes(text)
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"),
            let first = text.utf8.first, (first | 0x20) &- 0x61 < 26
        else { throw Invalid(reason: "it has no scheme") }
        scheme = text[..<colon].lowercased()

        let rest = text[text.index(colon, offsetBy: 3)...]
        let authorityEnd = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        var authority = rest[..<authorityEnd]
        hasUserInformation = authority.contains("@")
        if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }

        let hostEnd: Substring.Index
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { throw Invalid(reason: "its '[' is not closed") }
            hostEnd = authority.index(after: bracket)
        } else {
            hostEnd = authority.firstIndex(of: ":") ?? authority.endIndex
        }
        guard let host = Host(inURL: String(authority[..<hostEnd])) else {
            throw Invalid(reason: authority.isEmpty ? "it has no host" : "its host is no name and no address")
        }
        self.host = host
        port = nil
        if hostEnd < authority.endIndex {
            guard authority[hostEnd] == ":", let number = Self.port(authority[hostEnd...].dropFirst()), number > 0
            else { throw Invalid(reason: "its port is not a number from 1 to 65535") }
            port = number
        }

        let beyond = rest[authorityEnd...]
        let pathEnd = beyond.firstIndex { "?#".contains($0) } ?? beyond.endIndex
        path = String(beyond[..<pathEnd])
        hasFragment = beyond.contains("#")
        hasQuery = beyond.prefix { $0 != "#" }.contains("?")
    }

    /// Decimal digits up to 65535.
    static func port(_ text: some StringProtocol) -> UInt16? {
        guard !text.isEmpty, text.utf8.count <= 5, text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return UInt16(text)
    }

    /// unreserved, reserved and `%` of RFC 3986 §2.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9": true
        default: "-._~:/?#[]@!$&'()*+,;=%".unicodeScalars.contains(scalar)
        }
    }

    private static func checkPercentEscapes(_ text: String) throws(Invalid) {
        for part in text.split(separator: "%", omittingEmptySubsequences: false).dropFirst() {
            guard part.count >= 2, part.prefix(2).allSatisfy(\.isHexDigit) else {
                throw Invalid(reason: "a '%' in it is not followed by two hexadecimal digits")
            }
        }
    }
}

/// Who a URL or an address names.
enum Host: Equatable {
    case name(String)
    case ipv4(String)
    /// Without brackets.
    case ipv6(String)

    var text: String {
        switch self {
        case .name(let text), .ipv4(let text), .ipv6(let text): text
        }
    }

    /// It can only be this machine, so that what is sent there crosses no network.
    var isLoopback: Bool {
        switch self {
        case .name(let name): name.lowercased() == "localhost" || name.lowercased().hasSuffix(".localhost")
        case .ipv4(let address): address.hasPrefix("127.")
        case .ipv6(let address): IPAddress.ipv6(address) == [0, 0, 0, 0, 0, 0, 0, 1]
        }
    }

    /// A registered name, an IPv4 address, or an IPv6 address in brackets.
    init?(inURL text: String) {
        if text.hasPrefix("[") {
            let inside = String(text.dropFirst().dropLast())
            guard text.hasSuffix("]"), IPAddress.ipv6(inside) != nil else { return nil }
            self = .ipv6(inside)
        } else if IPAddress.isIPv4(text) {
            self = .ipv4(text)
        } else if Self.isName(text) {
            self = .name(text)
        } else {
            return nil
        }
    }

    /// A DNS name (RFC 1123 §2.1), with the underscore that container networks use. A name that ends in a number
    /// would be an address to some resolvers (`127.1`), so it is none.
    private static func isName(_ text: String) -> Bool {
        guard text.utf8.count <= 253 else { return false }
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 1, labels.last == "" { labels.removeLast() }
        guard let last = labels.last, !last.utf8.allSatisfy({ $0 &- 0x30 < 10 }), !last.lowercased().hasPrefix("0x")
        else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy {
                    $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
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
            (1...4).contains(part.utf8.count) && part.allSatisfy(\.isHexDigit) ? UInt16(part, radix: 16) : nil
        }
        return values.count == parts.count ? values : nil
    }
}
