// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2) with everything set up beforehand, on OpenSSL's arithmetic alone.
//
// An RS256 token is what most issuers send, and its verification is most of what an unremembered token costs. Through
// EVP some forty small allocations and a general exponentiation go with it; with the modulus prepared, what is left for
// the exponent 65537 is eighteen Montgomery multiplications: an eighth to a sixth less time with a 2048-bit key.
//
// It is verified as the RFC says: the encoded message that the digest must have is built and compared as a whole. Nothing
// of what comes out of the signature is parsed, so there is no padding to be lenient about. All of it is public, so
// nothing has to take constant time.

internal import COpenSSL

/// Verifies RSASSA-PKCS1-v1_5 signatures of one key. Confined to its owner.
@safe
final class PKCS1Verification {
    private let digest: DigestContext
    private let modulus: Handle
    private let montgomery: Handle
    private let scratch: Handle
    /// The signature as a number, the same in Montgomery's form, and the power of it.
    private let base: Handle
    private let factor: Handle
    private let power: Handle
    /// The exponent's bits between the first and the last, which are ones, highest first.
    private let innerBits: [Bool]
    /// The message as a good signature has it: encoded, and the same as a number.
    private var encoded: [UInt8]
    private let expected: Handle

    init(_ key: PublicKey, _ hash: HashFunction) throws(OpenSSLError) {
        let exponent = unsafe try key.number(antechamber_param_rsa_e)
        let modulus = unsafe try key.number(antechamber_param_rsa_n)
        let scratch = unsafe try handle("BN_CTX_new", freedBy: { unsafe BN_CTX_free($0) }) { unsafe BN_CTX_new() }
        let montgomery = unsafe try handle("BN_MONT_CTX_new", freedBy: { unsafe BN_MONT_CTX_free($0) }) {
            unsafe BN_MONT_CTX_new()
        }
        try succeed("BN_MONT_CTX_set") { unsafe BN_MONT_CTX_set(montgomery.raw, modulus.raw, scratch.raw) }
        var innerBits: [Bool] = []
        for bit in stride(from: unsafe BN_num_bits(exponent.raw) - 2, to: 0, by: -1) {
            innerBits.append(unsafe BN_is_bit_set(exponent.raw, bit) == 1)
        }
        // RFC 8017 §9.2; a modulus of 2048 bits has room for any of these hashes.
        let suffix = hash.digestInfoPrefix
        let filling = key.signatureByteCount - 3 - suffix.count - hash.byteCount

        digest = try DigestContext(hash)
        base = try Self.number()
        factor = try Self.number()
        power = try Self.number()
        self.modulus = modulus
        self.montgomery = montgomery
        self.scratch = scratch
        self.innerBits = innerBits
        expected = try Self.number()
        encoded = [0, 1] + [UInt8](repeating: 0xFF, count: filling) + [0] + suffix
        encoded += [UInt8](repeating: 0, count: hash.byteCount)
    }

    /// Throws unless `signature`, which is as long as the modulus, is one over `message`.
    func verify(_ signature: Span<UInt8>, _ message: Span<UInt8>) throws(OpenSSLError) {
        try digest.digest(message)
        try unsafe signature.withUnsafeBufferPointer { (signature) throws(OpenSSLError) in
            guard unsafe BN_bin2bn(signature.baseAddress, Int32(signature.count), base.raw) != nil else {
                throw .taken(after: "BN_bin2bn")
            }
        }
        // RFC 8017 §5.2.2, step 1.
        guard unsafe BN_ucmp(base.raw, modulus.raw) < 0 else {
            throw OpenSSLError(operation: "RSAVP1", reason: "the signature is not below the modulus")
        }
        try raise()
        // Numbers that are the same have the same encoding, as all have the modulus's length (RFC 8017 §4.1). What is made
        // a number is what should be there: writing out what is there takes twice as long.
        try encode()
        guard unsafe BN_ucmp(power.raw, expected.raw) == 0 else {
            throw OpenSSLError(operation: "EMSA-PKCS1-v1_5", reason: "the signature is over something else")
        }
    }

    /// Sets `expected` to the encoded digest.
    private func encode() throws(OpenSSLError) {
        let start = unsafe encoded.count - digest.result.count
        for index in unsafe digest.result.indices { encoded[start + index] = unsafe digest.result[index] }
        try unsafe encoded.withUnsafeBufferPointer { (encoded) throws(OpenSSLError) in
            guard unsafe BN_bin2bn(encoded.baseAddress, Int32(encoded.count), expected.raw) != nil else {
                throw .taken(after: "BN_bin2bn")
            }
        }
    }

    /// Sets `power` to `base` raised to the exponent, modulo the modulus: square and multiply, from the first bit on. The
    /// last factor is not in Montgomery's form, which takes the product out of it.
    private func raise() throws(OpenSSLError) {
        try succeed("BN_to_montgomery") { unsafe BN_to_montgomery(factor.raw, base.raw, montgomery.raw, scratch.raw) }
        try multiply(factor, factor)
        for bit in innerBits {
            if bit { try multiply(power, factor) }
            try multiply(power, power)
        }
        try multiply(power, base)
    }

    private func multiply(_ left: borrowing Handle, _ right: borrowing Handle) throws(OpenSSLError) {
        guard unsafe BN_mod_mul_montgomery(power.raw, left.raw, right.raw, montgomery.raw, scratch.raw) == 1 else {
            throw .taken(after: "BN_mod_mul_montgomery")
        }
    }

    private static func number() throws(OpenSSLError) -> Handle {
        try unsafe handle("BN_new", freedBy: { unsafe BN_free($0) }) { unsafe BN_new() }
    }
}

extension HashFunction {
    /// The DER of a DigestInfo up to the digest (RFC 8017 §9.2, note 1).
    fileprivate var digestInfoPrefix: [UInt8] {
        let (last, length): (UInt8, UInt8) =
            switch self {
            case .sha256: (1, 32)
            case .sha384: (2, 48)
            case .sha512: (3, 64)
            }
        return [
            0x30, 17 + length, 0x30, 13, 0x06, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last, 0x05, 0, 0x04,
            length,
        ]
    }
}
