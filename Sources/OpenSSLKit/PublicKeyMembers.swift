// What a public key is made of, as JWKs hold it (RFC 7518 §6, RFC 8037 §2).

internal import COpenSSL

/// The members of a JWK that make up a public key: big-endian, in full length.
public enum PublicKeyMembers: Sendable, Equatable {
    case rsa(n: [UInt8], e: [UInt8])
    case elliptic(EllipticCurve, x: [UInt8], y: [UInt8])
    case ed25519(x: [UInt8])
}

extension PublicKeyMembers {
    /// The members of a key of OpenSSL's; nil: it is of a type or curve that signs no tokens.
    @unsafe
    init?(of key: OpaquePointer) throws(OpenSSLError) {
        if unsafe EVP_PKEY_is_a(key, "RSA") == 1 {
            self = .rsa(
                n: try unsafe Self.number(OSSL_PKEY_PARAM_RSA_N, of: key),
                e: try unsafe Self.number(OSSL_PKEY_PARAM_RSA_E, of: key))
        } else if unsafe EVP_PKEY_is_a(key, "EC") == 1 {
            let name = unsafe Self.groupName(of: key)
            guard let curve = EllipticCurve.allCases.first(where: { "\($0.groupName)" == name }) else { return nil }
            let byteCount = curve.coordinateByteCount
            self = .elliptic(
                curve, x: try unsafe Self.number(OSSL_PKEY_PARAM_EC_PUB_X, of: key, byteCount: byteCount),
                y: try unsafe Self.number(OSSL_PKEY_PARAM_EC_PUB_Y, of: key, byteCount: byteCount))
        } else if unsafe EVP_PKEY_is_a(key, "ED25519") == 1 {
            var x = [UInt8](repeating: 0, count: 32)
            var count = x.count
            try succeed("EVP_PKEY_get_raw_public_key") { unsafe EVP_PKEY_get_raw_public_key(key, &x, &count) }
            self = .ed25519(x: x)
        } else {
            return nil
        }
    }

    /// A number among the key's parameters, padded to `byteCount` or as short as it gets.
    @unsafe
    private static func number(
        _ name: String, of key: OpaquePointer, byteCount: Int? = nil
    ) throws(OpenSSLError) -> [UInt8] {
        var pointer: OpaquePointer?
        try succeed("EVP_PKEY_get_bn_param") { unsafe EVP_PKEY_get_bn_param(key, name, &pointer) }
        defer { unsafe BN_free(pointer) }
        let count = unsafe byteCount ?? (Int(BN_num_bits(pointer)) + 7) / 8
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe BN_bn2binpad(pointer, &bytes, Int32(count)) == count else { throw .taken(after: "BN_bn2binpad") }
        return bytes
    }

    @unsafe
    static func groupName(of key: OpaquePointer) -> String? {
        var name = [CChar](repeating: 0, count: 64)
        var count = 0
        guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, &count) == 1 else { return nil }
        return String(decoding: name[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
