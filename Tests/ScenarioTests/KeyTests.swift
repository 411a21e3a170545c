// Keys on good days and bad ones: where they come from, how they rotate, and that a failing issuer never
// takes good keys away.

import Foundation
import Testing

@Suite("Keys", .scenario)
struct KeyTests {
    @Test("Keys are found by discovery")
    func discovery() throws {
        try Scene.play { scene throws in
            try scene.get(token: scene.token(), expecting: 200)
            #expect(scene.issuer.requests == ["/.well-known/openid-configuration", "/jwks.json"])
        }
    }

    @Test("A jwks_uri is asked directly")
    func keySetURL() throws {
        try Scene.play(keySource: { "jwks_uri \($0.keySetURL);" }) { scene throws in
            try scene.get(token: scene.token(), expecting: 200)
            #expect(scene.issuer.requests == ["/jwks.json"])
        }
    }

    @Test("A jwks_file alone needs no issuer to be up")
    func keyFile() throws {
        try withTemporaryFolder { folder in
            let mint = try TokenMint()
            let file = folder.appending(path: "keys.json")
            try ScriptedIssuer.keySet(of: [mint]).write(to: file, atomically: true, encoding: .utf8)
            try Scene.play(issuerStartsDown: true, keySource: { _ in "jwks_file \(file.path);" }) { scene throws in
                try scene.get(token: scene.token(from: mint), expecting: 200)
            }
        }
    }

    @Test("A key in PEM is the one that admits tokens with whatever kid; as a secret it admits nobody")
    func pemFile() throws {
        try withTemporaryFolder { folder in
            let mint = try TokenMint(keyID: "a name that no file has")
            let file = folder.appending(path: "key.pem")
            let pem = mint.publicPEM
            try pem.write(to: file, atomically: true, encoding: .utf8)
            try Scene.play(issuerStartsDown: true, keySource: { _ in "jwks_file \(file.path);" }) { scene throws in
                for secret in [pem, pem.trimmingCharacters(in: .newlines)] {
                    let confused = try scene.get(token: scene.token(from: TokenMint(secret: secret)))
                    #expect(confused.text.contains("\"algorithm_not_allowed\""), "\(confused.text)")
                }
                let forged = try scene.get(token: scene.token(from: TokenMint()))
                #expect(forged.text.contains("\"bad_signature\""), "\(forged.text)")
                #expect(scene.origin.received.isEmpty)
                try scene.get(token: scene.token(from: mint), expecting: 200)
                #expect(scene.issuer.requests.isEmpty)
            }
        }
    }

    @Test("A jwks_file is the last resort behind a jwks_uri that is down")
    func keyFileAsFallback() throws {
        try withTemporaryFolder { folder in
            let mint = try TokenMint()
            let file = folder.appending(path: "keys.json")
            try ScriptedIssuer.keySet(of: [mint]).write(to: file, atomically: true, encoding: .utf8)
            let source = { (issuer: ScriptedIssuer) in "jwks_uri \(issuer.keySetURL); jwks_file \(file.path);" }
            try Scene.play(issuerStartsDown: true, keySource: source) { scene throws in
                try eventually("the file's key is used") { try scene.get(token: scene.token(from: mint)).status == 200 }
            }
        }
    }

    @Test("While an issuer is down from the start it is 503, never 401; once it is up, 200")
    func issuerDownAtStart() throws {
        try Scene.play(issuerStartsDown: true) { scene throws in
            let response = try scene.get(token: scene.token())
            #expect(response.status == 503)
            #expect(response.text.contains("\"keys_unavailable\""))
            #expect(response["Retry-After"].flatMap { Int($0) } != nil)
            #expect(response.values(of: "WWW-Authenticate") == [])
            // A request without a token needs no keys to be refused.
            try scene.get(expecting: 401)
            try scene.issuer.comeUp()
            try eventually("the keys arrive") { try scene.get(token: scene.token()).status == 200 }
            #expect(Set(scene.origin.requestLines) == ["GET / HTTP/1.1"])
        }
    }

    @Test("A request that comes before the first keys waits for them")
    func firstRequestWaits() throws {
        try Scene.play(issuerBlock: "jwks_timeout 60s;", keySource: { issuer in
            issuer.answerKeySet(.stalled)
            return ""
        }) { scene throws in
            let clients = try (0..<10).map { _ in try scene.client() }
            for client in clients { try client.get(token: scene.token()) }
            try eventually("the keys are asked for") { scene.issuer.keySetFetches == 1 }
            scene.issuer.answerKeySet(.good)
            for client in clients { #expect(try client.response().status == 200) }
            #expect(scene.issuer.keySetFetches == 1)
        }
    }

    @Test("A client that leaves while it waits for keys harms nobody")
    func waitingClientLeaves() throws {
        try Scene.play(issuerBlock: "jwks_timeout 60s;", keySource: { issuer in
            issuer.answerKeySet(.stalled)
            return ""
        }) { scene throws in
            var leaving: RawClient? = try scene.client()
            try leaving?.get("/left", token: scene.token())
            leaving?.socket.reset()
            leaving = nil
            let staying = try scene.client()
            try staying.get("/stayed", token: scene.token())
            scene.issuer.answerKeySet(.good)
            #expect(try staying.response().status == 200)
        }
    }

    @Test("A new key works at its first use, a removed one stops")
    func rotation() throws {
        try Scene.play { scene throws in
            try scene.get(token: scene.token(), expecting: 200)
            let next = try TokenMint(keyID: "key-2")
            scene.issuer.publish([next])
            try scene.get(token: scene.token(from: next), expecting: 200)
            #expect(scene.issuer.keySetFetches == 2)
            // The set no longer has the first key. A fresh token of it is unknown, and a remembered one too.
            try scene.get(token: scene.token(), expecting: 401)
        }
    }

    @Test("A remembered token is refused once its key has left the set")
    func rememberedTokenOfRemovedKey() throws {
        try Scene.play { scene throws in
            let remembered = scene.token()
            for _ in 1...2 { try scene.get(token: remembered, expecting: 200) }
            let next = try TokenMint(keyID: "key-2")
            scene.issuer.publish([next])
            try scene.get(token: scene.token(from: next), expecting: 200)
            let response = try scene.get(token: remembered)
            #expect(response.status == 401)
            #expect(response.text.contains("\"unknown_key\""))
        }
    }

    @Test("Made-up key IDs cause one fetch, however many, and slow no known one")
    func unknownKeys() throws {
        try Scene.play { scene throws in
            let known = scene.token()
            try scene.get(token: known, expecting: 200)
            for number in 0..<50 {
                let response = try scene.get(token: scene.token(header: ["kid": .string("made-up-\(number)")]))
                #expect(response.status == 401)
                #expect(response.text.contains("\"unknown_key\""))
                try scene.get(token: known, expecting: 200)
            }
            #expect(scene.issuer.keySetFetches == 2)
        }
    }

    @Test("A flood of made-up key IDs causes one fetch, and neither slows a known one nor fills the memory")
    func flood() throws {
        try Scene.play(issuerBlock: "jwks_cooldown 1h;") { scene throws in
            let known = scene.token()
            try scene.get(token: known, expecting: 200)
            let claims = base64URL(Array(#"{"iss":"\#(scene.issuer.identifier)"}"#.utf8))
            let client = try scene.client()
            var before = 0
            for batch in 0..<20 {
                let requests = (0..<100).map { number in
                    let header = base64URL(Array(#"{"alg":"ES256","kid":"made-up-\#(batch)-\#(number)"}"#.utf8))
                    return "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(header).\(claims).AAAA\r\n\r\n"
                }
                try client.send(requests.joined())
                for _ in 0..<100 { #expect(try client.response().status == 401) }
                try scene.get(token: known, expecting: 200)
                if batch == 0 { before = try scene.proxy.child.residentBytes().present }
            }
            #expect(scene.issuer.keySetFetches == 2)
            #expect(try scene.proxy.child.residentBytes().present < before + (8 << 20))
        }
    }

    @Test("A forced fetch that hangs is waited for by those alone who have that key ID")
    func hangingForcedFetch() throws {
        try Scene.play(issuerBlock: "jwks_timeout 60s;") { scene throws in
            try scene.get(token: scene.token(), expecting: 200)
            scene.issuer.answerKeySet(.stalled)
            let waiting = try scene.client()
            try waiting.get(token: scene.token(header: ["kid": "unknown"]))
            try eventually("the forced fetch") { scene.issuer.keySetFetches == 2 }
            for number in 0..<5 { try scene.get(token: scene.token(subject: "\(number)"), expecting: 200) }
            scene.issuer.answerKeySet(.good)
            #expect(try waiting.response().status == 401)
        }
    }

    @Test("Two keys of one ID that both fit are refused as ambiguous, two of which one fits are not")
    func sameKeyID() throws {
        try Scene.play { scene throws in
            let (twin, other) = (try TokenMint(keyID: "key-1"), try TokenMint(keyID: "key-1", .rs256))
            scene.issuer.publish([scene.mint, other])
            try scene.get(token: scene.token(), expecting: 200)
            scene.issuer.publish([scene.mint, twin, other])
            // Something has to have the set fetched anew.
            try scene.get(token: scene.token(header: ["kid": "unknown"]), expecting: 401)
            let response = try scene.get(token: scene.token())
            #expect(response.status == 401)
            #expect(response.text.contains("\"ambiguous_key\""))
            try scene.get(token: scene.token(from: other), expecting: 200)
        }
    }

    @Test("A bad signature with a known key causes no fetch")
    func badSignature() throws {
        try Scene.play { scene throws in
            try scene.get(token: scene.token(), expecting: 200)
            for _ in 0..<10 { try scene.get(token: scene.token(from: TokenMint()), expecting: 401) }
            #expect(scene.issuer.keySetFetches == 1)
        }
    }

    @Test("A refresh that fails leaves the good keys where they are", arguments: BadAnswer.all)
    func failedRefresh(_ bad: BadAnswer) throws {
        try Scene.play(issuerBlock: "jwks_timeout 500ms;") { scene throws in
            try scene.get(token: scene.token(), expecting: 200)
            scene.issuer.answerKeySet(bad.behaviour)
            // An unknown key ID forces a refresh; the token with it waits for that, and is refused.
            let refused = try scene.get(token: scene.token(header: ["kid": "unknown"]))
            #expect(refused.status == 401)
            #expect(scene.issuer.requests.count > 2)
            try scene.get(token: scene.token(subject: "another"), expecting: 200)
        }
    }

    struct BadAnswer: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var behaviour: ScriptedIssuer.Behaviour

        static let all = [
            BadAnswer(testDescription: "500", behaviour: .status(500)),
            BadAnswer(testDescription: "404", behaviour: .status(404)),
            BadAnswer(testDescription: "closed", behaviour: .closing),
            BadAnswer(testDescription: "stalled", behaviour: .stalled),
            BadAnswer(testDescription: "HTML", behaviour: .body("<html>maintenance</html>")),
            BadAnswer(testDescription: "no keys", behaviour: .body(#"{"keys":[]}"#)),
            BadAnswer(testDescription: "no member", behaviour: .body("{}")),
            BadAnswer(testDescription: "truncated", behaviour: .body(#"{"keys":[{"kty":"EC""#)),
            BadAnswer(testDescription: "huge", behaviour: .body(#"{"keys":["# + String(repeating: " ", count: 8 << 20) + "]}")),
            BadAnswer(testDescription: "redirected away", behaviour: .redirect("http://localhost:1/jwks.json")),
        ]
    }

    @Test("Metadata of another issuer gives no keys")
    func foreignMetadata() throws {
        try Scene.play(keySource: { issuer in
            issuer.claimToBe("https://other.example.com/")
            return ""
        }) { scene throws in
            try scene.get(token: scene.token(), expecting: 503)
            #expect(scene.issuer.keySetFetches == 0)
        }
    }

    @Test("A key that cannot be used is skipped alone")
    func unusableKey() throws {
        try Scene.play { scene throws in
            try scene.get(token: scene.token(), expecting: 200)
            let next = try TokenMint(keyID: "key-2")
            let others = #"{"kty":"oct","kid":"a","k":"AAAA"},{"kty":"new","kid":"b"},{"kty":"EC","crv":"P-256","kid":"c","x":"AA","y":"AA"}"#
            scene.issuer.answerKeySet(.body(#"{"keys":[\#(others),\#(next.publicJWK)]}"#))
            try scene.get(token: scene.token(from: next), expecting: 200)
        }
    }

    @Test("A token without a key ID is tried where exactly one key fits")
    func noKeyID() throws {
        try Scene.play { scene throws in
            try scene.get(token: scene.token(header: ["kid": nil]), expecting: 200)
            let next = try TokenMint(keyID: "key-2")
            scene.issuer.publish([scene.mint, next])
            try scene.get(token: scene.token(from: next), expecting: 200)
            let response = try scene.get(token: scene.token(header: ["kid": nil]))
            #expect(response.status == 401)
            #expect(response.text.contains("\"ambiguous_key\""))
        }
    }
}
