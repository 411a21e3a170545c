// A configuration that is accepted leads to keys: what reads its URLs at the start refuses none of them.

import Admission
import Configuration
import Testing

@Suite("URLs of issuers and keys")
struct KeySourceTests {
    /// What is taken, and what is refused only by a rule that is easily forgotten in one of two places.
    static let urls: [(text: String, isTaken: Bool)] = [
        ("https://issuer.example", true),
        ("https://issuer.example/", true),
        ("https://issuer.example//", true),
        ("HTTPS://Issuer.Example:443/Realm%2F/", true),
        ("https://issuer.example.", true),
        ("https://issuer_1:8443/a/../b;c=d", true),
        ("https://192.0.2.1/[x]", true),
        ("https://[2001:DB8::1]:8443/r", true),
        ("https://[::ffff:192.0.2.1]/", true),
        ("https://xn--bcher-kva.example/", true),
        ("http://localhost:8080/", true),
        ("http://LOCALHOST", true),
        ("http://foo.localhost/", true),
        ("http://127.0.0.1", true),
        ("http://127.255.0.9:1/r", true),
        ("http://[::1]:8080/r", true),
        ("http://[0:0:0:0:0:0:0:1]/", true),
        ("https://issuer.example/" + String(repeating: "x", count: HTTPURL.bytesMax - 23), true),
        ("https://issuer.example/" + String(repeating: "x", count: HTTPURL.bytesMax - 22), false),
        ("https://" + String(repeating: "a", count: 64) + ".example/", false),
        ("http://localhost.", false),
        ("http://localhost.example/", false),
        ("http://[::ffff:127.0.0.1]/", false),
        ("http://127.1/", false),
        ("http://0.0.0.0/", false),
        ("https://0x7f000001/", false),
        ("https://issuer.example/%4", false),
        ("https://issuer.example:/", false),
        ("https://[::1%25lo]/", false),
        ("https://[:::1]/", false),
        ("https://user@issuer.example/", false),
        ("https://-issuer.example/", false),
        ("https://issuer..example/", false),
        ("https://issuer.example/#", false),
        ("ws://localhost/", false),
    ]

    @Test("an issuer that is accepted has places for its metadata", arguments: urls)
    func issuer(text: String, isTaken: Bool) throws {
        let result = load("upstream http://a; issuer \"\(text)\" { audience a; }")
        #expect((result.configuration != nil) == isTaken)
        try startKeys(of: result)
    }

    @Test("a jwks_uri that is accepted is fetched from", arguments: urls + [("https://keys.example?x=1", true)])
    func keysURL(text: String, isTaken: Bool) throws {
        let result = load("upstream http://a; issuer https://issuer.example { audience a; jwks_uri \"\(text)\"; }")
        #expect((result.configuration != nil) == isTaken)
        try startKeys(of: result)
    }

    @Test("an issuer whose keys are elsewhere is any text that tokens may have in iss", arguments: [
        ("accounts.google.com", true), ("http://keycloak:8080/realms/x", true), ("https://issuer.example/?a=b", true),
        ("https://issuer.example/%4", true), ("urn:example:issuer", true), ("K\u{E4}se", true),
        ("", false), ("two words", false), ("a\u{7F}", false), (String(repeating: "x", count: 1025), false),
    ])
    func issuerWithKeys(text: String, isTaken: Bool) throws {
        for keys in ["jwks_file keys.json;", "jwks_uri https://keys.example/;"] {
            let result = load(
                "upstream http://a; issuer \"\(text)\" { audience a; \(keys) }",
                files: ["keys.json": MemoryFiles.keySet])
            #expect((result.configuration != nil) == isTaken)
            try startKeys(of: result)
        }
    }

    @Test("a key file that holds no keys, an authorities file without a certificate: known before a token comes", arguments: [
        ("garbage", MemoryFiles.authorities, "keys.json"), ("{\"keys\":[]}", MemoryFiles.authorities, "keys.json"),
        (MemoryFiles.keySet, "garbage", "ca.pem"), (MemoryFiles.keySet, "", "ca.pem"),
    ])
    func unusableFiles(keys: String, authorities: String, blamed: String) {
        let result = load(
            "upstream http://a; issuer https://a.example { audience a; jwks_uri https://a.example/k; jwks_file keys.json; "
                + "jwks_ca ca.pem; }",
            files: ["keys.json": keys, "ca.pem": authorities])
        #expect(result.configuration == nil)
        #expect(result.messages.count == 1)
        #expect(result.messages.joined().contains(blamed))
    }

    @Test("a password is not shown, whatever else is wrong with the URL", arguments: [
        "https://user:secret@issuer.example/", "user:secret@issuer.example", "https://user:secret@issuer.example:0/ä",
        "https://user:secret/@issuer.example/", "https://user:secret@issuer.example/#a",
        "ftp://user:secret@issuer.example/",
    ])
    func secrets(text: String) {
        for result in [
            load("upstream http://a; issuer \"\(text)\" { audience a; }"),
            load("upstream \"\(text)\"; issuer https://issuer.example { audience a; }"),
        ] {
            #expect(result.configuration == nil)
            #expect(!result.messages.joined().contains("secret"))
        }
    }

    /// What the process does with every issuer when it starts.
    private func startKeys(of result: LoadResult) throws {
        for issuer in result.configuration?.admission.issuers ?? [] {
            _ = try KeyCache(issuer: issuer.identifier, policy: issuer.keys)
        }
    }
}
