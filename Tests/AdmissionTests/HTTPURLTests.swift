// URLs are read strictly, and written out in one way.

import Testing

@testable import Admission

@Suite struct HTTPURLTests {
    @Test("a URL is read into its parts and written out again", arguments: [
        ("https://a.example", "https://a.example/"),
        ("HTTPS://A.Example:443/x", "https://a.example/x"),
        ("http://a.example:80?q", "http://a.example/?q"),
        ("http://a.example:443/", "http://a.example:443/"),
        ("https://[2001:DB8::1]:8443/p?q=%20", "https://[2001:db8::1]:8443/p?q=%20"),
        ("https://1.2.3.4/", "https://1.2.3.4/"),
    ])
    func reads(_ text: String, _ expected: String) throws {
        #expect(try HTTPURL(parsing: text).description == expected)
    }

    @Test("what could mean something else to someone else is refused", arguments: [
        ("", HTTPURLError.noScheme), ("a.example", .noScheme), ("//a.example/", .noScheme), ("://a", .noScheme),
        ("https:/a.example", .noScheme), ("a:b", .noScheme), ("1https://a", .noScheme), ("a/b://c", .noScheme),
        ("ftp://a.example/", .otherScheme("ftp")), ("HTTP+unix://a/", .otherScheme("http+unix")),
        ("https://", .noHost), ("https:///x", .noHost), ("https://:80/", .noHost), ("https://?q", .noHost),
        ("https://.a/", .badHost), ("https://a%2fb/", .badHost), ("https://a..b/", .badHost),
        ("https://127.1/", .badHost), ("https://010.0.0.1/", .badHost), ("https://127.0.0.999/", .badHost),
        ("https://[1.2.3.4]/", .badHost), ("https://[::1%25eth0]/", .badHost), ("https://[:::]/", .badHost),
        ("https://[::1/", .openBracket),
        ("https://user@a.example/", .hasCredentials), ("https://a.example@b.example/", .hasCredentials),
        ("https://localhost@evil.example/#?", .hasCredentials),
        ("https://a b/", .badCharacter(" ")), ("https://a.example\\@b.example/", .badCharacter("\\")),
        ("https://a.example/\u{e9}", .badCharacter("\u{e9}")), ("https://a.example/\r\n", .badCharacter("\r")),
        ("https://a.example/\0", .badCharacter("\0")), ("https://a.example/e\u{301}", .badCharacter("\u{301}")),
        ("https://a/%4", .badEscape), ("https://a/%zz", .badEscape), ("https://a/%", .badEscape),
        ("https://a/?%%20", .badEscape),
        ("https://a:0/", .badPort), ("https://a:65536/", .badPort), ("https://a:/", .badPort),
        ("https://a:+1/", .badPort), ("https://a:1a", .badPort), ("https://a:000443/", .badPort),
        ("https://[::1]x/", .badPort), ("https://a.example/#f", .hasFragment), ("https://a.example#f", .hasFragment),
        ("https://a.example/" + String(repeating: "x", count: 2048), .tooLong),
    ])
    func refuses(_ text: String, _ expected: HTTPURLError) {
        #expect(throws: expected) { try HTTPURL(parsing: text) }
    }

    @Test("a reason is fit for a log, whatever the URL holds", arguments: [
        (HTTPURLError.badCharacter(" "), "holds the character ' '"),
        (.badCharacter("\u{1B}"), "holds the character U+001B"),
        (.badCharacter("\u{202E}"), "holds the character U+202E"),
        (.otherScheme("ftp"), "has the scheme \"ftp\", which is neither http nor https"),
    ])
    func reasons(_ error: HTTPURLError, _ expected: String) {
        #expect(error.reason == expected)
    }

    @Test("a Location is resolved, and shows whether it stays within the origin", arguments: [
        ("/k", "https://a.example:8443/k", true),
        ("k", "https://a.example:8443/dir/k", true),
        ("?v=2", "https://a.example:8443/dir/file?v=2", true),
        ("/k#part", "https://a.example:8443/k", true),
        ("https://A.example:8443/k", "https://a.example:8443/k", true),
        ("https://a.example/k", "https://a.example/k", false),
        ("http://a.example:8443/k", "http://a.example:8443/k", false),
        ("//b.example/k", "https://b.example/k", false),
    ])
    func resolves(_ location: String, _ expected: String, _ isSameOrigin: Bool) throws {
        let base = try HTTPURL(parsing: "https://a.example:8443/dir/file?q")
        let target = try base.resolving(location: location)
        #expect(target.description == expected)
        #expect(target.isSameOrigin(as: base) == isSameOrigin)
    }

    @Test("a Location of another scheme is none", arguments: ["javascript:x", "file:///etc/passwd", "/a b", "//u@b/", "/%"])
    func unusable(_ location: String) throws {
        let base = try HTTPURL(parsing: "https://a.example/")
        #expect(throws: HTTPURLError.self) { try base.resolving(location: location) }
    }

    @Test("a URL can be trusted over TLS, or where it leads to this machine", arguments: [
        ("https://a.example/", true), ("http://localhost/", true), ("http://foo.localhost/", true),
        ("http://127.0.0.1:1/", true), ("http://[::1]/", true), ("http://[0:0::1]:8080/", true),
        ("http://a.example/", false), ("http://localhost.example/", false), ("http://127.0.0.1.example/", false),
        ("http://128.0.0.1/", false), ("http://[::2]/", false), ("http://[::ffff:127.0.0.1]/", false),
    ])
    func trustworthy(_ text: String, _ expected: Bool) throws {
        #expect(try HTTPURL(parsing: text).isPotentiallyTrustworthy == expected)
    }
}
