import Admission
import Testing

@Suite struct TokenTimeTests {
    private static let now = Fixture.now

    @Test(arguments: [
        // With the default leeway of 30 s; exp is the first second that is refused (RFC 7519 §4.1.4).
        ("exp", "\(now - 29)"), ("exp", "\(now + 1)"), ("exp", "\(now).5"), ("exp", "1.9e9"),
        ("exp", "9007199254740992"),
        ("nbf", "\(now + 30)"), ("nbf", "0"), ("nbf", "-0"), ("nbf", "\(now + 29).5"), ("iat", "\(now + 30)"),
    ])
    func `A token within its time is admitted`(claim: String, value: String) {
        let decision = Fixture.authenticator().decide(Fixture.token([claim: value]))
        #expect(decision.identity != nil, "\(decision.outcome)")
    }

    @Test(arguments: [
        ("exp", "\(now - 30)", RefusalCode.tokenExpired), ("exp", "0", .tokenExpired),
        ("exp", "\(now - 30).999", .tokenExpired), ("exp", "1.5e9", .tokenExpired),
        ("nbf", "\(now + 31)", .tokenNotYetValid), ("nbf", "\(now + 30).001", .tokenNotYetValid),
        ("iat", "\(now + 31)", .tokenIssuedInFuture), ("iat", "\(now + 30).5", .tokenIssuedInFuture),
        ("exp", "", .missingClaim),
        ("exp", "\"\(now + 600)\"", .malformedClaim), ("exp", "null", .malformedClaim),
        ("exp", "true", .malformedClaim),
        ("exp", "[]", .malformedClaim), ("exp", "{}", .malformedClaim), ("exp", "-1", .malformedClaim),
        ("exp", "-0.5", .malformedClaim), ("exp", "1e400", .malformedClaim), ("exp", "-1e400", .malformedClaim),
        ("exp", "9007199254740993", .malformedClaim), ("exp", "9007199254740992.5", .malformedClaim),
        ("exp", "18446744073709551616", .malformedClaim), ("exp", "9223372036854775807", .malformedClaim),
        ("nbf", "\"soon\"", .malformedClaim), ("nbf", "-1", .malformedClaim), ("nbf", "1e400", .malformedClaim),
        ("iat", "\"\(now)\"", .malformedClaim), ("iat", "-9223372036854775808", .malformedClaim),
        ("iat", "null", .malformedClaim),
    ])
    func `A token outside its time, or with a time that is none, is refused`(
        claim: String, value: String, code: RefusalCode
    ) {
        let refusal = Fixture.authenticator().decide(Fixture.token([claim: value])).refusal
        #expect(refusal?.code == code)
        #expect(refusal?.detail.contains(claim) == true)
    }

    @Test(arguments: ["NaN", "Infinity", "+1", "01", "1.", ".5", "0x10"])
    func `A time that JSON cannot spell makes the token malformed`(value: String) {
        #expect(Fixture.authenticator().decide(Fixture.token(["exp": value])).refusal?.code == .malformedToken)
    }

    @Test func `The refusal says by how many seconds`() {
        let authenticator = Fixture.authenticator()
        let expired = authenticator.decide(Fixture.token(["exp": "\(Self.now - 95)"])).refusal
        #expect(expired?.detail == "The token's exp was 95 s ago; 30 s of clock skew are allowed.")
        let early = authenticator.decide(Fixture.token(["nbf": "\(Self.now + 77)"])).refusal
        #expect(early?.detail == "The token's nbf is 77 s in the future; 30 s of clock skew are allowed.")
    }

    @Test func `The leeway is the policy's`() {
        let strict = Fixture.authenticator(Fixture.policy { $0.leewaySeconds = 0 })
        #expect(strict.decide(Fixture.token(["exp": "\(Self.now)"])).refusal?.code == .tokenExpired)
        #expect(strict.decide(Fixture.token(["exp": "\(Self.now + 1)"])).identity != nil)
        #expect(strict.decide(Fixture.token(["nbf": "\(Self.now + 1)"])).refusal?.code == .tokenNotYetValid)
        #expect(strict.decide(Fixture.token(["iat": "\(Self.now + 1)"])).refusal?.code == .tokenIssuedInFuture)
    }

    @Test(arguments: [Int64.max, Int64.min])
    func `No configured leeway overflows`(leeway: Int64) {
        let authenticator = Fixture.authenticator(Fixture.policy { $0.leewaySeconds = leeway })
        let last = Fixture.token(["exp": "9007199254740992", "nbf": "0"])
        #expect(authenticator.decide(last).identity != nil)
    }

    @Test func `A token that lives longer than allowed is refused, one that does not say since when too`() throws {
        let authenticator = Fixture.authenticator(Fixture.policy { $0.maxLifetimeSeconds = 300 })
        let issued = "\(Self.now - 10)"
        #expect(authenticator.decide(Fixture.token(["iat": issued, "exp": "\(Self.now + 290)"])).identity != nil)
        let long = try #require(
            authenticator.decide(Fixture.token(["iat": issued, "exp": "\(Self.now + 290).5"])).refusal)
        #expect(long.code == .tokenLifetimeTooLong)
        #expect(long.detail.contains("lives 301 s: 1 s longer"))
        let unsaid = try #require(authenticator.decide(Fixture.token(["iat": ""])).refusal)
        #expect(unsaid.code == .missingClaim)
        #expect(unsaid.detail.contains("iat"))
    }
}
