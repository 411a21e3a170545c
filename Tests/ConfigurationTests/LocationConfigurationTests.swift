// What locations come to: their own word, and the top level's for the rest.

import Admission
import Testing

@testable import Configuration

@Suite("Locations")
struct LocationConfigurationTests {
    @Test("a location that says nothing is as the top level is")
    func inherits() throws {
        let main = "enforce report_only; cors_preflight require_token; proxy_read_timeout 5s; client_max_body_size 1k;"
        let whole = try #require(configuration(main: main + "location /a { }"))
        let location = try #require(whole.locations.first)
        #expect(location.route == whole.route)
        #expect(location.route == RoutePolicy(enforcement: .reportOnly, preflights: .requireToken))
        #expect(location.upstream == nil)
        #expect(location.readTimeoutMilliseconds == 5_000)
        #expect(location.bodyBytesMax == 1024)
        #expect(whole.upstreams == [whole.upstream])
    }

    @Test("a location's own word holds, wherever the top level's stands")
    func overrides() throws {
        let main = """
            location /a {
                methods GET PURGE; enforce on; cors_preflight forward; proxy_read_timeout 5s; client_max_body_size 0;
                upstream { server http://127.0.0.1:3001 weight=2; keepalive 1; }
            }
            location = /b { public; upstream { server http://127.0.0.1:3001 weight=2; keepalive 1; } }
            location /c/ { upstream http://127.0.0.1:3000; }
            enforce report_only; cors_preflight require_token; client_max_body_size 1k;
            """
        let whole = try #require(configuration(main: main))
        let other = UpstreamPolicy(servers: [.init(.tcp(host: "127.0.0.1", port: 3001), weight: 2)], keepalive: 1)
        #expect(whole.locations.map(\.path.description) == ["/a", "= /b", "/c"])
        #expect(whole.locations[0].route == RoutePolicy(methods: ["GET", "PURGE"]))
        #expect(whole.locations[0].readTimeoutMilliseconds == 5_000)
        #expect(whole.locations[0].bodyBytesMax == 0)
        #expect(whole.locations[0].upstream == other)
        #expect(whole.locations[1].route.isPublic)
        #expect(whole.locations[1].bodyBytesMax == 1024)
        // A backend that is written twice is one: it has one set of connections, and is checked once.
        #expect(whole.upstreams == [whole.upstream, other])
    }

    @Test("a location's backend cannot be the proxy itself")
    func loop() {
        let result = load(minimal(main: "listen 8081; location /a { upstream http://127.0.0.1:8081; }"))
        #expect(result.messages.count == 1)
        #expect(result.messages.first?.hasPrefix("the upstream is the proxy itself, which listens on *:8081") == true)
    }

    @Test("where all locations are for verify there may be no backend, and only there")
    func verifyAlone() throws {
        func text(_ locations: String) -> String {
            "issuer https://issuer.example/ { audience https://api.example; } client_max_body_size 1k; \(locations)"
        }
        let whole = try #require(load(text("location = /v { verify; } location /w { verify; methods GET; }")).configuration)
        #expect(whole.upstream == nil)
        #expect(whole.upstreams == [])
        #expect(whole.locations.map(\.isVerify) == [true, true])
        // It is announced, and not sent: no bound is in the way of the question.
        #expect(whole.locations.map(\.bodyBytesMax) == [0, 0])
        for locations in ["", "location /v { verify; } location /a { }"] {
            let messages = load(text(locations)).messages
            #expect(messages.count == 1)
            #expect(messages.first?.hasPrefix("'upstream' is missing") == true)
        }
    }

    @Test("there may be 4096 locations, and no more")
    func bound() {
        func text(_ count: Int) -> String { minimal(main: (0..<count).map { "location /\($0) { }" }.joined(separator: "\n")) }
        #expect(load(text(4096)).configuration?.locations.count == 4096)
        #expect(load(text(4097)).messages == ["more than 4096 locations"])
    }
}
