// What is said of each kind of token, to the letter: Explanations/NAME.txt and NAME.json. ANTECHAMBER_RECORD=1 writes
// them anew; read the difference before it is committed.

import Foundation
import JOSE
import JOSEFixtures
import Testing

@testable import Admission

@Suite struct ExplanationTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Explanations")

    @Test(arguments: ExplanationCase.all.map(\.name))
    func `What is said is exactly as recorded`(name: String) throws {
        let example = try #require(ExplanationCase.all.first { $0.name == name })
        let explanation = example.explanation
        #expect(explanation.refusal?.code == example.code)
        expectDiscreet(explanation, of: example.text)
        for (text, suffix) in [(explanation.text(), "txt"), (explanation.json, "json")] {
            let file = Self.folder.appending(path: "\(name).\(suffix)")
            if ProcessInfo.processInfo.environment["ANTECHAMBER_RECORD"] != nil {
                try text.write(to: file, atomically: true, encoding: .utf8)
            }
            #expect(text == (try String(contentsOf: file, encoding: .utf8)))
        }
    }

    @Test func `Each code that a token can cause is among the examples, and each recording is of one`() throws {
        let codes = Set(ExplanationCase.all.compactMap(\.code))
        let others: Set<RefusalCode> = [
            // Of the request, not of its token.
            .multipleTokens, .badRequest, .notFound, .headerTooLarge, .uriTooLong, .bodyTooLarge, .requestTimeout,
            .methodNotAllowed, .expectationFailed, .notImplemented, .unsupportedVersion, .upstreamUnreachable, .upstreamTimeout,
            .upstreamInvalidResponse, .rateLimited,
            // Of the connection.
            .certificateMismatch,
            // Of a directive that is planned.
            .claimRequirement,
        ]
        #expect(codes.union(others) == Set(RefusalCode.allCases))
        #expect(codes.isDisjoint(with: others))
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(files) == Set(ExplanationCase.all.flatMap { ["\($0.name).txt", "\($0.name).json"] }))
    }

    @Test func `Tokens that other implementations made are explained as they are decided`() throws {
        let keys = try KeySet(parsing: Array(IndependentTokens.keySet.utf8).span)
        let authenticator = Fixture.authenticator()
        authenticator.install(Fixture.keys(keys), forIssuerAt: 0)
        for (_, _, token) in IndependentTokens.genuine {
            let decision = authenticator.decide(token)
            #expect(decision.identity != nil)
        }
        for (name, token) in IndependentTokens.forged {
            #expect(authenticator.decide(token).refusal?.code == .badSignature, "\(name)")
        }
        for (name, token) in IndependentTokens.confused {
            #expect(authenticator.decide(token).refusal?.code == .algorithmNotAllowed, "\(name)")
        }
    }

    @Test func `The README shows what is really said of the support thread's token`() throws {
        let issuer = "https://example.eu.auth0.com/"
        let policy = AdmissionPolicy(issuers: [IssuerPolicy(identifier: issuer, audiences: [Fixture.audience])])
        let token = Fixture.token(
            [
                "iss": "\"\(issuer)\"", "aud": "\"SDFWRGRRSFDF3214\"", "azp": "", "scope": "",
                "nonce": "\"n-0S6_WzA2Mj\"", "email": "\"alice@example.com\"",
            ], signer: Fixture.rsa, type: "JWT")
        let keys = KeyReport(
            state: .usable(Fixture.keySet(Fixture.rsa)), source: issuer + ".well-known/jwks.json")
        let text = Examination(Array(token.utf8), under: policy).explain(with: keys, at: Fixture.instant())
            .text(.terminal(columns: 96, colour: false))
        let root = Self.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        #expect(readme.contains("```\n\(text)```\n"), "the README should say:\n\(text)")
    }

    @Test func `Where the signature did not hold, that is said before anything that it covers`() throws {
        let token = Fixture.token(["aud": "\"web\"", "exp": "1"], signer: Fixture.impostor)
        let text = Fixture.authenticator().explain(token).text()
        let warning = try #require(text.firstRange(of: "The signature did not hold: nothing below is to be believed."))
        for (name, isBelow) in [("signature", false), ("type", true), ("times", true), ("audience", true)] {
            let step = try #require(text.firstRange(of: ". \(name): "))
            #expect((step.lowerBound > warning.lowerBound) == isBelow, "\(name)")
        }
        #expect(text.contains("what it claims, and nobody vouches for:"))
    }

    @Test func `A token with several things wrong hears of all of them`() {
        let token = Fixture.token(["aud": "\"web\"", "exp": "1"], type: "x")
        let codes = Fixture.authenticator().explain(token).steps.compactMap { $0.refusal?.code }
        #expect(codes == [.wrongTokenType, .tokenExpired, .wrongAudience])
    }

    @Test func `A token is explained whatever place the policy takes it from`() {
        let policy = AdmissionPolicy(issuers: [Fixture.policy()], tokenSources: [.cookie("session")])
        let examination = Examination(Array(Fixture.token().utf8), under: policy)
        let keys = KeyReport(state: .usable(Fixture.keySet(Fixture.ec)), source: "keys.json")
        #expect(examination.explain(with: keys, at: Fixture.instant()).isAdmitted)
    }

    @Test(arguments: ["", "Bearer ", "bearer   ", "Authorization: Bearer ", "authorization:Bearer ", "\n\t "])
    func `The token may stand behind its scheme, or in its whole line`(prefix: String) {
        for suffix in ["", "\n", "\r\n", "  "] {
            let examination = Examination(
                Array((prefix + Fixture.token() + suffix).utf8), under: AdmissionPolicy(issuers: [Fixture.policy()]))
            #expect(examination.explain(with: ExplanationCase.fetched, at: Fixture.instant()).isAdmitted)
        }
    }

    @Test(arguments: [
        ("", RefusalCode.missingToken), ("Authorization:", .missingToken), ("Bearer", .malformedAuthorization),
        ("\"a.b.c\"", .malformedAuthorization), ("a.b.c a.b.c", .malformedAuthorization),
        ("a.b\n.c", .malformedAuthorization), ("a\r\nX-Auth-Subject: root", .malformedAuthorization),
        ("a\r\n\r\nGET / HTTP/1.1", .malformedAuthorization), ("caf\u{e9}", .malformedAuthorization),
        ("\u{0}", .missingToken), ("a\u{0}b", .malformedAuthorization), ("Bearerx", .malformedToken),
        ("authorization: x.y.z", .missingToken), (String(repeating: "a", count: 100_000), .malformedToken),
    ])
    func `Whatever is pasted has an answer`(text: String, code: RefusalCode) {
        let examination = Examination(Array(text.utf8), under: AdmissionPolicy(issuers: [Fixture.policy()]))
        #expect(examination.issuerIndex == nil)
        let explanation = examination.explain(with: .notNeeded, at: Fixture.instant())
        #expect(explanation.refusal?.code == code)
        #expect(explanation.steps.first(where: { $0.refusal != nil })?.refusal == explanation.refusal)
        expectDiscreet(explanation, of: text)
    }

    @Test(arguments: [40, 80, 100])
    func `On a terminal no line is wider than it, and the words are those of the pipe`(columns: Int) {
        for example in ExplanationCase.all {
            let explanation = example.explanation
            let text = explanation.text(.terminal(columns: columns, colour: false))
            for line in text.split(separator: "\n") where line.utf8.count > columns {
                // A single word that is too long for any line.
                #expect(line.split(separator: " ").contains { $0.utf8.count > columns - 25 }, "\(line)")
            }
            func words(_ text: String) -> [String] {
                text.split(whereSeparator: \.isWhitespace).map { String($0.replacing(":", with: "")) }.filter { !$0.isEmpty }
            }
            #expect(words(text) == words(explanation.text()))
            let coloured = explanation.text(.terminal(columns: columns, colour: true))
            #expect(coloured.replacing(/\u{1b}\[[0-9;]+m/, with: "") == text)
            #expect(coloured != text)
        }
    }

    @Test(arguments: [
        (0, "now"), (1, "in 1 s"), (-119, "119 s ago"), (120, "in 2 min"), (-125, "2 min 5 s ago"), (7_260, "in 2 h 1 min"),
        (-172_800, "2 d ago"), (63_072_000, "in 1 years"), (Int64.max, "in 292271023045 years"),
    ])
    func `A distance in time is read at once`(seconds: Int64, text: String) {
        #expect(ExplainedTime.distance(seconds, from: 0) == text)
    }

    @Test func `Dates that no calendar has are none`() {
        #expect(ExplainedTime.date(Fixture.now) == "2027-01-15T08:00:00Z")
        #expect(ExplainedTime.date(253_402_300_799) == "9999-12-31T23:59:59Z")
        #expect(ExplainedTime.date(253_402_300_800) == nil)
        #expect(ExplainedTime.date(-1) == nil)
        #expect(ExplainedTime.distance(.min, from: 1) == "beyond all time")
    }
}
