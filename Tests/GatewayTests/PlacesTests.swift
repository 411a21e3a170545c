import Admission
import Configuration
import Testing

@testable import Gateway

@Suite("Where things are counted")
struct PlacesTests {
    private func settings(_ locations: [String], _ issuers: [(String, [(String, String)])] = []) -> ProxyConfiguration {
        ProxyConfiguration(
            upstream: nil,
            locations: locations.compactMap { try? LocationPath(parsing: $0, isExact: false) }.map {
                LocationPolicy(path: $0, route: RoutePolicy())
            },
            admission: AdmissionPolicy(
                issuers: issuers.map { issuer, audiences in
                    IssuerPolicy(
                        identifier: issuer, audiences: ["x"],
                        legacyAudiences: audiences.map { LegacyAudience(audience: $0, name: $1) })
                }))
    }

    @Test("A name keeps its place through all configurations, and a new one gets a place of its own")
    func routes() throws {
        let first = try Places(of: settings(["/a", "/b"]))
        #expect(first.locations == [1, 2])
        let second = try Places(of: settings(["/c", "/b"]), after: first.names)
        #expect(second.locations == [3, 2])
        let third = try Places(of: settings(["/a", "/c"]), after: second.names)
        #expect(third.locations == [1, 3])
        #expect(third.names.routes == ["main", "/a", "/b", "/c"])
    }

    @Test("Issuers are told apart by their bytes, as tokens are")
    func issuers() throws {
        // One letter, composed and not: equal to Swift, and two issuers.
        let places = try Places(of: settings([], [("https://caf\u{E9}", []), ("https://cafe\u{301}", [])]))
        #expect(places.issuers == [1, 2])
        let next = try Places(of: settings([], [("https://cafe\u{301}", [])]), after: places.names)
        #expect(next.issuers == [2])
    }

    @Test("A legacy audience is its issuer's, whatever it is called")
    func audiences() throws {
        let first = try Places(of: settings([], [("i", [("one", "web")]), ("j", [("one", "web")])]))
        #expect(first.audiences == [[0], [1]])
        let second = try Places(of: settings([], [("j", [("two", "cli"), ("one", "site")])]), after: first.names)
        #expect(second.audiences == [[2, 1]])
        #expect(second.names.audiences.map(\.name) == ["web", "site", "cli"])
    }

    @Test("There is an end to how many names there can be, and it refuses what has more")
    func bound() throws {
        var names = CountedNames()
        let most = (CountedNames.routesMax - 1) / 3
        for round in 0..<3 {
            names = try Places(of: settings((0..<most).map { "/\(round)/\($0)" }), after: names).names
        }
        #expect(names.routes.count == 1 + 3 * most)
        #expect(throws: CountedNames.Full.self) { try Places(of: settings(["/x"]), after: names) }
        #expect(try Places(of: settings(["/2/0"]), after: names).locations == [1 + 2 * most])
    }
}
