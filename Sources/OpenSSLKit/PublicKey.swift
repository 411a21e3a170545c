// Public keys from their JWK members (RFC 7518 §6, RFC 8037 §2), checked before anything is verified with them.
//
// Invariant: a PublicKey that exists is usable. RSA moduli are within bounds, points lie on their curve. The handle
// never changes after init, and OpenSSL lets threads share a key that nobody changes.

internal import COpenSSL

/// A key that verifies signatures; immutable, so that all workers share it.
@safe
public final class PublicKey: Sendable {
    /// What the key is of, and so which signatures it can verify.
    public enum Kind: Sendable, Hashable {
        case rsa(bits: Int)
        case elliptic(EllipticCurve)
        case ed25519
    }

    /// Below this many bits a modulus is not safe (RFC 7518 §3.3).
    public static let rsaBitsMin = 2048
    /// Above this many bits one verification costs so much that a key set could starve the proxy.
    public static let rsaBitsMax = 8192
    /// Exponents beyond are of no use, and each of their bits makes verification slower.
    static let rsaExponentBitsMax = 33

    public let kind: Kind
    /// The length that every signature of an RSA key has, and Ed25519's and ECDSA's r‖s too, in bytes.
    public let signatureByteCount: Int
    nonisolated(unsafe) let raw: OpaquePointer  // Immutable: see the head of this file.

    private init(_ kind: Kind, signatureByteCount: Int, owning raw: OpaquePointer) {
        self.kind = kind
        self.signatureByteCount = signatureByteCount
        unsafe self.raw = unsafe raw
    }

    deinit { unsafe EVP_PKEY_free(raw) }

    /// An RSA key of modulus n and exponent e, both big-endian; leading zero bytes count for nothing.
    public convenience init(rsaModulus: Span<UInt8>, exponent: Span<UInt8>) throws(PublicKeyError) {
        let bits = Self.bitWidth(rsaModulus)
        guard bits >= Self.rsaBitsMin else { throw .rsaTooSmall(bits: bits) }
        guard bits <= Self.rsaBitsMax else { throw .rsaTooLarge(bits: bits) }
        guard rsaModulus[rsaModulus.count - 1] & 1 == 1 else { throw .badModulus }
        let exponentBits = Self.bitWidth(exponent)
        // Odd, and 3 or more: with e = 1 every padded message is its own signature.
        guard exponentBits >= 2, exponentBits <= Self.rsaExponentBitsMax, exponent[exponent.count - 1] & 1 == 1 else {
            throw .badExponent
        }
        do {
            let n = try Self.bigNumber(rsaModulus)
            let e = try Self.bigNumber(exponent)
            // The builder keeps the pointers it is given until the key is made.
            let raw = try unsafe withExtendedLifetime(n) { (n) throws(OpenSSLError) in
                try unsafe withExtendedLifetime(e) { (e) throws(OpenSSLError) in
                    try unsafe Self.assemble("RSA") { (builder) throws(OpenSSLError) in
                        try succeed("OSSL_PARAM_BLD_push_BN") {
                            unsafe OSSL_PARAM_BLD_push_BN(builder, antechamber_param_rsa_n, n.raw)
                        }
                        try succeed("OSSL_PARAM_BLD_push_BN") {
                            unsafe OSSL_PARAM_BLD_push_BN(builder, antechamber_param_rsa_e, e.raw)
                        }
                    }
                }
            }
            unsafe self.init(.rsa(bits: bits), signatureByteCount: (bits + 7) / 8, owning: raw)
        } catch {
            throw .openSSL(error)
        }
    }

    /// A point of `curve`, its coordinates written in full. One that is not on the curve would leak through a
    /// weaker group, and is refused.
    public convenience init(curve: EllipticCurve, x: Span<UInt8>, y: Span<UInt8>) throws(PublicKeyError) {
        let length = curve.coordinateByteCount
        guard x.count == length, y.count == length else { throw .badLength }
        let point = [0x04] + x.array + y.array  // SEC 1 §2.3.3, uncompressed
        let raw: OpaquePointer
        do {
            // The builder keeps the pointers it is given until the key is made.
            unsafe raw = try unsafe point.withUnsafeBufferPointer { (point) throws(OpenSSLError) in
                try unsafe Self.assemble("EC") { (builder) throws(OpenSSLError) in
                    try succeed("OSSL_PARAM_BLD_push_utf8_string") {
                        unsafe OSSL_PARAM_BLD_push_utf8_string(
                            builder, antechamber_param_group_name, curve.groupName.pointer, 0)
                    }
                    try succeed("OSSL_PARAM_BLD_push_octet_string") {
                        unsafe OSSL_PARAM_BLD_push_octet_string(
                            builder, antechamber_param_pub_key, point.baseAddress, point.count)
                    }
                }
            }
        } catch {
            throw .notOnCurve  // Decoding the point already checks the curve's equation.
        }
        unsafe self.init(.elliptic(curve), signatureByteCount: 2 * length, owning: raw)
        do {
            let context = try keyContext()
            try succeed("EVP_PKEY_public_check") { unsafe EVP_PKEY_public_check(context.raw) }
        } catch {
            throw .notOnCurve
        }
    }

    /// An Ed25519 key of 32 bytes (RFC 8032 §5.1.5).
    public convenience init(ed25519 bytes: Span<UInt8>) throws(PublicKeyError) {
        guard bytes.count == 32 else { throw .badLength }
        if Ed25519SmallOrder.contains(bytes) { throw .smallOrder }
        ERR_clear_error()
        let raw = unsafe bytes.withUnsafeBufferPointer { key in
            unsafe EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, key.baseAddress, key.count)
        }
        guard let raw = unsafe raw else { throw .openSSL(.taken(after: "EVP_PKEY_new_raw_public_key_ex")) }
        unsafe self.init(.ed25519, signatureByteCount: 64, owning: raw)
    }

    /// A fresh context for operations with this key.
    func keyContext() throws(OpenSSLError) -> Handle {
        try unsafe handle("EVP_PKEY_CTX_new_from_pkey", freedBy: { unsafe EVP_PKEY_CTX_free($0) }) {
            unsafe EVP_PKEY_CTX_new_from_pkey(nil, raw, nil)
        }
    }

    /// One of the key's numbers, by OpenSSL's name for it.
    @unsafe
    func number(_ name: UnsafePointer<CChar>) throws(OpenSSLError) -> Handle {
        try unsafe handle("EVP_PKEY_get_bn_param", freedBy: { unsafe BN_free($0) }) {
            var number: OpaquePointer?
            return unsafe EVP_PKEY_get_bn_param(raw, name, &number) == 1 ? number : nil
        }
    }

    /// A key of the named type, made of the parameters that `push` adds to the builder. What they point to must
    /// live until this returns.
    @unsafe
    private static func assemble(
        _ type: String, _ push: (OpaquePointer) throws(OpenSSLError) -> Void
    ) throws(OpenSSLError) -> OpaquePointer {
        let builder = try unsafe handle("OSSL_PARAM_BLD_new", freedBy: { unsafe OSSL_PARAM_BLD_free($0) }) {
            unsafe OSSL_PARAM_BLD_new()
        }
        try unsafe push(builder.raw)
        guard let parameters = unsafe OSSL_PARAM_BLD_to_param(builder.raw) else {
            throw .taken(after: "OSSL_PARAM_BLD_to_param")
        }
        defer { unsafe OSSL_PARAM_free(parameters) }
        let context = try unsafe handle("EVP_PKEY_CTX_new_from_name", freedBy: { unsafe EVP_PKEY_CTX_free($0) }) {
            unsafe EVP_PKEY_CTX_new_from_name(nil, type, nil)
        }
        try succeed("EVP_PKEY_fromdata_init") { unsafe EVP_PKEY_fromdata_init(context.raw) }
        var key: OpaquePointer?
        try succeed("EVP_PKEY_fromdata") {
            unsafe EVP_PKEY_fromdata(context.raw, &key, antechamber_public_key_selection, parameters)
        }
        return unsafe key!
    }

    private static func bigNumber(_ bytes: Span<UInt8>) throws(OpenSSLError) -> Handle {
        try unsafe handle("BN_bin2bn", freedBy: { unsafe BN_free($0) }) {
            unsafe bytes.withUnsafeBufferPointer { unsafe BN_bin2bn($0.baseAddress, Int32($0.count), nil) }
        }
    }

    /// Bits of a big-endian number, without its leading zeros.
    private static func bitWidth(_ bytes: Span<UInt8>) -> Int {
        for index in bytes.indices where bytes[index] != 0 {
            return (bytes.count - index) * 8 - bytes[index].leadingZeroBitCount
        }
        return 0
    }
}

/// Why a key cannot be used.
public enum PublicKeyError: Error, Sendable, Equatable {
    /// A coordinate or an Ed25519 key is not of the length its curve has.
    case badLength
    case rsaTooSmall(bits: Int)
    case rsaTooLarge(bits: Int)
    /// An even modulus.
    case badModulus
    /// An exponent that is even, below 3, or of more than 33 bits.
    case badExponent
    case notOnCurve
    /// An Ed25519 point under which one signature holds for every message.
    case smallOrder
    case openSSL(OpenSSLError)
}

extension Span where Element == UInt8 {
    var array: [UInt8] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }
}

extension StaticString {
    /// The text as C's char pointer; static strings end in NUL.
    @unsafe
    var pointer: UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
