import Bytes
import Foundation
import Testing

@Suite struct Base64URLTests {
    static func decode(_ text: [UInt8]) throws(Base64URLError) -> [UInt8] { try Base64URL.decode(text.span) }
    static func decode(_ text: String) throws(Base64URLError) -> [UInt8] { try decode(Array(text.utf8)) }
    static func encode(_ bytes: [UInt8]) -> String { String(decoding: Base64URL.encode(bytes.span), as: UTF8.self) }

    @Test(
        "RFC 4648 §10 vectors, without their padding",
        arguments: [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ])
    func vectors(plain: String, encoded: String) throws {
        #expect(Self.encode(Array(plain.utf8)) == encoded)
        #expect(try Self.decode(encoded) == Array(plain.utf8))
    }

    @Test("Every length up to 100 survives a round trip and agrees with Foundation", arguments: 0...100)
    func roundTrip(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ count &* 151) }
        let expected = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
        #expect(Self.encode(bytes) == expected)
        #expect(try Self.decode(expected) == bytes)
        #expect(Base64URL.decodedByteCount(expected.utf8.count) == count)
    }

    @Test("Padding, white space, the other alphabet and every other byte are refused where they stand")
    func characters() {
        let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for byte in UInt8.min...UInt8.max where !alphabet.contains(byte) {
            for (count, offset) in [(4, 0), (4, 1), (4, 2), (4, 3), (8, 6), (6, 4), (6, 5), (7, 6)] {
                var text = [UInt8](repeating: UInt8(ascii: "A"), count: count)
                text[offset] = byte
                #expect(throws: Base64URLError.badCharacter(offset: offset)) { try Self.decode(text) }
            }
        }
    }

    @Test("A length that no bytes encode to is refused", arguments: ["A", "AAAAA", "Zm9vY"])
    func lengths(text: String) {
        #expect(throws: Base64URLError.badLength) { try Self.decode(text) }
    }

    @Test("Of the spellings of one byte and of two, only the canonical one is taken")
    func canonical() {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for (value, character) in alphabet.enumerated() {
            let one = Result { () throws(Base64URLError) in try Self.decode([UInt8(ascii: "A"), character]) }
            #expect(one == (value % 16 == 0 ? .success([UInt8(value / 16)]) : .failure(.nonCanonical)))
            let two = Result { () throws(Base64URLError) in
                try Self.decode([UInt8(ascii: "A"), UInt8(ascii: "A"), character])
            }
            #expect(two == (value % 4 == 0 ? .success([0, UInt8(value / 4)]) : .failure(.nonCanonical)))
        }
    }

    @Test("Storage that is reused holds exactly the new bytes, longer or shorter than before")
    func reuse() throws {
        var bytes: [UInt8] = []
        for text in ["Zm9vYmFy", "Zg", "", "Zm9vYmE"] {
            try Base64URL.decode(Array(text.utf8).span, into: &bytes)
            #expect(Self.encode(bytes) == text)
        }
    }

    @Test("Whatever bytes come in, what decodes encodes back to the same text")
    func fuzz() {
        var random = SplitMix64(seed: 0x6261_7365)
        let alphabet = Array("ABCxyz019-_=+/ \n.".utf8) + [0, 0x80, 0xFF]
        var accepted = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
            guard let bytes = try? Self.decode(text) else { continue }
            accepted += 1
            #expect(Base64URL.encode(bytes.span) == text)
        }
        #expect(accepted > 100)
    }
}

/// A seeded generator, so that a failure can be seen again.
struct SplitMix64: RandomNumberGenerator {
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
