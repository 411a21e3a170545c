// Who is turned away, what they are told, and that the backend hears nothing of it.

import Foundation
import Testing

@Suite("Refusals", .scenario)
struct RefusalTests {
    /// Sends one request and shows that it was refused with this, and never went upstream.
    private func expectRefusal(
        _ code: String, status: Int, fields: [String] = [], in scene: Scene, token: String?,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Problem {
        let response = try scene.get(token: token, fields: fields)
        #expect(response.status == status, sourceLocation: sourceLocation)
        #expect(response["Content-Type"] == "application/problem+json", sourceLocation: sourceLocation)
        #expect(response["Cache-Control"] == "no-store", sourceLocation: sourceLocation)
        let problem = try JSONDecoder().decode(Problem.self, from: Data(response.body))
        #expect(problem.code == code, "\(response.text)", sourceLocation: sourceLocation)
        #expect(problem.type == "urn:antechamber:\(code)", sourceLocation: sourceLocation)
        #expect(problem.status == status, sourceLocation: sourceLocation)
        if status == 401, code != "missing_token" {
            let challenge = try #require(response["WWW-Authenticate"], sourceLocation: sourceLocation)
            #expect(challenge.hasPrefix("Bearer realm=\""), sourceLocation: sourceLocation)
            #expect(challenge.contains("error=\"invalid_token\""), sourceLocation: sourceLocation)
            #expect(challenge.contains("error_description=\""), sourceLocation: sourceLocation)
        }
        try scene.expectNothingMoreUpstream(sourceLocation: sourceLocation)
        return problem
    }

    private struct Problem: Decodable {
        var type: String
        var title: String
        var status: Int
        var code: String
        var detail: String?
        var hint: String?
        var request_id: String
        var expected: [String]?
        var got: [String]?

        var text: String { "\(title) \(detail ?? "") \(hint ?? "")" }
    }

    @Test("A token for another audience is refused, and told which audience it has and which it needs")
    func wrongAudience() throws {
        try Scene.play { scene throws in
            let token = scene.token(audience: "https://other.example.com")
            let problem = try expectRefusal("wrong_audience", status: 401, in: scene, token: token)
            #expect(problem.expected == [Scene.audience])
            #expect(problem.got == ["https://other.example.com"])
        }
    }

    @Test("An ID token is refused, and told that it is one, whose, and what to send instead")
    func idToken() throws {
        try Scene.play { scene throws in
            let token = scene.idToken(clientID: "SDFWRGRRSFDF3214")
            let problem = try expectRefusal("wrong_audience", status: 401, in: scene, token: token)
            #expect(problem.text.contains("ID token"))
            #expect(problem.text.contains("SDFWRGRRSFDF3214"))
            #expect(problem.text.contains(Scene.audience))
            #expect(problem.text.lowercased().contains("access token"))
        }
    }

    @Test("A request without a token is challenged, with no error of a token it never sent")
    func missingToken() throws {
        try Scene.play { scene throws in
            let response = try scene.get()
            #expect(response.status == 401)
            let challenge = try #require(response["WWW-Authenticate"])
            #expect(challenge.hasPrefix("Bearer realm=\""))
            #expect(!challenge.contains("error"))
            #expect(response.text.contains("\"missing_token\""))
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("Times are held to, beyond the leeway", arguments: [
        ("token_expired", "exp", -120), ("token_not_yet_valid", "nbf", 120), ("token_issued_in_future", "iat", 120),
    ])
    func times(_ code: String, _ claim: String, _ seconds: Int) throws {
        try Scene.play { scene throws in
            let instant = Int(Date().timeIntervalSince1970) + seconds
            let token = scene.token(claims: [claim: .number(instant)])
            let problem = try expectRefusal(code, status: 401, in: scene, token: token)
            #expect(problem.text.contains(claim))
        }
    }

    @Test("A token without a claim that it must have is refused", arguments: ["exp", "aud"])
    func missingClaim(_ claim: String) throws {
        try Scene.play { scene throws in
            let token = scene.token(claims: [claim: nil])
            let problem = try expectRefusal("missing_claim", status: 401, in: scene, token: token)
            #expect(problem.text.contains(claim))
        }
    }

    @Test("A claim of the wrong type is refused", arguments: [
        ("exp", JSONValue.string("4000000000")), ("aud", JSONValue.number(7)), ("aud", JSONValue.array([.number(7)])),
    ])
    func malformedClaim(_ claim: String, _ value: JSONValue) throws {
        try Scene.play { scene throws in
            let token = scene.token(claims: [claim: value])
            _ = try expectRefusal("malformed_claim", status: 401, in: scene, token: token)
        }
    }

    @Test("An issuer that nobody trusts is refused, and a missing slash is named")
    func unknownIssuer() throws {
        try Scene.play { scene throws in
            let issuer = String(scene.issuer.identifier.dropLast())
            let token = try scene.mint.token(issuer: issuer)
            let problem = try expectRefusal("unknown_issuer", status: 401, in: scene, token: token)
            #expect(problem.text.contains("slash"))
        }
    }

    @Test("A token signed with another key of the same name is refused")
    func badSignature() throws {
        try Scene.play { scene throws in
            let token = try scene.token(from: TokenMint())
            _ = try expectRefusal("bad_signature", status: 401, in: scene, token: token)
        }
    }

    @Test("An unsigned token is refused, in every spelling", arguments: ["none", "None", "NONE"])
    func algorithmNone(_ name: String) throws {
        try Scene.play { scene throws in
            let signed = scene.token(header: ["alg": .string(name)])
            let unsigned = signed.prefix(through: signed.lastIndex(of: ".")!)
            let response = try scene.get(token: String(unsigned))
            #expect(response.status == 401)
            _ = try expectRefusal("algorithm_not_allowed", status: 401, in: scene, token: signed)
        }
    }

    @Test("The public key does not work as a shared secret")
    func keyConfusion() throws {
        try Scene.play { scene throws in
            let token = scene.token(header: ["alg": "HS256"])
            _ = try expectRefusal("algorithm_not_allowed", status: 401, in: scene, token: token)
        }
    }

    @Test("A key that the token itself brings along is not looked at")
    func embeddedKey() throws {
        try Scene.play { scene throws in
            let other = try TokenMint()
            let header: [String: JSONValue?] = [
                "jwk": .object(["kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"]), "jku": .string(scene.issuer.identifier + "evil"),
                "x5u": .string(scene.issuer.identifier + "evil"),
            ]
            _ = try expectRefusal("bad_signature", status: 401, in: scene, token: scene.token(header: header, from: other))
            #expect(!scene.issuer.requests.contains("/evil"))
        }
    }

    @Test("An opaque token is recognised, and the missing audience named as its cause")
    func opaqueToken() throws {
        try Scene.play { scene throws in
            let problem = try expectRefusal("malformed_token", status: 401, in: scene, token: "Xq0bY1w4Zc7Jk2Lm9Np3Rs6Tv8")
            #expect(problem.text.contains("opaque"))
            #expect(problem.text.contains("audience"))
        }
    }

    @Test("A type that is no access token is refused")
    func wrongType() throws {
        try Scene.play { scene throws in
            let token = scene.token(header: ["typ": "logout+jwt"])
            _ = try expectRefusal("wrong_token_type", status: 401, in: scene, token: token)
        }
    }

    @Test("Two tokens in one request are one too many")
    func twoTokens() throws {
        try Scene.play { scene throws in
            let token = scene.token()
            let response = try scene.get(token: token, fields: ["Authorization: Bearer \(token)"])
            #expect(response.status == 400)
            #expect(response.text.contains("\"multiple_tokens\""))
            #expect(response["WWW-Authenticate"]?.contains("error=\"invalid_request\"") == true)
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("An Authorization field that is not Bearer credentials is refused", arguments: ["Bearer", "Bearer a b", "Bearer a,b"])
    func malformedAuthorization(_ value: String) throws {
        try Scene.play { scene throws in
            let response = try scene.get(fields: ["Authorization: \(value)"])
            #expect(response.status == 400)
            #expect(response.text.contains("\"malformed_authorization\""))
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("A client that only takes plain text gets plain text")
    func plainText() throws {
        try Scene.play { scene throws in
            let token = scene.token(audience: "https://other.example.com")
            let response = try scene.get(token: token, fields: ["Accept: text/plain"])
            #expect(response.status == 401)
            #expect(response["Content-Type"]?.hasPrefix("text/plain") == true)
            #expect(response.text.contains("https://other.example.com"))
        }
    }

    @Test("A refused HEAD has the head of its refusal and no body")
    func refusedHead() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.request("HEAD", "/")
            #expect(try client.response(toHead: true).status == 401)
            // Were there a body, it would stand where the next response is expected.
            try client.get(token: scene.token())
            #expect(try client.response().status == 200)
        }
    }

    @Test("Told to be terse, a refusal says no more than its code")
    func terse() throws {
        try Scene.play(main: "error_detail terse;") { scene throws in
            let token = scene.token(audience: "https://other.example.com")
            let response = try scene.get(token: token)
            #expect(response.status == 401)
            #expect(response.text.contains("\"wrong_audience\""))
            #expect(!response.text.contains("other.example.com") && !response.text.contains(Scene.audience))
        }
    }

    @Test("A token is refused from the moment it expires, also one that was remembered")
    func rememberedTokenExpires() throws {
        try Scene.play(issuerBlock: "leeway 0s;") { scene throws in
            let expiry = Int(Date().timeIntervalSince1970) + 2
            let token = scene.token(claims: ["exp": .number(expiry)])
            try scene.get(token: token, expecting: 200)
            try eventually("the token is refused") { try scene.get(token: token).status == 401 }
            #expect(Int(Date().timeIntervalSince1970) >= expiry)
        }
    }
}
