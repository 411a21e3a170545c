// What `mint { … }` and `authorization mint` come to.

import Admission
import Configuration
import JOSE
import JOSEFixtures
import Testing

@Suite("Minting")
struct MintConfigurationTests {
    private let files = [
        "mint.pem": IndependentTokens.p256PEM, "old.pem": PrivateKeys.rsaPKCS1, "key.pem": PrivateKeys.p256SEC1,
    ]

    private func signer(_ pem: String) throws -> TokenSigner { try TokenSigner(pem: Array(pem.utf8).span) }

    @Test("every directive of the block reaches its field")
    func fields() throws {
        let result = load(
            minimal(
                main: """
                    authorization mint;
                    mint {
                        key_file mint.pem; key_file old.pem; algorithm ES256;
                        issuer https://old.example/; audience client; lifetime 90s;
                        claim email email; claim "https://a.example/r" b "c d";
                    }
                    """),
            files: files)
        #expect(result.messages == [])
        let expected = try MintPolicy(
            keys: [signer(IndependentTokens.p256PEM), signer(IndependentTokens.rsaPEM)], issuer: "https://old.example/",
            audience: "client", lifetimeSeconds: 90,
            claims: [
                MintedClaim("email", ClaimPath(["email"])), MintedClaim("https://a.example/r", ClaimPath(["b", "c d"])),
            ])
        #expect(result.configuration?.admission.mint == expected)
        #expect(result.configuration?.admission.rules == [AccessRules(authorization: .mint)])
    }

    @Test("the least that is needed gives the defaults, and the key says the algorithm")
    func defaults() throws {
        let mint = try #require(load(minimal(main: minimalMint()), files: files).configuration?.admission.mint)
        #expect(
            try mint
                == MintPolicy(
                    keys: [signer(IndependentTokens.p256PEM)], issuer: "https://old.example/", audience: "a",
                    lifetimeSeconds: 60, claims: []))
        #expect(mint.keys[0].algorithm == .es256)
    }

    @Test("a location may mint alone, or not where all others do, and a public one never does")
    func locations() throws {
        let mint = "mint { key_file mint.pem; issuer i; audience a; }"
        let alone = load(minimal(main: mint + "location /a { authorization mint; } location /b { }"), files: files)
        #expect(alone.messages == [])
        #expect(alone.configuration?.admission.rules.map(\.authorization) == [.keep, .mint])
        let others = load(
            minimal(main: mint + "authorization mint; location /a { authorization keep; } location /b { public; }"), files: files)
        #expect(others.messages == [])
        #expect(others.configuration?.admission.rules.map(\.authorization) == [.mint, .keep])
        #expect(others.configuration?.locations.map(\.route.rulesIndex) == [1, 0])
    }

    @Test("one key in two files is one key")
    func sameKey() {
        let result = load(minimal(main: minimalMint("key_file key.pem;")), files: files)
        #expect(result.messages.count == 1)
        #expect(result.messages.first?.hasPrefix("'key.pem' holds the same key as the file at proxy.conf:") == true)
    }
}
