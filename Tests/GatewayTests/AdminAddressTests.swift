// What the command line and the configuration name as the place of a proxy's admin pages.

import Configuration
import Testing

@testable import Gateway

@Suite("Admin addresses")
struct AdminAddressTests {
    private static func url(_ text: String) throws -> String {
        let request = try AdminAddress(parsing: text).request(for: "/page", timeoutMilliseconds: 1, bodyBytesMax: 1)
        return request.url + (request.unixSocketPath.map { " at \($0)" } ?? "") + (request.mayUseProxy ? " by proxy" : "")
    }

    @Test("A URL may have a path in front of the pages, and loopback is never asked through a proxy", arguments: [
        ("http://127.0.0.1:9090", "http://127.0.0.1:9090/page"), ("http://localhost:9090/", "http://localhost:9090/page"),
        ("http://[::1]:9090", "http://[::1]:9090/page"), ("https://a.example", "https://a.example/page by proxy"),
        ("http://a.example/pods/1:9090/proxy/", "http://a.example/pods/1:9090/proxy/page by proxy"),
        ("unix:/run/admin.sock", "http://localhost/page at /run/admin.sock"),
    ])
    func read(text: String, request: String) throws {
        #expect(try Self.url(text) == request)
        #expect(try AdminAddress(parsing: text).description == text)
    }

    @Test("What is no address is refused with its reason", arguments: [
        ("127.0.0.1:9090", "has no scheme; did you mean 'http://127.0.0.1:9090'?"), ("", "has no scheme"),
        ("/run/admin.sock", "has no scheme"), ("ftp://a", "has the scheme \"ftp\", which is neither http nor https"),
        ("http://a/?x", "has a query"), ("http://u:p@a", "holds a user name or password"),
        ("unix:admin.sock", "needs the whole path of a socket file, of at most 107 bytes"),
        ("unix:", "needs the whole path of a socket file, of at most 107 bytes"),
        ("unix:/" + String(repeating: "a", count: 107), "needs the whole path of a socket file, of at most 107 bytes"),
    ])
    func refused(text: String, reason: String) {
        #expect(throws: AdminAddressError(reason: reason)) { try AdminAddress(parsing: text) }
    }

    @Test("Two spellings of one place are the same", arguments: [
        ("http://a:80", "http://a/", true), ("http://A", "http://a", true), ("http://a", "https://a", false),
        ("http://a:1", "http://a:2", false), ("http://a/x", "http://a/x/", true), ("unix:/a", "unix:/a", true),
        ("unix:/a", "unix:/b", false),
    ])
    func same(one: String, other: String, isSame: Bool) throws {
        #expect(try AdminAddress(parsing: one).isSame(as: AdminAddress(parsing: other)) == isSame)
    }

    @Test("A configured address is asked from its own machine", arguments: [
        (Endpoint.tcp(host: "127.0.0.1", port: 9090), "http://127.0.0.1:9090"),
        (.tcp(host: "*", port: 9090), "http://127.0.0.1:9090"), (.tcp(host: "0.0.0.0", port: 9090), "http://127.0.0.1:9090"),
        (.tcp(host: "::1", port: 9090), "http://[::1]:9090"), (.unix(path: "/run/a.sock"), "unix:/run/a.sock"),
    ])
    func configured(endpoint: Endpoint, address: String) throws {
        #expect(try AdminAddress(endpoint).description == address)
    }

    @Test("One whose port the system chooses cannot be known")
    func chosenPort() {
        #expect(throws: AdminAddressError.self) { try AdminAddress(.tcp(host: "127.0.0.1", port: 0)) }
    }
}
