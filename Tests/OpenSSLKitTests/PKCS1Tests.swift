// RSASSA-PKCS1-v1_5 signatures that PKCS1/generate.py made.

import COpenSSL
import Foundation
import Testing

@testable import OpenSSLKit

@Suite struct PKCS1Tests {
    struct Signatures: Decodable {
        struct Key: Decodable {
            var modulus: String
            var exponent: String
            var good: [String: String]
            var forged: [String: String]

            func publicKey() throws -> PublicKey {
                try PublicKey(rsaModulus: bytes(modulus).span, exponent: bytes(exponent).span)
            }
        }

        var message: String
        var keys: [Key]

        static let all: Signatures = {
            let folder = URL(filePath: #filePath).deletingLastPathComponent()
            let data = try! Data(contentsOf: folder.appending(path: "PKCS1/signatures.json"))
            return try! JSONDecoder().decode(Signatures.self, from: data)
        }()
    }

    static let hashes: [String: HashFunction] = ["sha256": .sha256, "sha384": .sha384, "sha512": .sha512]

    static func bytes(_ hex: String) -> [UInt8] {
        var rest = hex[...]
        var bytes: [UInt8] = []
        while !rest.isEmpty {
            bytes.append(UInt8(rest.prefix(2), radix: 16)!)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    static func isValid(_ signature: [UInt8], _ message: [UInt8], _ verifier: PreparedVerifier) -> Bool {
        verifier.isValid(signature.span, for: message.span)
    }

    /// What `EVP_PKEY_verify` says.
    static func opensslTakes(
        _ signature: [UInt8], _ message: [UInt8], _ key: PublicKey, _ hash: HashFunction
    ) throws -> Bool {
        let digest = try DigestContext(hash)
        try digest.digest(message.span)
        let context = try key.keyContext()
        try succeed("EVP_PKEY_verify_init") { unsafe EVP_PKEY_verify_init(context.raw) }
        try succeed("padding") { unsafe EVP_PKEY_CTX_set_rsa_padding(context.raw, RSA_PKCS1_PADDING) }
        try succeed("digest") { unsafe EVP_PKEY_CTX_set_signature_md(context.raw, hash.method.raw) }
        return unsafe EVP_PKEY_verify(
            context.raw, signature, signature.count, digest.result.baseAddress, digest.result.count) == 1
    }

    @Test("A good signature holds, for any exponent and hash", arguments: Signatures.all.keys.indices)
    func good(index: Int) throws {
        let key = Signatures.all.keys[index]
        #expect(key.good.count == 3)
        for (name, signature) in key.good {
            for (other, hash) in Self.hashes {
                let verifier = try PreparedVerifier(try key.publicKey(), .rsaPKCS1(hash))
                let isValid = Self.isValid(Self.bytes(signature), Array(Signatures.all.message.utf8), verifier)
                #expect(isValid == (name == other), "exponent \(key.exponent), signed with \(name), verified with \(other)")
            }
        }
    }

    @Test("An encoding that is not exactly that of RFC 8017 is refused, and nothing is left of it")
    func forged() throws {
        var count = 0
        for key in Signatures.all.keys where !key.forged.isEmpty {
            let verifier = try PreparedVerifier(try key.publicKey(), .rsaPKCS1(.sha256))
            let message = Array(Signatures.all.message.utf8)
            let good = Self.bytes(key.good["sha256"]!)
            for (name, signature) in key.forged {
                #expect(!Self.isValid(Self.bytes(signature), message, verifier), "\(name)")
                #expect(Self.isValid(good, message, verifier), "after one where \(name)")
                count += 1
            }
        }
        #expect(count >= 34)
    }

    @Test("OpenSSL's own verification comes to the same answers")
    func agreement() throws {
        for key in Signatures.all.keys {
            let publicKey = try key.publicKey()
            for (hashName, hash) in Self.hashes {
                let verifier = try PreparedVerifier(publicKey, .rsaPKCS1(hash))
                let message = Array(Signatures.all.message.utf8)
                for signature in Array(key.good.values) + key.forged.values {
                    let bytes = Self.bytes(signature)
                    let theirs = try Self.opensslTakes(bytes, message, publicKey, hash)
                    #expect(Self.isValid(bytes, message, verifier) == theirs, "\(hashName)")
                }
            }
        }
    }
}

private func bytes(_ hex: String) -> [UInt8] { PKCS1Tests.bytes(hex) }
