// The migration bridge, from both sides: what the backend hears of a client that has not moved, and what the client does.

import Foundation
import Testing

@Suite("Legacy audiences", .scenario)
struct LegacyAudienceTests {
    private static let client = "SDFWRGRRSFDF3214"

    /// The instant so many seconds from now, as the configuration spells it.
    private func instant(_ seconds: TimeInterval) -> String {
        ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: seconds))
    }

    @Test("While it is accepted, backend, client and log are told; who has moved hears nothing")
    func accepted() throws {
        let end = instant(86_400)
        let block = """
            legacy_audience \(Self.client) {
                name web;
                deprecated 2026-01-01T00:00:00Z;
                accept_until \(end);
                documentation https://docs.example.com/new-audience;
            }
            """
        try Scene.play(issuerBlock: block) { scene throws in
            let fields = ["X-Auth-Legacy-Audience: forged", "x_auth_legacy_audience: forged"]
            // The second time it is remembered.
            let token = scene.token(audience: Self.client)
            for _ in 0..<2 {
                let response = try scene.get(token: token, fields: fields)
                #expect(response.status == 200)
                #expect(response["Deprecation"] == "@1767225600")
                #expect(response["Sunset"]?.hasSuffix(" GMT") == true)
                #expect(response["Link"] == "<https://docs.example.com/new-audience>; rel=\"deprecation\"")
            }
            let moved = try scene.get(token: scene.token(), fields: fields)
            #expect(moved.status == 200)
            for name in ["Deprecation", "Sunset", "Link"] { #expect(moved[name] == nil) }

            let heard = scene.origin.received.lowercased()
            #expect(heard.components(separatedBy: "x-auth-legacy-audience: web\r\n").count == 3)
            #expect(!heard.contains("forged"))
            let legacy = "\"audience\":\"\(Self.client)\",\"legacy_audience\":\"web\""
            try eventually("the log has the line of the client that has moved") {
                scene.proxy.child.output.contains("\"audience\":\"\(Scene.audience)\"")
            }
            #expect(scene.proxy.child.output.components(separatedBy: legacy).count == 3)
            #expect(!scene.proxy.child.output.contains("\"audience\":\"\(Scene.audience)\",\"legacy_audience\""))
        }
    }

    @Test("In a brownout and after the end nothing of it goes upstream, and the answer says what to do")
    func refused() throws {
        let block = """
            legacy_audience dark { name dark; brownout \(instant(-60)) 1h; }
            legacy_audience gone { name gone; accept_until \(instant(-60)); }
            legacy_audience closed { name closed; issued_before \(instant(-3600)); }
            """
        try Scene.play(issuerBlock: block) { scene throws in
            let codes = [
                ("dark", "legacy_audience_brownout"), ("gone", "legacy_audience_expired"),
                ("closed", "legacy_audience_expired"),
            ]
            for (audience, code) in codes {
                let response = try scene.get(token: scene.token(audience: audience))
                #expect(response.status == 401)
                #expect(response.text.contains("\"code\":\"\(code)\""))
                #expect(response.text.contains("audience=\(Scene.audience)"))
                #expect(response["WWW-Authenticate"]?.contains("error=\"invalid_token\"") == true)
            }
            try scene.expectNothingMoreUpstream()
        }
    }
}
