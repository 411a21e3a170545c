// The migration bridge: an audience on its way out, at each of its instants.

import Testing

@testable import Admission

@Suite struct LegacyAudienceTests {
    /// Around `Fixture.now`, an hour for each step.
    static let now = Fixture.now
    static let hour: Int64 = 3600

    static func legacy(_ change: (inout LegacyAudience) -> Void = { _ in }) -> LegacyAudience {
        var legacy = LegacyAudience(audience: "SDFWRGRRSFDF3214", name: "web")
        change(&legacy)
        return legacy
    }

    static func authenticator(
        detail: ErrorDetail = .full, cacheEntries: Int = 100, _ change: (inout LegacyAudience) -> Void = { _ in }
    ) -> Authenticator {
        Fixture.authenticator(
            Fixture.policy {
                $0.legacyAudiences = [legacy(change), LegacyAudience(audience: "CLI7F3KQ2ZPX9W1V", name: "cli")]
                $0.leewaySeconds = 0
            }, detail: detail, cacheEntries: cacheEntries)
    }

    static let webToken = Fixture.token(["aud": "\"SDFWRGRRSFDF3214\"", "exp": "\(now + 100 * hour)"])

    @Test(arguments: [
        (-1, .accepted), (0, .deprecated), (10, .closedToNewTokens(since: 10)),
        (12, .brownout(12..<14)), (13, .brownout(12..<14)), (14, .closedToNewTokens(since: 10)),
        (20, .expired(since: 20)), (21, .expired(since: 20)),
    ] as [(Int64, LegacyAudience.Phase)])
    func `Each instant belongs to one phase, and begins it`(at now: Int64, phase: LegacyAudience.Phase) {
        let legacy = Self.legacy {
            $0.deprecatedAt = 0
            $0.issuedBefore = 10
            $0.brownouts = [12..<14, 19..<30]
            $0.acceptUntil = 20
        }
        #expect(legacy.phase(at: now) == phase)
    }

    @Test func `Without dates an audience is accepted for ever`() {
        for now in [0, Self.now, .max] { #expect(Self.legacy().phase(at: now) == .accepted) }
    }

    @Test func `The backend hears the name, the audience that matched, and the rest as ever`() throws {
        let identity = try #require(Self.authenticator().decide(Self.webToken).identity)
        #expect(identity.field("X-Auth-Legacy-Audience") == "web")
        #expect(identity.field("X-Auth-Audience") == "SDFWRGRRSFDF3214")
        #expect(identity.field("X-Auth-Subject") == "auth0|42")
        #expect(identity.legacyName == "web")
    }

    @Test(arguments: [
        "[\"SDFWRGRRSFDF3214\",\"https://api.example.com\"]", "[\"https://api.example.com\",\"SDFWRGRRSFDF3214\"]",
        "\"https://api.example.com\"",
    ])
    func `A token that has the new audience too has moved`(audience: String) throws {
        let authenticator = Self.authenticator { $0.acceptUntil = 1 }
        let identity = try #require(authenticator.decide(Fixture.token(["aud": audience])).identity)
        #expect(identity.field("X-Auth-Audience") == "https://api.example.com")
        #expect(identity.field("X-Auth-Legacy-Audience") == nil)
        #expect(identity.legacyName == "")
    }

    @Test func `Who sends another audience is told the new one alone`() throws {
        let refusal = try #require(Self.authenticator().decide(Fixture.token(["aud": "\"other\""])).refusal)
        #expect(refusal.code == .wrongAudience)
        #expect(refusal.expected == ["https://api.example.com"])
    }

    @Test func `After its end it is refused, with the date and the new audience`() throws {
        let authenticator = Self.authenticator {
            $0.acceptUntil = Self.now
            $0.documentation = "https://docs.example.com/new-audience"
        }
        let refusal = try #require(authenticator.decide(Self.webToken).refusal)
        #expect(refusal.code == .legacyAudienceExpired)
        #expect(
            refusal.detail
                == "The audience \"SDFWRGRRSFDF3214\" (\"web\") is not accepted any more, since 2027-01-15T08:00:00Z.")
        #expect(
            refusal.hint == """
                This API's audience is "https://api.example.com" now. Request an access token with \
                audience=https://api.example.com (resource=https://api.example.com at issuers that follow RFC 8707), and \
                send that one. See https://docs.example.com/new-audience.
                """)
        #expect(refusal.expected == ["https://api.example.com"])
        #expect(refusal.got == ["SDFWRGRRSFDF3214"])
        #expect(refusal.issuerIndex == 0)
    }

    @Test func `In a brownout it is refused, until when is said, and other audiences go on`() throws {
        let authenticator = Self.authenticator {
            $0.brownouts = [Self.now..<Self.now + 2 * Self.hour]
            $0.acceptUntil = Self.now + 24 * Self.hour
        }
        let refusal = try #require(authenticator.decide(Self.webToken).refusal)
        #expect(refusal.code == .legacyAudienceBrownout)
        #expect(
            refusal.detail == """
                The audience "SDFWRGRRSFDF3214" ("web") is refused from 2027-01-15T08:00:00Z to 2027-01-15T10:00:00Z, so \
                that whoever still uses it finds out before it ends at 2027-01-16T08:00:00Z.
                """)
        let cli = authenticator.decide(Fixture.token(["aud": "\"CLI7F3KQ2ZPX9W1V\""])).identity
        #expect(cli?.field("X-Auth-Legacy-Audience") == "cli")
    }

    @Test(arguments: [0, 100])
    func `A token is refused for the time of a brownout and accepted after it, remembered or not`(cacheEntries: Int) {
        let authenticator = Self.authenticator(cacheEntries: cacheEntries) {
            $0.brownouts = [Self.now + Self.hour..<Self.now + 2 * Self.hour]
            $0.acceptUntil = Self.now + 3 * Self.hour
        }
        let codes = ([0, 1, 2, 3] as [Int64]).map { hours -> String in
            let decision = authenticator.decide(Self.webToken, at: Fixture.instant(Self.now + hours * Self.hour))
            return decision.refusal?.code.rawValue ?? (decision.identity == nil ? "?" : "admitted")
        }
        #expect(codes == ["admitted", "legacy_audience_brownout", "admitted", "legacy_audience_expired"])
        #expect(authenticator.counters.cacheHits == (cacheEntries == 0 ? 0 : 3))
    }

    @Test(arguments: [
        ("1799999999", true), ("1799999999.5", true), ("1800000000", false), ("", false),
    ])
    func `Once new tokens are refused, only those that say they are older are taken`(issuedAt: String, isTaken: Bool) {
        let authenticator = Self.authenticator { $0.issuedBefore = Self.now }
        let token = Fixture.token(["aud": "\"SDFWRGRRSFDF3214\"", "iat": issuedAt])
        let decision = authenticator.decide(token)
        #expect((decision.identity != nil) == isTaken)
        if !isTaken { #expect(decision.refusal?.code == .legacyAudienceExpired) }
    }

    @Test func `Before that instant a token without iat is taken, as none can be newer`() {
        let authenticator = Self.authenticator { $0.issuedBefore = Self.now + 1 }
        let token = Fixture.token(["aud": "\"SDFWRGRRSFDF3214\"", "iat": ""])
        #expect(authenticator.decide(token).identity != nil)
        #expect(
            authenticator.decide(token, at: Fixture.instant(Self.now + 1)).refusal?.detail == """
                Tokens for the audience "SDFWRGRRSFDF3214" ("web") are taken only if they were issued before \
                2027-01-15T08:00:01Z; this one has no iat, so that its age cannot be told.
                """)
    }

    @Test func `A terse policy says the code and no more`() throws {
        let authenticator = Self.authenticator(detail: .terse) { $0.acceptUntil = Self.now + 1 }
        #expect(authenticator.decide(Self.webToken).identity != nil)
        let late = Fixture.instant(Self.now + 1)
        let refusals = [
            authenticator.decide(Self.webToken, at: late).refusal,
            Self.authenticator(detail: .terse) { $0.acceptUntil = 1 }.decide(Self.webToken).refusal,
        ]
        for refusal in refusals {
            #expect(refusal?.code == .legacyAudienceExpired)
            #expect(refusal?.detail == "" && refusal?.hint == nil && refusal?.expected == [] && refusal?.got == [])
        }
    }

    @Test func `Responses carry the dates as their RFCs spell them`() {
        let rule = LegacyRule(
            Self.legacy {
                $0.deprecatedAt = 1_796_083_200
                $0.acceptUntil = 1_806_451_200
                $0.documentation = "https://docs.example.com/new-audience"
            }, at: 0, wanted: [])
        #expect(
            String(decoding: rule.responseLines, as: UTF8.self) == """
                Deprecation: @1796083200\r
                Sunset: Wed, 31 Mar 2027 00:00:00 GMT\r
                Link: <https://docs.example.com/new-audience>; rel="deprecation"\r

                """)
        #expect(LegacyRule(Self.legacy(), at: 0, wanted: []).responseLines.isEmpty)
    }
}

extension Identity {
    fileprivate var legacyName: String { legacyNameJSON.text() }
}
