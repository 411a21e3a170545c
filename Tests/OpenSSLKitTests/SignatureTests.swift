import Testing

@testable import OpenSSLKit

@Suite struct SignatureTests {
    static let message = Array("what was signed".utf8)

    static func publicKey(_ key: SigningKey) throws -> PublicKey {
        switch try key.publicMembers() {
        case .rsa(let n, let e): try PublicKey(rsaModulus: n.span, exponent: e.span)
        case .elliptic(let curve, let x, let y): try PublicKey(curve: curve, x: x.span, y: y.span)
        case .ed25519(let x): try PublicKey(ed25519: x.span)
        }
    }

    static func verifier(_ key: SigningKey) throws -> PreparedVerifier {
        try PreparedVerifier(publicKey(key), key.algorithm == .rs256 ? .rsaPKCS1(.sha256) : .ecdsa(.sha256))
    }

    static func isValid(_ signature: [UInt8], _ message: [UInt8], _ verifier: PreparedVerifier) -> Bool {
        verifier.isValid(signature.span, for: message.span)
    }

    @Test(
        "A prepared verifier goes on working after signatures that do not hold",
        arguments: [SigningAlgorithm.rs256, .es256])
    func reuse(algorithm: SigningAlgorithm) throws {
        let key = try SigningKey(generating: algorithm)
        let verifier = try Self.verifier(key)
        for _ in 0..<3 {
            let signature = try key.sign(Self.message.span)
            #expect(Self.isValid(signature, Self.message, verifier))
            #expect(!Self.isValid(signature, Self.message.dropLast(), verifier))
            #expect(!Self.isValid(signature.dropLast(), Self.message, verifier))
            #expect(!Self.isValid((signature + [0]), Self.message, verifier))
            #expect(!Self.isValid([UInt8](), Self.message, verifier))
            var flipped = signature
            flipped[signature.count / 2] ^= 0x10
            #expect(!Self.isValid(flipped, Self.message, verifier))
        }
    }

    @Test("Another key's signature does not hold", arguments: [SigningAlgorithm.rs256, .es256])
    func otherKey(algorithm: SigningAlgorithm) throws {
        let signature = try SigningKey(generating: algorithm).sign(Self.message.span)
        let verifier = try Self.verifier(SigningKey(generating: algorithm))
        #expect(!Self.isValid(signature, Self.message, verifier))
    }

    @Test("A key of another kind than the scheme's prepares nothing")
    func kinds() throws {
        let elliptic = try Self.publicKey(SigningKey(generating: .es256))
        let edwards = try PublicKey(ed25519: [UInt8](repeating: 9, count: 32).span)
        for scheme in [SignatureScheme.rsaPKCS1(.sha256), .rsaPSS(.sha256), .ed25519] {
            #expect(throws: OpenSSLError.self) { try PreparedVerifier(elliptic, scheme) }
        }
        #expect(throws: OpenSSLError.self) { try PreparedVerifier(edwards, .ecdsa(.sha256)) }
    }

    @Test("r and s must lie within 1…n-1", arguments: EllipticCurve.allCases)
    func range(curve: EllipticCurve) {
        let length = curve.coordinateByteCount
        let zero = [UInt8](repeating: 0, count: length)
        var one = zero
        one[length - 1] = 1
        let order = curve.order
        var last = order
        last[length - 1] -= 1
        let all = [UInt8](repeating: 0xFF, count: length)
        for good in [one + one, last + last, one + last] {
            #expect(ECDSASignature.der(fromConcatenated: good.span, on: curve) != nil)
        }
        for bad in [zero + one, one + zero, order + one, one + order, all + one, one + all] {
            #expect(ECDSASignature.der(fromConcatenated: bad.span, on: curve) == nil)
        }
        for count in [0, 1, length, 2 * length - 1, 2 * length + 1] {
            let text = [UInt8](repeating: 1, count: count)
            #expect(ECDSASignature.der(fromConcatenated: text.span, on: curve) == nil)
        }
    }

    @Test("Every shape of r and s becomes minimal DER and comes back", arguments: EllipticCurve.allCases)
    func der(curve: EllipticCurve) throws {
        let length = curve.coordinateByteCount
        for significant in 1...(length - 1) {
            for top: UInt8 in [0x01, 0x7F, 0x80, 0xFF] {
                let zeros = [UInt8](repeating: 0, count: length - significant)
                let number = zeros + [top] + [UInt8](repeating: 0xA5, count: significant - 1)
                let signature = number + number
                let converted = ECDSASignature.der(fromConcatenated: signature.span, on: curve)
                let der = try #require(converted)
                let integer = der[1] == 0x81 ? der[5] : der[4]
                #expect(integer == (top >= 0x80 ? 0 : top))
                #expect(ECDSASignature.concatenated(fromDER: der.span, on: curve) == signature)
            }
        }
    }

    @Test(
        "PEM that is no private key of ours is refused",
        arguments: ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "x"])
    func badPEM(pem: String) {
        #expect(throws: SigningKeyError.noPrivateKey) { try SigningKey(pem: Array(pem.utf8).span) }
        #expect(throws: SigningKeyError.noPrivateKey) { try SigningKey(pem: [UInt8](repeating: 0x2D, count: 70_000).span) }
    }
}
