// What `limit_requests` comes to.

import Admission
import Configuration
import Testing

@Suite("Rate limits in a configuration")
struct RateLimitConfigurationTests {
    private static let second: Int64 = 1_000_000_000

    @Test("a rate becomes an interval, and a burst is a second's worth unless it is said", arguments: [
        ("rate=100r/s burst=250", second / 100, 250), ("rate=100r/s", second / 100, 100), ("rate=30r/m", 2 * second, 1),
        ("rate=1r/m", 60 * second, 1), ("rate=90r/m", 666_666_666, 2), ("rate=1000000r/s burst=1", 1000, 1),
        ("burst=1000000 rate=1r/s", second, 1_000_000),
    ] as [(String, Int64, Int64)])
    func rates(parameters: String, interval: Int64, burst: Int64) {
        let result = load(minimal(main: "limit_requests address \(parameters);"))
        #expect(result.messages == [])
        #expect(
            result.configuration?.route.rateLimits
                == [RateLimit(.address, intervalNanoseconds: interval, burst: burst, index: 0)])
    }

    @Test("a location has the top level's limits, its own in place of them, or none")
    func places() throws {
        let result = load(
            minimal(
                main: """
                    location /own { limit_requests client rate=2r/s; limit_requests address rate=3r/s; }
                    limit_requests subject rate=1r/s;
                    location /none { limit_requests off; }
                    location /same { }
                    location /another { limit_requests client rate=2r/s; }
                    """))
        #expect(result.messages == [])
        let configuration = try #require(result.configuration)
        #expect(configuration.route.rateLimits.map(\.index) == [0])
        #expect(configuration.locations.map { $0.route.rateLimits.map(\.index) } == [[1, 2], [], [0], [3]])
        #expect(configuration.rateLimits.map(\.index) == [0, 1, 2, 3])
        #expect(configuration.rateLimits.map(\.key) == [.subject, .client, .address, .client])
    }

    @Test("there are 64 at most")
    func bound() {
        let line = "limit_requests address rate=1r/s; "
        #expect(load(minimal(main: String(repeating: line, count: 64))).configuration?.rateLimits.count == 64)
        let location = "location /a { \(line) }"
        #expect(load(minimal(main: String(repeating: line, count: 64) + location)).messages == ["more than 64 limits"])
    }
}
