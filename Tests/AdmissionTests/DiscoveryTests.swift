// Where an issuer's metadata is, and what of it is believed.

import Testing

@testable import Admission

@Suite struct DiscoveryTests {
    @Test("the two well-known places follow from the issuer", arguments: [
        ("https://i.example", "https://i.example/.well-known/openid-configuration",
            "https://i.example/.well-known/oauth-authorization-server"),
        ("https://i.example/", "https://i.example/.well-known/openid-configuration",
            "https://i.example/.well-known/oauth-authorization-server"),
        ("https://i.example:8443/realms/x", "https://i.example:8443/realms/x/.well-known/openid-configuration",
            "https://i.example:8443/.well-known/oauth-authorization-server/realms/x"),
        ("https://i.example/realms/x/", "https://i.example/realms/x/.well-known/openid-configuration",
            "https://i.example/.well-known/oauth-authorization-server/realms/x"),
        ("http://127.0.0.1:9/", "http://127.0.0.1:9/.well-known/openid-configuration",
            "http://127.0.0.1:9/.well-known/oauth-authorization-server"),
    ])
    func locations(_ issuer: String, _ openID: String, _ oauth: String) throws {
        let locations = try Discovery.locations(ofIssuer: issuer)
        #expect(locations.openIDConnect.description == openID)
        #expect(locations.oauth.description == oauth)
    }

    @Test("metadata of the issuer itself leads to its keys, on any https host")
    func good() throws {
        let keys = try read(#"{"issuer":"https://i.example/","jwks_uri":"https://keys.example/k?v=1"}"#)
        #expect(keys.description == "https://keys.example/k?v=1")
    }

    @Test("metadata that is not the issuer's own, or leads nowhere safe, is refused", arguments: [
        (#"{"issuer":"https://i.example","jwks_uri":"https://i.example/k"}"#,
            DiscoveryError.otherIssuer("https://i.example")),
        (#"{"issuer":"https://I.example/","jwks_uri":"https://i.example/k"}"#, .otherIssuer("https://I.example/")),
        (#"{"jwks_uri":"https://i.example/k"}"#, .missingIssuer),
        (#"{"issuer":["https://i.example/"],"jwks_uri":"https://i.example/k"}"#, .missingIssuer),
        (#"{"issuer":"https://i.example/"}"#, .missingKeysURL),
        (#"{"issuer":"https://i.example/","jwks_uri":7}"#, .missingKeysURL),
        (#"{"issuer":"https://i.example/","jwks_uri":"file:///etc/passwd"}"#, .badKeysURL(.otherScheme("file"))),
        (#"{"issuer":"https://i.example/","jwks_uri":"https://u@i.example/k"}"#, .badKeysURL(.hasCredentials)),
        (#"{"issuer":"https://i.example/","jwks_uri":"http://i.example/k"}"#,
            .keysInClear(try! HTTPURL(parsing: "http://i.example/k"))),
        (#"{"issuer":"https://i.example/","jwks_uri":"http://127.0.0.1/k"}"#,
            .keysInClear(try! HTTPURL(parsing: "http://127.0.0.1/k"))),
        (#"[]"#, .notAnObject),
    ])
    func refused(_ text: String, _ expected: DiscoveryError) {
        #expect(throws: expected) { try read(text) }
        #expect(!expected.reason.isEmpty)
    }

    @Test("an issuer on loopback may have its keys in clear there, and nowhere else")
    func loopback() throws {
        let issuer = "http://localhost:8080"
        let keys = try read(#"{"issuer":"http://localhost:8080","jwks_uri":"http://127.0.0.1:8080/k"}"#, issuer)
        #expect(keys.description == "http://127.0.0.1:8080/k")
        #expect(throws: DiscoveryError.self) {
            try read(#"{"issuer":"http://localhost:8080","jwks_uri":"http://k.example/k"}"#, issuer)
        }
    }

    @Test("what a server answers is read for what it is", arguments: [
        (KeyResponse(status: 204, body: []), "the server answered 204", true),
        (KeyResponse(status: 304, body: []), "the server answered 304", true),
        (KeyResponse(status: 200, body: Array("<html>".utf8), contentType: "text/html; charset=utf-8"),
            "the metadata is not JSON but a web page", true),
        (KeyResponse(status: 200, body: []), "the metadata is not JSON", true),
        (KeyResponse(status: 200, body: Array("[]".utf8)), "the metadata is no JSON object", false),
    ])
    func badMetadata(_ response: KeyResponse, _ reason: String, _ mayBeElsewhere: Bool) {
        guard case .failed(let failure) = response.asMetadata(ofIssuer: "https://i.example/") else {
            Issue.record("believed")
            return
        }
        #expect(failure == KeyFetchFailure(reason: reason, mayBeElsewhere: mayBeElsewhere))
    }

    @Test("a key set that is none, or of no use, says why", arguments: [
        ("<html>", "the key set is not JSON"),
        ("\u{FEFF}{\"keys\":[]}", "the key set is not JSON"),
        ("{}", "this is no JWK set: it has no array \"keys\""),
        (#"{"keys":[]}"#, "the key set is empty"),
        (#"{"keys":[],"keys":[]}"#, "the key set has a member twice"),
        (#"{"keys":[{"kty":"oct","k":"AAAA","kid":"s"}]}"#,
            "none of the 1 keys can be used: kid s: a shared secret, which has no place in a key set"),
        ("{\"keys\":[\(PublicKeys.short)]}",
            "none of the 1 keys can be used: kid short: RSA modulus of 1024 bits is too short"),
    ])
    func badKeys(_ text: String, _ reason: String) {
        guard case .failed(let failure) = KeyResponse(status: 200, body: Array(text.utf8)).asKeys() else {
            Issue.record("believed")
            return
        }
        #expect(failure.reason == reason)
    }

    @Test("a web page in the place of keys is called one")
    func webPage() {
        let page = KeyResponse(status: 200, body: Array("<html>".utf8), contentType: "text/html")
        guard case .failed(let failure) = page.asKeys() else {
            Issue.record("believed")
            return
        }
        #expect(failure.reason == "the key set is not JSON but a web page")
    }

    @Test("how long an answer is fresh is read from max-age and Age", arguments: [
        (nil, nil, nil), ("max-age=300", nil, 300), ("public, Max-Age=\"300\" , x", "100", 200),
        ("max-age=10", "100", 0), ("no-cache", nil, nil), ("max-age=-1", nil, nil), ("max-age=", nil, nil),
        ("max-age=99999999999999999999", nil, Int64(Int32.max)), ("max-age=300", "soon", 300), ("s-maxage=5", nil, nil),
    ] as [(String?, String?, Int64?)])
    func freshness(_ cacheControl: String?, _ age: String?, _ expected: Int64?) {
        #expect(KeyResponse.maxAgeSeconds(cacheControl: cacheControl, age: age) == expected)
    }

    @Test("what an issuer's server says cannot break a log line")
    func logSafety() throws {
        let reason = DiscoveryError.otherIssuer("a\r\nb\u{1B}[2J" + String(repeating: "x", count: 9999)).reason
        #expect(reason.utf8.count < 500)
        #expect(reason.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @discardableResult
    private func read(_ text: String, _ issuer: String = "https://i.example/") throws -> HTTPURL {
        try Discovery.keysURL(inMetadata: Array(text.utf8), ofIssuer: issuer)
    }
}
