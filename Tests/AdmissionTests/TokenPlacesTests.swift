// Which token a request has, wherever the policy looks for one; hazard 39.

import HTTPWire
import Testing

@testable import Admission

@Suite struct TokenPlacesTests {
    static let all: [TokenSource] = [
        .authorization, .header("X-Access-Token"), .cookie("session"), .query("access_token"), .webSocketProtocol,
    ]

    /// The token that a GET of this target with these lines has, or the code that it is refused with.
    static func found(_ target: String = "/", _ lines: [String] = [], in sources: [TokenSource] = all) -> String {
        let request = Array(
            ("GET \(target) HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
        let head = Fixture.parse(request)
        do throws(Refusal) {
            return request.span.slice(try TokenPlaces(sources).locate(head, in: request.span).range).text()
        } catch {
            return error.code.rawValue
        }
    }

    /// One way to send the token `t` in each place.
    static let ways: [(target: String, lines: [String])] = [
        ("/", ["Authorization: Bearer t"]), ("/", ["X-Access-Token: t"]), ("/", ["Cookie: session=t"]),
        ("/?access_token=t", []), ("/", ["Sec-WebSocket-Protocol: bearer, t"]),
    ]

    @Test func `A token is found in each place, if tokens are taken from there`() {
        for (place, way) in Self.ways.enumerated() {
            #expect(Self.found(way.target, way.lines) == "t")
            #expect(Self.found(way.target, way.lines, in: [Self.all[place]]) == "t")
            for (other, source) in Self.all.enumerated() where other != place {
                #expect(Self.found(way.target, way.lines, in: [source]) == "missing_token")
            }
        }
    }

    @Test func `Two tokens are refused, in whatever two places, and twice in one`() {
        for first in Self.ways {
            for second in Self.ways {
                let target = first.target == "/" ? second.target : second.target == "/" ? first.target : "/?access_token=t&access_token=t"
                #expect(Self.found(target, first.lines + second.lines) == "multiple_tokens", "\(first) \(second)")
            }
        }
        for lines in [
            ["Cookie: session=t; session=u"], ["Cookie: session=t", "Cookie: session=t"],
            ["X-Access-Token: t", "x_access_token: u"], ["Sec-WebSocket-Protocol: bearer, t, bearer, u"],
            ["Sec-WebSocket-Protocol: bearer, t", "Sec-WebSocket-Protocol: bearer, t"],
            ["Authorization: Bearer t", "Authorization: Basic dTpw"],
        ] {
            #expect(Self.found("/", lines) == "multiple_tokens", "\(lines)")
        }
        for query in ["access_token=t&access_token=u", "access_token=t;access%5Ftoken=u", "%61ccess_token=t&a&access_token=t"] {
            #expect(Self.found("/?\(query)") == "multiple_tokens", "\(query)")
        }
    }

    @Test(arguments: [
        ("access%5Ftoken=t", "t"), ("%61%63cess_token=t", "t"), ("a=1&access_token=t&b=2", "t"), ("a=1;access_token=t", "t"),
        ("access_token=t;b=2", "t"), ("Access_token=t", "missing_token"), ("access_tokens=t", "missing_token"),
        ("access_toke=t", "missing_token"), ("a=access_token=t", "missing_token"), ("access_token", "missing_token"),
        ("access_token=", "missing_token"), ("access_token=&access_token=t", "t"), ("access_token=t%2E", "t%2E"),
        ("access+token=t", "missing_token"), ("access%255Ftoken=t", "missing_token"), ("access_token=a=b", "a=b"),
    ])
    func `A parameter counts by the name that it has once it is decoded`(query: String, expected: String) {
        #expect(Self.found("/?\(query)") == expected)
    }

    @Test(arguments: [
        ("session=t", "t"), ("a=1; session=t; b=2", "t"), ("a=1;session=t", "t"), (" session = t ;b", "t"),
        ("Session=t", "missing_token"), ("xsession=t", "missing_token"), ("session", "missing_token"),
        ("session=", "missing_token"), ("session=; session=t", "t"), ("session=\"t\"", "\"t\""), ("a=\"; session=t; b=\"", "t"),
        ("sess%69on=t", "missing_token"), ("session=a=b", "a=b"),
    ])
    func `A cookie counts by its name, wherever backends see one begin`(cookies: String, expected: String) {
        #expect(Self.found("/", ["Cookie: \(cookies)"]) == expected)
    }

    @Test(arguments: [
        ("X-Access-Token: t", "t"), ("x-access-token: t", "t"), ("X_Access.Token: t", "t"), ("X-Access-Token: Bearer t", "t"),
        ("X-Access-Token: bearer   t", "t"), ("X-Access-Token: Bearer", "Bearer"), ("X-Access-Token: Bearert", "Bearert"),
        ("X-Access-Token:", "missing_token"), ("X-Access-Tokens: t", "missing_token"), ("Access-Token: t", "missing_token"),
        ("X-Access-Token: Basic t", "Basic t"),
    ])
    func `A header counts by its name as backends fold it, with or without the word Bearer`(line: String, expected: String) {
        #expect(Self.found("/", [line]) == expected)
    }

    @Test(arguments: [
        ("bearer, t", "t"), ("bearer,t,chat", "t"), ("chat, bearer, t", "t"), ("chat", "missing_token"),
        ("bearer", "missing_token"), ("Bearer, t", "missing_token"), ("bearer, , t", "t"), ("t, bearer", "missing_token"),
    ])
    func `A token among subprotocols follows the word bearer`(offered: String, expected: String) {
        #expect(Self.found("/", ["Sec-WebSocket-Protocol: \(offered)"]) == expected)
    }

    @Test func `Credentials of another scheme are no second token, malformed ones are refused beside any`() {
        #expect(Self.found("/?access_token=t", ["Authorization: Basic dTpw"]) == "t")
        #expect(Self.found("/?access_token=t", ["Authorization: Bearer"]) == "malformed_authorization")
        #expect(Self.found("/", ["Authorization: Basic dTpw"]) == "missing_token")
        // Where tokens come from elsewhere, it is the backend's own.
        #expect(Self.found("/?access_token=t", ["Authorization: Bearer u"], in: [.query("access_token")]) == "t")
    }

    @Test func `A token from elsewhere is verified and remembered like any, and malformed like any`() throws {
        let authenticator = Authenticator(
            policy: AdmissionPolicy(issuers: [Fixture.policy()], tokenSources: [.cookie("session")]))
        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.ec)), forIssuerAt: 0)
        let token = Fixture.token()
        for _ in 0..<2 {
            #expect(authenticator.decide(raw: Fixture.request("Cookie: a=1; session=\(token)")).identity != nil)
        }
        #expect(authenticator.counters.cacheHits == 1)
        for bad in ["\"\(token)\"", token + "=", "Bearer \(token)", token.replacing(".", with: "%2E"), "a b"] {
            let refusal = authenticator.decide(raw: Fixture.request("Cookie: session=\(bad)")).refusal
            #expect(refusal?.code == .malformedToken, "\(bad)")
        }
        let elsewhere = Fixture.request("Authorization: Bearer \(token)")
        #expect(authenticator.decide(raw: elsewhere).refusal?.code == .missingToken)
    }

    @Test func `Who sends no token is told where to put one`() throws {
        let places = TokenPlaces(Self.all)
        let request = Fixture.request()
        var refusal: Refusal?
        do throws(Refusal) { _ = try places.locate(Fixture.parse(request), in: request.span) } catch { refusal = error }
        #expect(refusal?.code == .missingToken)
        #expect(
            refusal?.hint == """
                Send the access token as `Authorization: Bearer <token>`, or in the header "X-Access-Token", or in the cookie \
                "session", or in the query parameter "access_token", or as the WebSocket subprotocols `bearer, <token>`.
                """)
    }

    @Test(arguments: [
        ("Authorization", TokenSource.authorization), ("AUTHORIZATION", .authorization), ("X-Token", .header("X-Token")),
        ("Cookie", nil), ("Proxy-Authorization", nil), ("Host", nil), ("Connection", nil), ("Sec-WebSocket-Protocol", nil),
        ("", nil), ("X Token", nil), ("X:", nil), ("--", nil), ("X-T\u{e9}", nil),
    ])
    func `A header that has a meaning of its own is no place for tokens`(name: String, expected: TokenSource?) {
        #expect(TokenSource(header: name) == expected)
    }
}
