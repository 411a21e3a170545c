// `require`: what a good token must hold on top, and what its holder is told when it does not.

import Bytes
import Testing

@testable import Admission

@Suite struct RequirementsTests {
    private func verdict(
        _ requirements: Requirements, of claims: KeyValuePairs<String, String>, detail: ErrorDetail = .full
    ) -> Refusal? {
        let policy = Fixture.policy { $0.requirements = requirements }
        return Fixture.authenticator(policy, detail: detail).decide(Fixture.token(claims)).refusal
    }

    private func admits(_ test: ClaimRequirement.Test, _ value: String) -> Bool {
        let requirement = ClaimRequirement(ClaimPath(["c"]), test)
        let refusal = verdict(Requirements(claims: [requirement]), of: ["c": value])
        #expect(refusal == nil || refusal?.code == .claimRequirement, "\(value)")
        return refusal == nil
    }

    // MARK: Scope

    @Test(arguments: [
        (["scope": "\"a b\""], true), (["scope": "\"b a\""], true), (["scope": "\" x  b   a \""], true),
        (["scope": "\"a\""], false), (["scope": "\"A b\""], false), (["scope": "\"ab\""], false),
        (["scope": "\"a,b\""], false), (["scope": "\"a\\tb\""], false), (["scope": "\"\""], false), (["scope": ""], false),
        (["scope": "[\"a\",\"b\"]"], true), (["scope": "[\"a b\"]"], false), (["scope": "[]"], false),
        (["scope": "", "scp": "\"a b\""], true), (["scope": "", "scp": "[\"x\",\"b\",\"a\"]"], true),
        (["scope": "", "scp": "[\"a b\"]"], false),
        // One of the two counts, and that is `scope`.
        (["scope": "\"a\"", "scp": "[\"a\",\"b\"]"], false),
    ] as [(KeyValuePairs<String, String>, Bool)])
    func `Each required scope has to be among the token's`(claims: KeyValuePairs<String, String>, isAdmitted: Bool) {
        #expect(verdict(Requirements(scopes: ["a", "b"]), of: claims)?.code == (isAdmitted ? nil : .insufficientScope))
    }

    @Test func `A refusal for want of scope says what is needed and what there is`() throws {
        let refusal = try #require(verdict(Requirements(scopes: ["a", "admin"]), of: ["scope": "\"a x\""]))
        #expect(refusal.code.status == 403)
        #expect(refusal.detail == "The token's scope lacks \"admin\".")
        #expect(refusal.requiredScopes == ["a", "admin"])
        #expect(refusal.got == ["a", "x"])
        #expect(refusal.issuerIndex == 0)
    }

    @Test func `The challenge names all scopes that are needed here, the issuer's and the place's, each once`() throws {
        let authenticator = Fixture.authenticator(
            Fixture.policy { $0.requirements = Requirements(scopes: ["a", "b"]) },
            rules: [AccessRules(requirements: Requirements(scopes: ["b", "c"]))])
        #expect(authenticator.decide(Fixture.token(["scope": "\"c b a\""])).identity != nil)
        for scope in ["a b", "b c", "a c", ""] {
            let refusal = try #require(authenticator.decide(Fixture.token(["scope": "\"\(scope)\""])).refusal)
            #expect(refusal.challengeText.contains("error=\"insufficient_scope\""))
            #expect(refusal.challengeText.hasSuffix(", scope=\"a b c\""))
        }
    }

    @Test func `A terse refusal names neither scopes nor claims`() throws {
        for requirements in [
            Requirements(scopes: ["admin"]),
            Requirements(claims: [ClaimRequirement(ClaimPath(["tenant"]), .equals(["acme"]))]),
        ] {
            let refusal = try #require(verdict(requirements, of: ["tenant": "\"other\""], detail: .terse))
            #expect(refusal == Refusal(refusal.code, issuerIndex: 0))
            #expect(!refusal.challengeText.contains("scope=\""))
            #expect(refusal.challengeText.contains("error=\"insufficient_scope\""))
        }
    }

    // MARK: Claims

    @Test(arguments: [
        ("\"x\"", true), ("\"\"", true), ("0", true), ("false", true), ("[]", true), ("{}", true), ("null", false), ("", false),
    ])
    func `A claim that is required has to be there, whatever it holds`(value: String, isAdmitted: Bool) {
        #expect(admits(.present, value) == isAdmitted)
    }

    @Test(arguments: [
        ("acme", "\"acme\"", true), ("acme", "\"Acme\"", false), ("acme", "\"acme \"", false), ("acme", "\"ac\\u006de\"", true),
        ("acme", "[\"acme\"]", false), ("acme", "{\"acme\":1}", false), ("acme", "\"acme b\"", false),
        // Canonically equivalent, and not the same.
        ("K", "\"\\u212a\"", false), ("caf\u{e9}", "\"cafe\\u0301\"", false), ("caf\u{e9}", "\"caf\\u00e9\"", true),
        // Numbers by their digits.
        ("1", "1", true), ("1", "1.0", false), ("1.0", "1.0", true), ("1", "1e0", false), ("1", "\"1\"", true),
        ("9007199254740993", "9007199254740993", true), ("9007199254740992", "9007199254740993", false),
        ("true", "true", true), ("true", "\"true\"", true), ("false", "true", false), ("1", "true", false),
        ("null", "null", false), ("", "\"\"", true), ("", "\"x\"", false),
    ])
    func `equals compares texts, byte for byte`(wanted: String, value: String, isAdmitted: Bool) {
        #expect(admits(.equals([wanted]), value) == isAdmitted)
        #expect(admits(.equals(["other", wanted, "another"]), value) == isAdmitted)
    }

    @Test(arguments: [
        ("[\"admin\",\"x\"]", true), ("[\"x\",\"admin\"]", true), ("[\"Admin\"]", false), ("[\"admins\"]", false), ("[]", false),
        ("[\"x admin\"]", false), ("[\"x,admin\"]", false), ("[[\"admin\"]]", false), ("[{\"admin\":true}]", false),
        ("{\"admin\":\"admin\"}", false), ("\"admin\"", true), ("\"x admin\"", false), ("\"administrator\"", false),
        ("[1,null,true,\"admin\"]", true),
    ])
    func `contains looks for one element of an array, and splits no text`(value: String, isAdmitted: Bool) {
        #expect(admits(.contains(["admin"]), value) == isAdmitted)
        #expect(admits(.contains(["root", "admin"]), value) == isAdmitted)
    }

    @Test func `A path leads through objects, a name a level, and through nothing else`() {
        let path = ClaimPath(["https://example.com/claims", "a.b", "roles"])
        let requirements = Requirements(claims: [ClaimRequirement(path, .contains(["x"]))])
        let claim = "https://example.com/claims"
        #expect(verdict(requirements, of: [claim: "{\"a.b\":{\"roles\":[\"x\"]}}"]) == nil)
        for value in ["{\"a\":{\"b\":{\"roles\":[\"x\"]}}}", "[{\"a.b\":{\"roles\":[\"x\"]}}]", "{\"a.b\":\"roles\"}", "\"x\"", "{}"] {
            #expect(verdict(requirements, of: [claim: value])?.code == .claimRequirement, "\(value)")
        }
    }

    @Test func `All that is required must hold, the issuer's and the place's`() {
        let authenticator = Fixture.authenticator(
            Fixture.policy { $0.requirements = Requirements(claims: [ClaimRequirement(ClaimPath(["a"]), .present)]) },
            rules: [AccessRules(requirements: Requirements(claims: [ClaimRequirement(ClaimPath(["b"]), .equals(["1"]))]))])
        #expect(authenticator.decide(Fixture.token(["a": "1", "b": "1"])).identity != nil)
        for claims: KeyValuePairs in [["a": "1"], ["b": "1"], ["a": "1", "b": "2"], [:]] {
            #expect(authenticator.decide(Fixture.token(claims)).refusal?.code == .claimRequirement)
        }
    }

    @Test func `A refusal for a claim says which, what is needed, and what there is, without ends of lines`() throws {
        let requirement = ClaimRequirement(ClaimPath(["org", "tier"]), .equals(["gold", "silver"]))
        let other = try #require(verdict(Requirements(claims: [requirement]), of: ["org": "{\"tier\":\"tin\\r\\n\"}"]))
        #expect(
            other.detail
                == "Only a token whose claim \"org\" \"tier\" is one of \"gold\", \"silver\" is let in here.")
        #expect(other.expected == ["gold", "silver"])
        #expect(other.got == ["tin\r\n"])
        let none = try #require(verdict(Requirements(claims: [requirement]), of: [:]))
        #expect(none.detail == "The token lacks the claim \"org\" \"tier\", which is needed here.")
        #expect(none.code.status == 403)
    }

    @Test func `What is required comes behind the audience, and before what the backend is told`() {
        let requirements = Requirements(scopes: ["admin"])
        #expect(verdict(requirements, of: ["aud": "\"other\""])?.code == .wrongAudience)
        #expect(verdict(requirements, of: ["client_id": "1"])?.code == .insufficientScope)
    }
}

extension Refusal {
    /// The value of `WWW-Authenticate`.
    var challengeText: String {
        let out = ByteBuffer(capacity: 1024)
        writeResponse(
            into: out, at: Fixture.instant(), requestID: Array("id".utf8).span, realm: "r", plainText: false,
            omitBody: false, close: false)
        let name = "WWW-Authenticate: "
        let line = out.text.split(separator: "\r\n").first { $0.hasPrefix(name) }
        return line.map { String($0.dropFirst(name.count)) } ?? ""
    }
}
