// URLs of issuers and their keys, read strictly: what is taken here means the same to whoever connects to it.
//
// No credentials, no fragment, no backslash, no byte outside RFC 3986's own; the host is a name of letters,
// digits, '-', '_' and '.', or an address. What is written out is put together from the checked parts.

/// An absolute http or https URL (RFC 9110 §4.2).
public struct HTTPURL: Sendable, Hashable, CustomStringConvertible {
    public enum Scheme: String, Sendable {
        case http, https

        public var defaultPort: UInt16 { self == .http ? 80 : 443 }
    }

    /// The longest text that is read, in bytes.
    public static let bytesMax = 2048

    public let scheme: Scheme
    /// In lower case; an IPv6 address in its brackets.
    public let host: String
    /// The scheme's own where the text names none.
    public let port: UInt16
    /// Begins with a slash.
    public let path: String
    /// Without its '?'.
    public let query: String?

    public init(parsing text: String) throws(HTTPURLError) {
        guard text.utf8.count <= HTTPURL.bytesMax else { throw .tooLong }
        guard text.utf8.allSatisfy(HTTPURL.isAllowed) else { throw .badCharacter }
        guard let schemeEnd = text.utf8.firstIndex(of: UInt8(ascii: ":")), text[schemeEnd...].hasPrefix("://"),
            let scheme = Scheme(rawValue: text[..<schemeEnd].lowercased())
        else { throw .notHTTP }
        let rest = text[text.index(schemeEnd, offsetBy: 3)...]
        let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let authority = rest[..<authorityEnd]
        if authority.contains("@") { throw .hasCredentials }
        let hostEnd = HTTPURL.hostEnd(of: authority)
        let host = authority[..<hostEnd].lowercased()
        guard HTTPURL.isHost(host) else { throw .badHost }
        var port = scheme.defaultPort
        if hostEnd < authority.endIndex {
            let digits = authority[hostEnd...].dropFirst()
            guard authority[hostEnd] == ":", (1...5).contains(digits.utf8.count),
                digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let number = UInt16(digits), number > 0
            else { throw .badPort }
            port = number
        }
        let target = rest[authorityEnd...]
        if target.contains("#") { throw .hasFragment }
        let pathEnd = target.firstIndex(of: "?") ?? target.endIndex
        self.scheme = scheme
        self.host = host
        self.port = port
        path = pathEnd == target.startIndex ? "/" : String(target[..<pathEnd])
        query = pathEnd == target.endIndex ? nil : String(target[target.index(after: pathEnd)...])
    }

    private init(_ origin: HTTPURL, path: String) {
        scheme = origin.scheme
        host = origin.host
        port = origin.port
        self.path = path
        query = nil
    }

    public var description: String { origin + path + (query.map { "?" + $0 } ?? "") }

    /// Scheme, host and, where it is not the scheme's own, port.
    public var origin: String {
        "\(scheme.rawValue)://\(host)" + (port == scheme.defaultPort ? "" : ":\(port)")
    }

    public func isSameOrigin(as other: HTTPURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// Whether the host is this machine by its very spelling: `localhost`, 127.0.0.0/8 or ::1.
    public var isLoopback: Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The same origin with another path, which begins with a slash, and no query.
    func withPath(_ path: String) -> HTTPURL {
        HTTPURL(self, path: path)
    }

    /// Where a `Location` of this URL's response leads (RFC 9110 §10.2.2): absolute, or relative to this one.
    /// Dot segments are left to whoever connects: they cannot leave the origin.
    public func resolving(location: String) throws(HTTPURLError) -> HTTPURL {
        let reference = String(location.prefix { $0 != "#" })
        if reference.hasPrefix("//") { return try HTTPURL(parsing: "\(scheme.rawValue):\(reference)") }
        if reference.hasPrefix("/") { return try HTTPURL(parsing: origin + reference) }
        if reference.hasPrefix("?") { return try HTTPURL(parsing: origin + path + reference) }
        // A colon in the first segment ends a scheme (RFC 3986 §4.2).
        if reference.prefix(while: { $0 != "/" && $0 != "?" }).contains(":") { return try HTTPURL(parsing: reference) }
        let directory = path[...path.lastIndex(of: "/")!]
        return try HTTPURL(parsing: origin + directory + reference)
    }

    /// unreserved, reserved and '%' of RFC 3986 §2.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39: true
        case UInt8(ascii: "\\"), UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "\""): false
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"): false
        default: byte > 0x20 && byte < 0x7F
        }
    }

    private static func hostEnd(of authority: Substring) -> Substring.Index {
        if authority.hasPrefix("["), let bracket = authority.firstIndex(of: "]") {
            return authority.index(after: bracket)
        }
        return authority.firstIndex(of: ":") ?? authority.endIndex
    }

    /// `host` is in lower case.
    private static func isHost(_ host: String) -> Bool {
        if host.hasPrefix("[") {
            let address = host.dropFirst().dropLast()
            return host.hasSuffix("]") && address.contains(":") && address.utf8.count <= 45
                && address.utf8.allSatisfy { $0 &- 0x30 < 10 || $0 &- 0x61 < 6 || $0 == 0x3A || $0 == 0x2E }
        }
        return (1...253).contains(host.utf8.count) && !host.hasPrefix(".")
            && host.utf8.allSatisfy { $0 &- 0x30 < 10 || $0 &- 0x61 < 26 || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F }
    }
}

public enum HTTPURLError: Error, Sendable, Equatable {
    case tooLong, badCharacter, notHTTP, hasCredentials, badHost, badPort, hasFragment

    /// Completes "it …".
    public var reason: String {
        switch self {
        case .tooLong: "is longer than \(HTTPURL.bytesMax) bytes"
        case .badCharacter: "holds a character that no URL has"
        case .notHTTP: "is no http:// or https:// URL"
        case .hasCredentials: "holds a user name"
        case .badHost: "has no valid host"
        case .badPort: "has no valid port"
        case .hasFragment: "has a fragment"
        }
    }
}
