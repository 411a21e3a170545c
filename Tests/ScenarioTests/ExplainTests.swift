// `antechamber explain`: how a token gets to it, where its keys come from, what it prints and how it ends.

import Foundation
import Testing

@Suite("antechamber explain", .scenario)
struct ExplainTests {
    private typealias Outcome = (ending: ChildProcess.Ending, output: String, errors: String)

    /// An issuer, a mint whose key it publishes, and `explain` under a policy for both.
    private struct Stage {
        let folder: URL
        let mint: TokenMint
        let issuer: ScriptedIssuer

        func explain(
            _ arguments: [String], input: String? = nil, issuerBlock: String = "", main: String = ""
        ) throws -> Outcome {
            let file = folder.appending(path: "proxy.conf")
            try configuration(issuerBlock: issuerBlock, main: main).write(to: file, atomically: true, encoding: .utf8)
            return try ProxyProcess.finish(
                ["explain", "--config", file.path] + arguments, input: input, in: folder)
        }

        func configuration(issuerBlock: String = "", main: String = "") -> String {
            """
            upstream http://127.0.0.1:3000;
            \(main)
            issuer \(issuer.identifier) { audience \(Scene.audience); \(issuerBlock) }

            """
        }

        func good() throws -> String { try mint.token(issuer: issuer.identifier) }
    }

    private func play(issuerStartsDown: Bool = false, _ scenario: (Stage) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let mint = try TokenMint()
            let issuer = try ScriptedIssuer(keys: [mint], startsDown: issuerStartsDown)
            defer { issuer.end() }
            try scenario(Stage(folder: folder, mint: mint, issuer: issuer))
        }
    }

    /// Nothing that was printed lets anybody use the token.
    private func expectDiscreet(_ outcome: Outcome, _ token: String) {
        let said = outcome.output + outcome.errors
        for part in token.split(separator: ".") where part.count > 20 {
            #expect(!said.contains(part), "a part of the token is printed: \(said)")
        }
    }

    @Test("A good token is 0, as an argument and on standard input, bare and behind its scheme", arguments: [
        "", "Bearer ", "Authorization: Bearer ",
    ])
    func admitted(prefix: String) throws {
        try play { stage in
            let token = try stage.good()
            let text = prefix + token
            let ways: [(arguments: [String], input: String?)] = [
                ([text], nil), (text.split(separator: " ").map(String.init), nil), (["-"], text + "\n"), ([], text + "\r\n"),
            ]
            for way in ways {
                let outcome = try stage.explain(way.arguments, input: way.input)
                #expect(outcome.ending == .exited(0), "\(outcome)")
                #expect(outcome.output.hasPrefix("admitted\n"))
                #expect(outcome.output.contains("\n   X-Auth-Subject: auth0|alice\n"))
                expectDiscreet(outcome, token)
            }
        }
    }

    @Test("An ID token is 1, and is told whose it is and which audience to request")
    func idToken() throws {
        try play { stage in
            let token = try stage.mint.idToken(issuer: stage.issuer.identifier, clientID: "SDFWRGRRSFDF3214")
            let outcome = try stage.explain([], input: token)
            #expect(outcome.ending == .exited(1))
            #expect(outcome.output.hasPrefix("refused: wrong_audience (401)\n"))
            #expect(outcome.output.contains(#"what it is: an ID token of the client "SDFWRGRRSFDF3214""#))
            #expect(outcome.output.contains("audience=\(Scene.audience)"))
            // Standard output is the answer alone.
            #expect(outcome.errors.contains("warning: the issuer's keys are fetched without TLS"))
            #expect(!outcome.output.contains("warning"))
            expectDiscreet(outcome, token)
        }
    }

    @Test("--json is one object, with the code and the steps")
    func json() throws {
        try play { stage in
            let token = try stage.mint.token(issuer: stage.issuer.identifier, claims: ["exp": .number(1)])
            let outcome = try stage.explain(["--json", token])
            #expect(outcome.ending == .exited(1))
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
            #expect(object["admitted"] as? Bool == false)
            #expect(object["code"] as? String == "token_expired")
            #expect(object["signature"] as? String == "held")
            let steps = try #require(object["steps"] as? [[String: Any]])
            #expect(
                steps.map { $0["step"] as? String } == [
                    "token", "structure", "issuer", "algorithm", "key", "signature", "type", "times", "audience",
                    "requirements", "identity",
                ])
            #expect(steps.first { $0["outcome"] as? String == "failed" }?["step"] as? String == "times")
            expectDiscreet(outcome, token)
        }
    }

    @Test("Keys are fetched once, for the issuer that the token names, and not at all for a token of nobody known")
    func fetches() throws {
        try play { stage in
            #expect(try stage.explain(["opaque-token"]).ending == .exited(1))
            #expect(try stage.explain([stage.mint.token(issuer: "https://else.example/")]).ending == .exited(1))
            #expect(stage.issuer.requests.isEmpty)
            let outcome = try stage.explain([stage.good()])
            #expect(outcome.ending == .exited(0))
            #expect(outcome.output.contains(stage.issuer.keySetURL))
            #expect(stage.issuer.keySetFetches == 1)
        }
    }

    @Test("Without a network jwks_file serves, alone and in the place of an issuer that is down")
    func offline() throws {
        try play(issuerStartsDown: true) { stage in
            let keys = stage.folder.appending(path: "jwks.json")
            try ScriptedIssuer.keySet(of: [stage.mint]).write(to: keys, atomically: true, encoding: .utf8)
            let alone = try stage.explain([stage.good()], issuerBlock: "jwks_file \(keys.path);")
            #expect(alone.ending == .exited(0), "\(alone)")
            #expect(alone.output.contains("from \(keys.path)"))
            let behind = try stage.explain(
                [stage.good()], issuerBlock: "jwks_uri \(stage.issuer.keySetURL); jwks_file \(keys.path);")
            #expect(behind.ending == .exited(0), "\(behind)")
            #expect(behind.output.contains("could not be fetched"))
            let other = try TokenMint(keyID: "key-2").token(issuer: stage.issuer.identifier)
            let unknown = try stage.explain([other], issuerBlock: "jwks_file \(keys.path);")
            #expect(unknown.ending == .exited(1))
            #expect(unknown.output.contains(#"found: kid "key-2""#) && unknown.output.contains(#"expected: kid "key-1""#))
        }
    }

    @Test("Keys that a proxy stored in state_dir serve while the issuer is down, and nothing is stored by a look at them")
    func stored() throws {
        try withTemporaryFolder { state throws in
            try play { stage throws in
                let main = "listen 127.0.0.1:0; state_dir \(state.path);"
                func files() throws -> [String] {
                    try FileManager.default.contentsOfDirectory(atPath: state.path).filter { !$0.contains(".") }
                }
                #expect(try stage.explain([stage.good()], main: main).ending == .exited(0))
                #expect(try files().isEmpty)

                let proxy = try ProxyProcess(configuration: stage.configuration(main: main), in: stage.folder)
                defer { proxy.child.kill() }
                try eventually("the keys are stored") { try !files().isEmpty }
                stage.issuer.answerDiscovery(.status(500))
                let outcome = try stage.explain([stage.good()], main: main)
                #expect(outcome.ending == .exited(0), "\(outcome)")
                #expect(outcome.output.contains(", from state_dir, fetched "))
            }
        }
    }

    @Test("Keys that cannot be fetched are 1, with the reason")
    func unavailable() throws {
        try play { stage in
            stage.issuer.answerKeySet(.status(500))
            let outcome = try stage.explain([stage.good()])
            #expect(outcome.ending == .exited(1))
            #expect(outcome.output.hasPrefix("refused: keys_unavailable (503)\n"))
            #expect(outcome.output.contains("the server answered 500"))
        }
    }

    @Test("With --path the token is held against the rules of that path's location")
    func locations() throws {
        try play { stage in
            let main = """
                location /admin { require scope admin; methods GET; }
                location = /health { public; }
                """
            let token = try stage.good()
            func verdict(_ arguments: [String]) throws -> (ChildProcess.Ending, String) {
                let outcome = try stage.explain(arguments + ["-"], input: token, main: main)
                expectDiscreet(outcome, token)
                return (outcome.ending, outcome.output.split(separator: "\n").first.map(String.init) ?? outcome.errors)
            }
            #expect(try verdict([]) == (.exited(0), "admitted"))
            #expect(try verdict(["--path", "/orders"]) == (.exited(0), "admitted"))
            #expect(try verdict(["--path", "/admin/users"]) == (.exited(1), "refused: insufficient_scope (403)"))
            #expect(
                try verdict(["--path", "/admin", "--method", "POST"]) == (.exited(1), "refused: method_not_allowed (405)"))
            #expect(try verdict(["--path", "/ADMIN"]) == (.exited(1), "refused: bad_request (400)"))
            #expect(try verdict(["--path", "/health"]) == (.exited(0), "admitted"))
            #expect(try stage.explain(["--method", "GET", "-"], input: token).ending == .exited(64))
        }
    }

    @Test("What a token claims cannot drive the terminal")
    func hostileClaims() throws {
        try play { stage in
            let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\r\nadmitted\u{202e}"
            let token = try stage.mint.token(
                issuer: stage.issuer.identifier, audience: hostile, subject: hostile,
                header: ["typ": .string(hostile)], claims: [hostile: .string(hostile)])
            for arguments in [[token], ["--json", token]] {
                let outcome = try stage.explain(arguments)
                #expect(outcome.ending == .exited(1))
                let bytes = outcome.output.utf8 + Array(outcome.errors.utf8)
                #expect(bytes.allSatisfy { $0 == 0x0A || $0 >= 0x20 && $0 < 0x7F })
                #expect(!outcome.output.contains("\nadmitted"))
            }
        }
    }

    @Test("error_detail is for strangers: the operator is told all the same")
    func terse() throws {
        try play { stage in
            let token = try stage.mint.token(issuer: stage.issuer.identifier, audience: "web")
            let outcome = try stage.explain([token], main: "error_detail terse;")
            #expect(outcome.output.contains(#"The token's audience is "web""#))
        }
    }

    @Test("Flags alone suffice, without a backend; no token, wrong usage and a bad configuration have their statuses")
    func statuses() throws {
        try play { stage in
            let flags = ["explain", "--issuer", stage.issuer.identifier, "--audience", Scene.audience]
            let good = try ProxyProcess.finish(flags, input: stage.good(), in: stage.folder)
            #expect(good.ending == .exited(0), "\(good)")
            let nothing = try ProxyProcess.finish(flags, input: "\n", in: stage.folder)
            #expect(nothing.ending == .exited(1))
            #expect(nothing.output.hasPrefix("refused: missing_token (401)\n"))
            #expect(try ProxyProcess.finish(flags + ["--no-such-flag"], in: stage.folder).ending == .exited(64))
            #expect(try ProxyProcess.finish(["explain"], input: stage.good(), in: stage.folder).ending == .exited(78))
            let bad = try stage.explain([stage.good()], issuerBlock: "audiance x;")
            #expect(bad.ending == .exited(78))
            #expect(bad.output.isEmpty)
        }
    }
}
