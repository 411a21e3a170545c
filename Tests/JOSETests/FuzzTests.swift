// Seeded mutations of well-formed input: nothing may trap, and what is accepted must also satisfy someone else's reader.

import Bytes
import Foundation
import JOSE
import JOSEFixtures
import Testing

@Suite struct FuzzTests {
    static let rounds = 20_000

    @Test("What our JSON reader takes, Foundation's takes too, and both read the same")
    func json() throws {
        let seeds = [
            #"{"iss":"https://a/","aud":["x","y"],"exp":1700000000.5,"n":-1.5e-3,"t":true,"z":null,"d":{"e":{"f":[[]]}}}"#,
            #"["\u00e9\ud83d\ude00\n\"",0,-0,1e3,"é😀"]"#, #"{"a":{"a":{"a":1}},"b":[1,2,3],"":""}"#, "123", "\"x\"",
        ]
        var mutator = Mutator(
            seed: 0x6A73_6F6E,
            dictionary: [
                "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0061", "\\ud800", "\\udc00", "e", "E", "+", "-", ".", "0",
                "true", "null", " ", "\n", "\u{0}", "\"a\":1,", "é", "😀", "\u{FEFF}",
            ])
        var accepted = 0
        for _ in 0..<Self.rounds {
            let text = mutator.mutate(Array(seeds.randomElement(using: &mutator.random)!.utf8))
            guard let value = try? JSONDocument(parsing: text).root else { continue }
            accepted += 1
            let data = Data(text)
            let theirs = try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
            // Foundation has no number beyond Double's range.
            if theirs == nil && Self.holdsHugeNumber(value) { continue }
            let shown = String(decoding: text, as: UTF8.self)
            guard let theirs else {
                Issue.record("only we take \(shown)")
                continue
            }
            // Foundation drops a U+FEFF at the start of a string.
            let isSame = shown.unicodeScalars.contains("\u{FEFF}") || Self.isSame(value, theirs)
            #expect(isSame, "\(shown)")
            // Written anew, it reads the same.
            let rewritten = try JSONDocument(parsing: Array(Verdict.text(value).utf8)).root
            #expect(Verdict.text(rewritten) == Verdict.text(value))
        }
        #expect(accepted > Self.rounds / 50)
    }

    @Test("No mutation of a token traps, and none but the same bytes verifies")
    func tokens() throws {
        let keys = try IndependentTokenTests.keys.get()
        let verifier = SignatureVerifier()
        var mutator = Mutator(
            seed: 0x6A77_7473,
            dictionary: [
                ".", "..", "=", "A", "{", "eyJhbGciOiJub25lIn0", base64url(#"{"alg":"RS256"}"#),
                base64url(#"{"alg":"ES256"}"#),
                base64url("{}"), "\u{0}", " ", "-", "_", "+",
            ])
        // The header alone is mutated inside its encoding too, so that its JSON is reached.
        let tokens = IndependentTokens.genuine.filter { $0.algorithm.hasSuffix("256") }.map { Array($0.token.utf8) }
        var parsed = 0
        for round in 0..<Self.rounds {
            let token = tokens.randomElement(using: &mutator.random)!
            var mutated = mutator.mutate(token)
            if round % 2 == 0 {
                let parts = String(decoding: token, as: UTF8.self).split(separator: ".")
                let header = try Base64URL.decode(Array(parts[0].utf8).span)
                mutated = Array((base64url(mutator.mutate(header)) + ".\(parts[1]).\(parts[2])").utf8)
            }
            switch Verdict.of(String(decoding: mutated, as: UTF8.self), keys, verifier) {
            case .malformed: break
            case .verified: #expect(mutated == token)
            default: parsed += 1
            }
        }
        #expect(parsed > Self.rounds / 50)
    }

    @Test("No mutation of a key set traps, and what it keeps can be selected")
    func keySets() throws {
        let seed = Array(IndependentTokens.keySet.utf8)
        var mutator = Mutator(
            seed: 0x6A77_6B73,
            dictionary: [
                "\"kty\"", "\"oct\"", "\"RSA\"", "\"EC\"", "\"crv\"", "\"P-256\"", "\"P-384\"", "\"x\":\"AAAA\",",
                "\"AQAB\"",
                "\"use\":\"enc\",", "\"alg\":\"ES256\",", "{}", "[]", "null", "1", ",", "A", "_", "\"key_ops\":[],",
            ])
        var accepted = 0
        for _ in 0..<Self.rounds / 10 {
            guard let keys = try? KeySet(parsing: mutator.mutate(seed).span) else { continue }
            accepted += 1
            #expect(!keys.keys.isEmpty)
            for key in keys.keys {
                #expect(keys.contains(key.thumbprint))
                let fitting = SignatureAlgorithm.allCases.filter { key.fits($0) }
                #expect(!fitting.isEmpty)
                if case .unknown = keys.selectKey(algorithm: fitting[0], keyID: key.keyID) { Issue.record("lost") }
            }
        }
        #expect(accepted > Self.rounds / 500)
    }

    private static func holdsHugeNumber(_ value: JSONValue) -> Bool {
        if let text = value.numberText { return Double(text).map { !$0.isFinite || $0.magnitude < 1e-300 } ?? true }
        return value.elements.contains(where: holdsHugeNumber) || value.members.contains { holdsHugeNumber($0.value) }
    }

    private static func isSame(_ ours: JSONValue, _ theirs: Any) -> Bool {
        switch ours.kind {
        case .null: return theirs is NSNull
        case .bool: return theirs as? Bool == ours.bool
        case .string: return (theirs as? String).map { ours.isString($0) && ours.string == $0 } ?? false
        case .number:
            guard let number = theirs as? NSNumber else { return false }
            return switch ours.number {
            case .integer(let value): number.doubleValue == Double(value)
            case .fraction, .outOfRange, nil: number.doubleValue == Double(ours.numberText ?? "")
            }
        case .array:
            guard let list = theirs as? [Any], list.count == ours.count else { return false }
            return zip(ours.elements, list).allSatisfy { isSame($0, $1) }
        case .object:
            // A Swift dictionary holds canonically equivalent names for one, so that the counts may differ there.
            guard let map = theirs as? [String: Any], map.count <= ours.count else { return false }
            if map.count < ours.count { return Set(ours.members.map(\.name)).count == map.count }
            return ours.members.allSatisfy { member in map[member.name].map { isSame(member.value, $0) } ?? false }
        }
    }
}

/// Mutates bytes a few times over: flips, cuts, repeats, splices, and words that mean something to the reader.
private struct Mutator {
    var random: SplitMix64
    let dictionary: [[UInt8]]

    init(seed: UInt64, dictionary: [String]) {
        random = SplitMix64(seed: seed)
        self.dictionary = dictionary.map { Array($0.utf8) }
    }

    mutating func mutate(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            let length = Int.random(in: 0...min(8, bytes.count - place), using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.removeSubrange(place..<(place + length))
            case 2: bytes.insert(contentsOf: bytes[place..<(place + length)], at: place)
            case 3: bytes.insert(contentsOf: dictionary.randomElement(using: &random)!, at: place)
            case 4: bytes.replaceSubrange(place..<(place + length), with: dictionary.randomElement(using: &random)!)
            default: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
            }
        }
        return bytes
    }
}

private struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
