import Testing

@testable import OpenSSLKit

@Suite struct HMACSecretTests {
    /// RFC 4231 §4.2, §4.3, §4.7 (a key longer than a block).
    static let vectors: [(key: [UInt8], data: String, hash: HashFunction, tag: String)] = [
        (
            [UInt8](repeating: 0x0B, count: 20), "Hi There", .sha256,
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?", .sha384,
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First", .sha512,
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e52"
                + "95e64f73f63f0aec8b915a985d786598"
        ),
    ]

    @Test("RFC 4231's examples", arguments: vectors)
    func vector(key: [UInt8], data: String, hash: HashFunction, tag: String) throws {
        let secret = HMACSecret(key.span)
        let message = Array(data.utf8)
        let made = try secret.tag(over: message.span, hash)
        #expect(made.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == tag)
        #expect(Self.holds(made, message, secret, hash))
    }

    @Test("A tag with one bit changed, cut, lengthened, empty, or of another message, key or hash does not hold")
    func wrongTags() throws {
        let secret = HMACSecret([UInt8](repeating: 7, count: 32).span)
        let message: [UInt8] = [1, 2, 3]
        let tag = try secret.tag(over: message.span, .sha256)
        for index in tag.indices {
            var wrong = tag
            wrong[index] ^= 0x80
            #expect(!Self.holds(wrong, message, secret), "byte \(index)")
            #expect(!Self.holds(Array(tag[..<index]), message, secret), "\(index) bytes")
        }
        #expect(!Self.holds(tag + [0], message, secret))
        #expect(!Self.holds(tag, [1, 2], secret))
        #expect(!Self.holds(tag, message, secret, .sha512))
        let other = HMACSecret(([UInt8](repeating: 7, count: 31) + [6]).span)
        #expect(!Self.holds(tag, message, other))
        #expect(Self.holds(tag, message, secret))
    }

    private static func holds(
        _ tag: [UInt8], _ message: [UInt8], _ secret: HMACSecret, _ hash: HashFunction = .sha256
    ) -> Bool {
        secret.isValid(tag.span, for: message.span, hash)
    }

    @Test("Neither a description nor a dump shows a byte of it")
    func descriptions() {
        let secret = HMACSecret(Array("sesame-sesame-sesame-sesame-1234".utf8).span)
        var dumped = ""
        dump((secret: secret, list: [secret]), to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped] {
            #expect(!text.contains("sesame"), "\(text)")
            // UTF-8 of "s", as an array of numbers would show it.
            #expect(!text.contains("115"), "\(text)")
        }
        #expect("\(secret)" == "a secret of 32 bytes")
    }
}
