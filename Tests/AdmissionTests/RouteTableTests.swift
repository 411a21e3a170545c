// Which location a path belongs to, and which paths belong nowhere.

import Testing

@testable import Admission

/// Locations by their text: `/a`, `= /a`, and `public /a`.
func routeTable(_ locations: [String]) throws -> RouteTable {
    RouteTable(
        try locations.map { text in
            let words = text.split(separator: " ").map(String.init)
            let isPublic = words.contains("public")
            return RouteTable.Location(
                try LocationPath(parsing: words.last!, isExact: words.contains("=")), isPublic: isPublic,
                asksForNothing: isPublic && !words.contains("methods"))
        })
}

/// The location that a path belongs to, `-` for none, `refused` for what is refused.
func location(of path: String, in table: RouteTable, _ locations: [String]) -> String {
    do throws(Refusal) {
        return try table.place(of: Array(path.utf8).span).map { locations[$0] } ?? "-"
    } catch {
        #expect(error.code == .badRequest)
        return "refused"
    }
}

@Suite struct RouteTableTests {
    private func expect(
        _ locations: [String], _ expected: KeyValuePairs<String, String>, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let table = try routeTable(locations)
        for (path, place) in expected {
            #expect(location(of: path, in: table, locations) == place, "\(path)", sourceLocation: sourceLocation)
        }
    }

    @Test func `The longest prefix wins, by whole segments`() throws {
        try expect(["/api", "/api/v1/orders", "/api/v1", "/b/"], [
            "/": "-", "/api": "/api", "/api/": "/api", "/api/x": "/api", "/api/v1": "/api/v1", "/api/v1/x/y": "/api/v1",
            "/api/v1/orders": "/api/v1/orders", "/api/v1/orders/7": "/api/v1/orders", "/api/v1/ordersX": "/api/v1",
            "/apix": "-", "/api-x": "-", "/ap": "-", "/api.json": "-", "/x/api": "-", "/b": "/b/", "/b/": "/b/", "/b/c": "/b/",
        ])
    }

    @Test func `An exact location is for its path alone, and beats a prefix`() throws {
        try expect(["= /a", "/a", "public = /health", "= /a/b/", "= /"], [
            "/": "= /", "/a": "= /a", "/a/x": "/a", "/health": "public = /health", "/health/x": "-", "/healthz": "-",
            "/health-admin": "-", "/a/b/": "= /a/b/", "/x": "-",
        ])
    }

    @Test func `The root is a prefix of everything`() throws {
        try expect(["/", "/a"], ["/": "/", "/x": "/", "/x/y/": "/", "/a": "/a", "/ax": "/"])
        try expect(["public /", "/a"], ["/x": "public /", "/x%2fy": "refused", "/A": "refused", "/a": "/a"])
    }

    @Test(arguments: [
        "/a/../b", "/./a", "/..", "/a/%2e%2e/b", "/%2E%2e%2fetc", "/a/..;/b", "/a;/../b", "/a/..%5cb", "/x/%252e%252e/a",
        "//a", "//x/a", "/%2fa", "/;/a", "///", "/%5ca",
    ])
    func `Where there are locations, a path that can lead anywhere is refused anywhere`(path: String) throws {
        for locations in [["/a"], ["public /a"], ["= /zzz"], ["/"], ["public /"]] {
            try expect(locations, [path: "refused"])
        }
    }

    @Test(arguments: [
        "/ADMIN", "/Admin/x", "/%61dmin", "/admi%6E/x", "/admin;x", "/admin;x/y", "/admin%2fx", "/admin%2f", "/admin%5cx",
        "/admin%252fx", "/admin%3fx", "/admin%2500",
    ])
    func `A path that a backend may read as a location's, and that is not spelled so, is refused`(path: String) throws {
        try expect(["/admin"], [path: "refused"])
        try expect(["public methods /admin"], [path: "refused"])
        try expect(["public /", "/admin"], [path: "refused"])
        try expect(["public = /health", "/admin"], [path: "refused"])
        // None of these is what is asked for by a public rule, which has nothing to protect.
        try expect(["public /admin"], [path: "-"])
    }

    @Test func `Nor can a slash more or less, or another case, lead past an exact location`() throws {
        try expect(["= /admin", "= /x/"], [
            "/admin": "= /admin", "/admin/": "refused", "/ADMIN": "refused", "/admin//": "refused", "/admin/x": "-", "/x/": "= /x/",
            "/x": "refused",
        ])
        try expect(["public = /health"], ["/health": "public = /health", "/health/": "-", "/HEALTH": "-", "/health;x": "-"])
    }

    @Test func `A deeper location has its claim beneath a shallower one`() throws {
        try expect(["public /docs", "/docs/internal"], [
            "/docs/a": "public /docs", "/docs/internal/a": "/docs/internal", "/docs/INTERNAL": "refused",
            "/docs/internal%2fa": "refused", "/docs//internal": "refused", "/docs%2finternal": "refused",
            "/docs/x%2f..%2finternal": "refused", "/DOCS/internal": "refused", "/docs/internals": "public /docs",
        ])
    }

    @Test func `Beneath a public location a path is plain to its end`() throws {
        try expect(["public /docs"], [
            "/docs/a%20b": "public /docs", "/docs/caf%C3%A9/": "public /docs", "/docs/a.b/c~": "public /docs",
            "/docs/a%2fb": "refused", "/docs/a%5cb": "refused", "/docs//a": "refused", "/docs/a;b": "refused",
            "/docs/a%252fb": "refused", "/docs/%3f": "refused",
        ])
    }

    @Test(arguments: [
        "/projects/group%2Fproject", "/projects/group%2Fproject/issues", "/files/a;v=1", "/proxy/https://example.com/x",
        "/a//b", "/100%25", "/a%5cb", "/x%3Fy", "/Projects/X",
    ])
    func `What no location is about goes on, however it is spelled`(path: String) throws {
        try expect(["public = /health", "/admin", "public /projectsx", "/projects/special"], [path: "-"])
        try expect(["/"], [path: "/"])
        try expect(["public = /health"], ["/health%2f..": "refused"])
    }

    @Test func `Who wants two spellings writes both`() throws {
        try expect(["/orders", "/Orders", "= /x", "= /x/"], [
            "/orders/1": "/orders", "/Orders/1": "/Orders", "/ORDERS/1": "refused", "/x": "= /x", "/x/": "= /x/",
        ])
        try expect(["/orders", "/Orders/x"], ["/Orders/x/y": "/Orders/x", "/Orders/y": "refused"])
    }

    @Test func `Of a thousand locations each is found`() throws {
        let locations = (0..<1000).map { $0 % 3 == 0 ? "= /v\($0 % 7)/r\($0)/x" : "/v\($0 % 7)/r\($0)" }
        let table = try routeTable(locations)
        for (place, text) in locations.enumerated() {
            let path = text.hasPrefix("= ") ? String(text.dropFirst(2)) : text
            #expect(location(of: path, in: table, locations) == text)
            #expect(location(of: path + "/y", in: table, locations) == (place % 3 == 0 ? "-" : text))
        }
        #expect(location(of: "/v1/r1000", in: table, locations) == "-")
    }

    @Test func `A path as long as can be, of nothing but slashes or segments, is looked at once`() throws {
        let locations = ["/a/b/c/d", "public /x"]
        let table = try routeTable(locations)
        #expect(location(of: String(repeating: "/a", count: 4096), in: table, locations) == "-")
        #expect(location(of: "/a" + String(repeating: "/", count: 8190), in: table, locations) == "-")
        #expect(location(of: "/a/b" + String(repeating: "%25", count: 2700) + "2f", in: table, locations) == "-")
        #expect(location(of: "/x" + String(repeating: "/y", count: 4000), in: table, locations) == "public /x")
    }
}
