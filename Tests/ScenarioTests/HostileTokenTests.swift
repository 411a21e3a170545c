// Forged and malformed tokens against the running proxy: nothing of them goes upstream, and none makes it fetch anything.

import Foundation
import Testing

@Suite("Hostile tokens", .scenario)
struct HostileTokenTests {
    private static func part(_ text: String) -> String { base64URL(Array(text.utf8)) }

    /// Tokens whose issuer is right, each with the codes that may refuse it.
    private static func hostile(_ scene: Scene) throws -> [(name: String, token: String, code: String)] {
        let good = scene.token()
        let parts = good.split(separator: ".").map(String.init)
        let header = #""alg":"ES256","kid":"key-1""#
        let claims = #"{"iss":"\#(scene.issuer.identifier)","aud":"\#(Scene.audience)","sub":"a","exp":4000000000}"#
        func signed(_ header: String, _ claims: String = claims) throws -> String {
            try scene.mint.sign(header: "{\(header)}", claims: claims)
        }
        func spelled(_ signature: [UInt8]) -> String { "\(parts[0]).\(parts[1]).\(base64URL(signature))" }
        let zero = [UInt8](repeating: 0, count: 32)
        let n: [UInt8] = [
            0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
        ]
        var all: [(String, String, String)] = [
            ("no signature", "\(parts[0]).\(parts[1]).", "bad_signature"),
            ("r and s of zero", spelled(zero + zero), "bad_signature"), ("r and s of n", spelled(n + n), "bad_signature"),
            ("DER", spelled([0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01]), "bad_signature"),
            ("another payload", "\(parts[0]).\(part(claims)).\(parts[2])", "bad_signature"),
            ("two parts", "\(parts[0]).\(parts[1])", "malformed_token"), ("four parts", good + ".a", "malformed_token"),
            ("five parts", good + ".a.b", "malformed_token"),
            ("thousands of dots", String(repeating: ".", count: 16_000), "malformed_token"),
            ("padding", good + "=", "malformed_token"), ("a plus", good.dropLast() + "+", "malformed_token"),
            ("a bit beyond the last byte", good.dropLast() + "B", "malformed_token"),
            ("kid is a number", try signed(#""alg":"ES256","kid":1"#), "malformed_token"),
            ("kid of 8 KiB", try signed(#""alg":"ES256","kid":"\#(String(repeating: "k", count: 8192))""#), "malformed_token"),
            ("crit", try signed(header + #","crit":["exp"]"#), "malformed_token"),
            ("b64", try signed(header + #","b64":false"#), "malformed_token"),
            ("alg twice", try signed(header + #","alg":"none""#), "malformed_token"),
            ("claims twice", try signed(header, claims.replacing("{", with: #"{"sub":"b","#)), "malformed_token"),
            ("claims of a BOM", try signed(header, "\u{FEFF}" + claims), "malformed_token"),
            ("claims and more", try signed(header, claims + "{}"), "malformed_token"),
            ("a lone surrogate", try signed(header, claims.replacing(#""a""#, with: #""\ud800""#)), "malformed_token"),
            ("deep claims", try signed(header, claims.dropLast() + #","x":"# + String(repeating: "[", count: 5000)), "malformed_token"),
            ("exp of 1e400", try signed(header, claims.replacing("4000000000", with: "1e400")), "malformed_claim"),
            ("exp in quotes", try signed(header, claims.replacing("4000000000", with: #""4000000000""#)), "malformed_claim"),
            ("aud in another case", try signed(header, claims.replacing("api.", with: "API.")), "wrong_audience"),
            ("aud of a prefix", try signed(header, claims.replacing(Scene.audience, with: "https://api.example")), "wrong_audience"),
            ("the key of another kind", try signed(#""alg":"RS256","kid":"key-1""#), "unknown_key"),
            ("a known curve's other hash", try signed(#""alg":"ES384","kid":"key-1""#), "unknown_key"),
        ]
        for name in ["none", "None", "NONE", "HS256", "HS512", "ES256K", "es256"] {
            all.append((name, try signed(#""alg":"\#(name)","kid":"key-1""#), "algorithm_not_allowed"))
        }
        let keys = #""jwk":{"kty":"EC"},"jku":"\#(scene.issuer.identifier)evil","x5u":"\#(scene.issuer.identifier)evil","x5c":["AA"]"#
        all.append(("keys of its own", try TokenMint().sign(header: "{\(header),\(keys)}", claims: claims), "bad_signature"))
        return all.map { (name: $0.0, token: $0.1, code: $0.2) }
    }

    @Test("Each is refused for its reason, nothing goes upstream, and no fetch is made for it")
    func refused() throws {
        try Scene.play { scene throws in
            try scene.get("/first", token: scene.token(), expecting: 200)
            let fetches = scene.issuer.requests
            for (name, token, code) in try Self.hostile(scene) {
                let response = try scene.get("/hostile", token: token)
                #expect(response.status == 401, "\(name): \(response.text)")
                #expect(response.text.contains("\"code\":\"\(code)\""), "\(name): \(response.text)")
                #expect(response["WWW-Authenticate"]?.contains("error=\"invalid_token\"") == true, "\(name)")
            }
            try scene.expectNothingMoreUpstream(after: ["GET /first HTTP/1.1"])
            #expect(scene.issuer.requests == fetches)
        }
    }

    @Test("A kid that is a path, a query or markup is an unknown one, for which the issuer is asked once", arguments: [
        "../../../../etc/passwd", "/dev/null", "' OR '1'='1", "http://127.0.0.1:1/", "<script>", "key-1\\u0000",
    ])
    func keyID(kid: String) throws {
        try Scene.play { scene throws in
            try scene.get("/first", token: scene.token(), expecting: 200)
            for _ in 0..<3 {
                let token = try scene.mint.token(issuer: scene.issuer.identifier, header: ["kid": .string(kid)])
                let response = try scene.get("/hostile", token: token)
                #expect(response.status == 401)
                #expect(response.text.contains("\"unknown_key\""), "\(response.text)")
                #expect(!response.text.contains(kid))
            }
            try scene.expectNothingMoreUpstream(after: ["GET /first HTTP/1.1"])
            #expect(scene.issuer.keySetFetches == 2)
        }
    }
}
