import JOSE
import JOSEFixtures
import Testing

@Suite struct KeySetTests {
    /// JWK members of the fixtures' keys, without kid, use and alg.
    static let material: [String: String] = {
        var material: [String: String] = [:]
        guard let root = try? JSONDocument(parsing: Array(IndependentTokens.keySet.utf8)).root else { return [:] }
        for key in root["keys"]!.elements {
            let wanted = ["kty", "n", "e", "crv", "x", "y"]
            let members = key.members.filter { wanted.contains($0.name) }
            let name = key["crv"]?.string ?? "RSA"
            material[name] = members.map { "\"\($0.name)\":\"\($0.value.string!)\"" }.joined(separator: ",")
        }
        return material
    }()

    static func jwk(_ name: String, _ more: String = "") -> String {
        "{\(material[name]!)\(more.isEmpty ? "" : ",\(more)")}"
    }

    static func set(_ keys: String...) throws(KeySetError) -> KeySet {
        try keySet("{\"keys\":[\(keys.joined(separator: ","))]}")
    }

    static func failure(_ text: String) -> KeySetError? {
        do { _ = try keySet(text) } catch { return error }
        return nil
    }

    static func failure(_ text: [UInt8]) -> KeySetError? {
        do { _ = try KeySet(parsing: text.span) } catch { return error }
        return nil
    }

    @Test(
        "A document without usable keys, or that is none, says which",
        arguments: [
            ("", KeySetError.badJSON(JSONError(kind: .unexpectedEnd, offset: 0))),
            ("<html>", .badJSON(JSONError(kind: .unexpectedByte, offset: 0))),
            ("\u{FEFF}{\"keys\":[]}", .badJSON(JSONError(kind: .byteOrderMark, offset: 0))),
            ("{}", .notAKeySet), ("[]", .notAKeySet), ("null", .notAKeySet), (#"{"keys":null}"#, .notAKeySet),
            (#"{"keys":{}}"#, .notAKeySet), (#"{"Keys":[]}"#, .notAKeySet),
            (#"{"keys":[]}"#, .noUsableKey(skipped: [])),
        ])
    func documents(text: String, expected: KeySetError) {
        #expect(Self.failure(text) == expected)
    }

    @Test("Duplicate members anywhere refuse the whole document")
    func duplicates() {
        let good = Self.jwk("RSA")
        for bad in [
            "{\"keys\":[\(good)],\"keys\":[\(good)]}",
            "{\"keys\":[\(good),\(Self.jwk("P-256", #""kid":"a","kid":"b""#))]}",
            "{\"keys\":[\(good)],\"x\":{\"a\":1,\"a\":2}}",
        ] {
            guard case .badJSON(let error) = Self.failure(bad), error.kind == .duplicateMember else {
                Issue.record("taken: \(bad)")
                continue
            }
        }
    }

    @Test("A document is taken up to its bound in bytes, and refused beyond")
    func size() {
        let text = Array("{\"keys\":[\(Self.jwk("P-256"))]}".utf8)
        let filler = [UInt8](repeating: 0x20, count: KeySet.bytesMax - text.count)
        #expect(Self.failure(text + filler) == nil)
        #expect(Self.failure(text + filler + [0x20]) == .tooLarge)
    }

    @Test("A key that cannot be used is skipped alone, and says why")
    func unusable() throws {
        let x = #""x":"AAAA""#
        let cases: [(String, UnusableKey)] = [
            ("1", .notAnObject), ("null", .notAnObject), ("[]", .notAnObject), ("{}", .missingMember("kty")),
            (#"{"kty":"oct","k":"AAAA"}"#, .symmetric), (#"{"kty":"rsa"}"#, .unsupportedKeyType),
            (#"{"kty":1}"#, .unsupportedKeyType), (#"{"kty":"RSA"}"#, .missingMember("n")),
            (#"{"kty":"RSA","n":"AQAB"}"#, .missingMember("e")), (#"{"kty":"RSA","n":1,"e":"AQAB"}"#, .badMember("n")),
            (#"{"kty":"RSA","n":"A+AB","e":"AQAB"}"#, .badMember("n")),
            (#"{"kty":"RSA","n":"AQAB=","e":"AQAB"}"#, .badMember("n")),
            (#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, .rsaTooSmall(bits: 17)),
            (Self.jwk("RSA").replacing("AQAB", with: "AQ"), .badRSANumber), (#"{"kty":"EC"}"#, .missingMember("crv")),
            (#"{"kty":"EC","crv":"secp256k1","x":"AAAA","y":"AAAA"}"#, .unsupportedCurve),
            (#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#, .badMember("x")),
            (#"{"kty":"EC","crv":"P-256"}"#, .missingMember("x")),
            (Self.jwk("P-256").replacing("P-256", with: "P-384"), .badMember("x")),
            (Self.jwk("P-384").replacing("P-384", with: "P-256"), .badMember("x")),
            (#"{"kty":"OKP"}"#, .missingMember("crv")), (#"{"kty":"OKP","crv":"X25519",\#(x)}"#, .unsupportedCurve),
            (#"{"kty":"OKP","crv":"Ed25519",\#(x)}"#, .badMember("x")),
            (Self.jwk("RSA", #""use":"enc""#), .notForSignatures), (Self.jwk("RSA", #""use":1"#), .badMember("use")),
            (Self.jwk("RSA", #""key_ops":["sign"]"#), .notForSignatures),
            (Self.jwk("RSA", #""key_ops":[]"#), .notForSignatures),
            (Self.jwk("RSA", #""key_ops":"verify""#), .badMember("key_ops")),
            (Self.jwk("RSA", #""key_ops":["verify",1]"#), .badMember("key_ops")),
            (Self.jwk("RSA", #""kid":1"#), .badMember("kid")),
            (Self.jwk("RSA", #""kid":"\#(String(repeating: "k", count: 513))""#), .badMember("kid")),
            (Self.jwk("RSA", #""alg":1"#), .badMember("alg")),
            (Self.jwk("RSA", #""alg":"RSA-OAEP""#), .unsupportedAlgorithm),
            (Self.jwk("RSA", #""alg":"HS256""#), .algorithmMismatch),
            (Self.jwk("RSA", #""alg":"none""#), .unsupportedAlgorithm),
            (Self.jwk("RSA", #""alg":"ES256""#), .algorithmMismatch),
            (Self.jwk("P-256", #""alg":"ES384""#), .algorithmMismatch),
            (Self.jwk("Ed25519", #""alg":"RS256""#), .algorithmMismatch),
            (Self.jwk("RSA", #""d":"AAAA""#), .privateKey),
        ]
        for (bad, reason) in cases {
            let keys = try Self.set(bad, Self.jwk("P-256", #""kid":"good""#))
            #expect(keys.keys.map(\.keyID) == ["good"], "\(bad)")
            #expect(keys.skipped.map(\.reason) == [reason], "\(bad)")
            #expect(Self.failure("{\"keys\":[\(bad)]}") == .noUsableKey(skipped: keys.skipped), "\(bad)")
        }
    }

    @Test("Members that we do not know change nothing")
    func unknownMembers() throws {
        let keys = try Self.set(
            Self.jwk(
                "RSA", #""use":"sig","key_ops":["sign","verify"],"x5c":["x"],"x5t":1,"issuer":{"a":[]},"alg":"PS384""#))
        #expect(keys.keys.map(\.algorithm) == [.ps384])
        #expect(keys.skipped.isEmpty)
    }

    @Test("A hundred keys are kept, and entries beyond a thousand are not looked at")
    func bounds() throws {
        let key = Self.jwk("Ed25519")
        let many = try keySet("{\"keys\":[\(Array(repeating: key, count: 102).joined(separator: ","))]}")
        #expect(many.keys.count == KeySet.keysMax)
        #expect(many.skipped.map(\.reason) == [.tooManyKeys, .tooManyKeys])
        let empty = Array(repeating: "0", count: 10_000).joined(separator: ",")
        guard case .noUsableKey(let skipped) = Self.failure("{\"keys\":[\(empty),\(key)]}") else {
            Issue.record("a key far behind was found")
            return
        }
        #expect(skipped.count == KeySet.entriesMax)
    }

    @Test("Each algorithm selects the one key of its kind, with and without a key ID")
    func selection() throws {
        let keys = try Self.set(
            Self.jwk("RSA", #""kid":"r""#), Self.jwk("P-256", #""kid":"2""#), Self.jwk("P-384", #""kid":"3""#),
            Self.jwk("P-521", #""kid":"5""#), Self.jwk("Ed25519", #""kid":"e""#))
        for algorithm in SignatureAlgorithm.asymmetric {
            let expected =
                switch algorithm {
                case .es256: "2"
                case .es384: "3"
                case .es512: "5"
                case .edDSA: "e"
                default: "r"
                }
            for key in keys.keys {
                #expect(
                    Self.name(keys.selectKey(algorithm: algorithm, keyID: key.keyID))
                        == (key.keyID == expected ? expected : "unfit"))
            }
            #expect(Self.name(keys.selectKey(algorithm: algorithm, keyID: nil)) == expected)
            #expect(Self.name(keys.selectKey(algorithm: algorithm, keyID: "other")) == "unknown")
            #expect(Self.name(keys.selectKey(algorithm: algorithm, keyID: "")) == "unknown")
        }
    }

    @Test("No key of a set is for an HMAC")
    func symmetric() throws {
        let keys = try Self.set(Self.jwk("RSA", #""kid":"r""#), Self.jwk("P-256"), #"{"kty":"oct","k":"AAAA"}"#)
        for algorithm in SignatureAlgorithm.allCases where algorithm.isSymmetric {
            for keyID in ["r", nil] { #expect(Self.name(keys.selectKey(algorithm: algorithm, keyID: keyID)) == "unfit") }
        }
        #expect(SignatureAlgorithm.allCases.filter(\.isSymmetric) == [.hs256, .hs384, .hs512])
    }

    @Test("A set that names none of its keys has them tried whatever key ID the token has, if one alone fits")
    func unnamedKeys() throws {
        let keys = try Self.set(Self.jwk("RSA"), Self.jwk("P-256"))
        for keyID in ["x", "", nil] {
            let selected = [SignatureAlgorithm.rs256, .es256].map { keys.selectKey(algorithm: $0, keyID: keyID) }
            for (selection, key) in zip(selected, keys.keys) {
                guard case .key(let chosen) = selection else {
                    Issue.record("\(selection)")
                    continue
                }
                #expect(chosen === key)
            }
        }
        // A newer set may name it.
        #expect(Self.name(keys.selectKey(algorithm: .es384, keyID: "x")) == "unknown")
        #expect(Self.name(keys.selectKey(algorithm: .es384, keyID: nil)) == "unfit")
        let other = try SignatureVerifierTests.rsa.get().publicJWK.replacing(#""kid":"r","#, with: "")
        let two = try Self.set(Self.jwk("RSA"), other)
        #expect(Self.name(two.selectKey(algorithm: .rs256, keyID: "x")) == "ambiguous 2")
        // One name in the set, be it of a key that cannot be used, and names count.
        for named in [Self.jwk("P-384", #""kid":"a""#), Self.jwk("RSA", #""kid":"a","use":"enc""#)] {
            let mixed = try Self.set(Self.jwk("P-256"), named)
            #expect(Self.name(mixed.selectKey(algorithm: .es256, keyID: "x")) == "unknown")
            #expect(Self.name(mixed.selectKey(algorithm: .es256, keyID: nil)) == "-")
        }
    }

    @Test("A key's own algorithm is the only one it is selected for")
    func algorithmOfKey() throws {
        let keys = try Self.set(Self.jwk("RSA", #""kid":"r","alg":"PS256""#))
        for algorithm in SignatureAlgorithm.allCases {
            for keyID in ["r", nil] {
                #expect(
                    Self.name(keys.selectKey(algorithm: algorithm, keyID: keyID))
                        == (algorithm == .ps256 ? "r" : "unfit"))
            }
        }
    }

    @Test("Two different keys that fit are ambiguous; one of them named by its ID is not")
    func ambiguity() throws {
        let other = try SignatureVerifierTests.rsa.get().publicJWK
        let members = try JSONDocument(parsing: Array(other.utf8)).root
        let second = #"{"kty":"RSA","n":"\#(members["n"]!.string!)","e":"AQAB","kid":"#
        let same = try Self.set(Self.jwk("RSA", #""kid":"a""#), second + #""a"}"#)
        #expect(Self.name(same.selectKey(algorithm: .rs256, keyID: "a")) == "ambiguous 2")
        #expect(Self.name(same.selectKey(algorithm: .rs256, keyID: nil)) == "ambiguous 2")
        let apart = try Self.set(Self.jwk("RSA", #""kid":"a""#), second + #""b"}"#)
        #expect(Self.name(apart.selectKey(algorithm: .rs256, keyID: "a")) == "a")
        #expect(Self.name(apart.selectKey(algorithm: .rs256, keyID: nil)) == "ambiguous 2")
        let byAlgorithm = try Self.set(
            Self.jwk("RSA", #""kid":"a","alg":"RS256""#), second + #""a","alg":"RS512"}"#)
        #expect(Self.name(byAlgorithm.selectKey(algorithm: .rs256, keyID: "a")) == "a")
        #expect(Self.name(byAlgorithm.selectKey(algorithm: .rs384, keyID: "a")) == "unfit")
    }

    @Test("The same key twice leaves no doubt")
    func twice() throws {
        let keys = try Self.set(Self.jwk("RSA", #""kid":"a""#), Self.jwk("RSA", #""kid":"a","use":"sig""#))
        #expect(Self.name(keys.selectKey(algorithm: .rs256, keyID: "a")) == "a")
    }

    @Test("Key IDs are compared by their bytes")
    func keyIDBytes() throws {
        let keys = try Self.set(Self.jwk("RSA", "\"kid\":\"\u{212A}\""), Self.jwk("P-256", "\"kid\":\"e\u{301}\""))
        #expect(Self.name(keys.selectKey(algorithm: .rs256, keyID: "K")) == "unknown")
        #expect(Self.name(keys.selectKey(algorithm: .rs256, keyID: "k")) == "unknown")
        #expect(Self.name(keys.selectKey(algorithm: .es256, keyID: "\u{E9}")) == "unknown")
        #expect(Self.name(keys.selectKey(algorithm: .rs256, keyID: "\u{212A}")) == "\u{212A}")
    }

    @Test("The ID of a key that was skipped is known, so that no fetch is made for it")
    func skippedKeyID() throws {
        let keys = try Self.set(Self.jwk("RSA", #""kid":"enc","use":"enc""#), Self.jwk("RSA", #""kid":"sig""#))
        #expect(Self.name(keys.selectKey(algorithm: .rs256, keyID: "enc")) == "unfit")
    }

    @Test("Skipped keys are the same only if their IDs are, byte for byte")
    func skippedKeyIdentity() throws {
        func skipped(_ member: String) throws -> [SkippedKey] {
            try Self.set(Self.jwk("RSA", member + #""use":"enc""#), Self.jwk("RSA", #""kid":"sig""#)).skipped
        }
        let composed = try skipped("\"kid\":\"caf\u{e9}\",")
        #expect(composed == (try skipped(#""kid":"caf\u00e9","#)))
        #expect(composed != (try skipped("\"kid\":\"cafe\u{301}\",")))
        #expect(try skipped("") != skipped(#""kid":"","#))
    }

    private static func name(_ selection: KeySelection) -> String {
        switch selection {
        case .key(let key): key.keyID ?? "-"
        case .unknown: "unknown"
        case .unfit: "unfit"
        case .ambiguous(let count): "ambiguous \(count)"
        }
    }
}
