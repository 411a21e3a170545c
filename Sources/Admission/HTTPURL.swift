// URLs of issuers, their keys and the backend, read strictly: what is taken here means the same to whoever connects
// to it. This is the only reader of URLs, so what the configuration accepts is what is fetched from.
//
// No credentials, no fragment, no byte outside RFC 3986's own, no broken escape; the host is a DNS name or an address
// (HTTPURLHost.swift). What is written out is put together from the checked parts.

/// An absolute http or https URL (RFC 9110 §4.2).
public struct HTTPURL: Sendable, Hashable, CustomStringConvertible {
    /// The schemes that can be fetched from.
    public enum Scheme: String, Sendable {
        case http, https

        /// The port that a URL without one means (RFC 9110 §4.2).
        public var defaultPort: UInt16 { self == .http ? 80 : 443 }
    }

    /// The longest text that is read, in bytes.
    public static let bytesMax = 2048

    public let scheme: Scheme
    public let host: Host
    /// The scheme's own where the text names none.
    public let port: UInt16
    /// Begins with a slash.
    public let path: String
    /// Without its '?'.
    public let query: String?

    public init(parsing text: String) throws(HTTPURLError) {
        guard text.utf8.count <= HTTPURL.bytesMax else { throw .tooLong }
        if let odd = text.unicodeScalars.first(where: { !HTTPURL.isAllowed($0) }) { throw .badCharacter(odd) }
        guard HTTPURL.hasWholeEscapes(text) else { throw .badEscape }
        guard let schemeEnd = text.firstIndex(of: ":"), text[schemeEnd...].hasPrefix("://"),
            HTTPURL.isScheme(text[..<schemeEnd])
        else { throw .noScheme }
        let schemeName = text[..<schemeEnd].lowercased()
        guard let scheme = Scheme(rawValue: schemeName) else { throw .otherScheme(schemeName) }

        let rest = text[text.index(schemeEnd, offsetBy: 3)...]
        let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let authority = rest[..<authorityEnd]
        if authority.contains("@") { throw .hasCredentials }
        let hostEnd = try HTTPURL.hostEnd(of: authority)
        if hostEnd == authority.startIndex { throw .noHost }
        guard let host = Host(parsing: authority[..<hostEnd]) else { throw .badHost }
        var port = scheme.defaultPort
        if hostEnd < authority.endIndex {
            guard authority[hostEnd] == ":", let number = HTTPURL.port(authority[hostEnd...].dropFirst()), number > 0
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

    /// Whether scheme, host and port are the same (RFC 6454 §5): how far a redirect is followed.
    public func isSameOrigin(as other: HTTPURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// What comes from here is what its owner sent: it comes over TLS, or from this machine (W3C Secure Contexts §3.1).
    public var isPotentiallyTrustworthy: Bool { scheme == .https || host.isLoopback }

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

    /// A port (RFC 3986 §3.2.3) up to 65535; 0 is for the caller to judge.
    public static func port(_ digits: some StringProtocol) -> UInt16? {
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return UInt16(digits)
    }

    /// unreserved, reserved and '%' of RFC 3986 §2.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\\", "^", "`", "\"", "<", ">", "{", "|", "}": false
        default: scalar > " " && scalar <= "~"
        }
    }

    /// Every '%' begins an escape (RFC 3986 §2.1): what a lone one means depends on who reads it.
    private static func hasWholeEscapes(_ text: String) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false).dropFirst().allSatisfy {
            let digits = $0.prefix(2)
            return digits.count == 2 && digits.allSatisfy { $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 6 }
        }
    }

    /// RFC 3986 §3.1.
    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (first | 0x20) &- 0x61 < 26 else { return false }
        return text.utf8.allSatisfy {
            ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E
        }
    }

    private static func hostEnd(of authority: Substring) throws(HTTPURLError) -> Substring.Index {
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { throw .openBracket }
            return authority.index(after: bracket)
        }
        return authority.firstIndex(of: ":") ?? authority.endIndex
    }
}

/// Why a text is no URL that is taken.
public enum HTTPURLError: Error, Sendable, Equatable {
    case tooLong
    case badCharacter(Unicode.Scalar)
    case badEscape
    case noScheme
    /// In lower case.
    case otherScheme(String)
    case hasCredentials
    case noHost
    case openBracket
    case badHost
    case badPort
    case hasFragment

    /// Completes "it …", fit for a log.
    public var reason: String {
        switch self {
        case .tooLong: "is longer than \(HTTPURL.bytesMax) bytes"
        case .badCharacter(let scalar) where (" "..."~").contains(scalar): "holds the character '\(scalar)'"
        case .badCharacter(let scalar): "holds the character U+\(HTTPURLError.codePoint(scalar))"
        case .badEscape: "has a '%' that is not followed by two hexadecimal digits"
        case .noScheme: "has no scheme"
        case .otherScheme(let name): "has the scheme \(Quoted.text(name)), which is neither http nor https"
        case .hasCredentials: "holds a user name or password"
        case .noHost: "has no host"
        case .openBracket: "has a '[' that is not closed"
        case .badHost: "has a host that is no name and no address"
        case .badPort: "has a port that is not a number from 1 to 65535"
        case .hasFragment: "has a fragment"
        }
    }

    private static func codePoint(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
