// One key that verifies tokens: what it is (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2), what it may verify, and why not.
//
// A public key and a shared secret are two things here, not two uses of the same bytes: each verifies its own
// algorithms, and nothing makes one of the other. So a public key cannot be had to verify an HMAC (RFC 8725 §2.1).

internal import Bytes
internal import OpenSSLKit

/// What kind of key it is, as `kty` and `crv` say.
public enum KeyType: Sendable, Hashable {
    case rsa(bits: Int)
    case p256
    case p384
    case p521
    case ed25519
    /// A shared secret. Only `KeySet(secretFile:for:)` makes a key of it: in a published set it has no place.
    case secret(bytes: Int)

    /// Whether keys of this type make signatures of that algorithm. ECDSA's algorithms are bound to one curve each
    /// (RFC 7518 §3.4).
    public func fits(_ algorithm: SignatureAlgorithm) -> Bool {
        switch algorithm {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512:
            if case .rsa = self { true } else { false }
        case .es256: self == .p256
        case .es384: self == .p384
        case .es512: self == .p521
        case .edDSA: self == .ed25519
        case .hs256, .hs384, .hs512:
            if case .secret(let bytes) = self { bytes >= algorithm.secretBytesMin! } else { false }
        }
    }
}

/// A key that may verify tokens; immutable, so that all workers share it.
public final class Key: Sendable {
    /// What verifies.
    enum Material: Sendable {
        case publicKey(PublicKey)
        case secret(HMACSecret)
    }

    public let keyID: String?
    public let type: KeyType
    /// The key's own `alg`. Where it has one, a token's must be the same.
    public let algorithm: SignatureAlgorithm?
    public let thumbprint: KeyThumbprint
    let material: Material

    /// Reads one entry of a set's `keys`.
    init(_ jwk: JSONValue) throws(UnusableKey) {
        guard jwk.kind == .object else { throw .notAnObject }
        keyID = try Self.keyID(jwk)
        try Self.checkPurpose(jwk)
        let publicKey: PublicKey
        (publicKey, type, thumbprint) = try Self.material(try Self.members(jwk))
        material = .publicKey(publicKey)
        algorithm = try Self.algorithm(jwk, for: type)
    }

    /// A public key that comes without a name and without a word on its use.
    init(_ members: PublicKeyMembers) throws(UnusableKey) {
        keyID = nil
        algorithm = nil
        let publicKey: PublicKey
        (publicKey, type, thumbprint) = try Self.material(members)
        material = .publicKey(publicKey)
    }

    /// A secret, which has no name. Throws where OpenSSL lacks memory.
    init(_ secret: HMACSecret) throws(OpenSSLError) {
        keyID = nil
        type = .secret(bytes: secret.byteCount)
        algorithm = nil
        thumbprint = try KeyThumbprint(of: secret)
        material = .secret(secret)
    }

    /// Whether this key may verify signatures of that algorithm.
    public func fits(_ algorithm: SignatureAlgorithm) -> Bool {
        type.fits(algorithm) && (self.algorithm == nil || self.algorithm == algorithm)
    }

    /// `kid`, if there is one. One that no token could name makes the key unusable.
    static func keyID(_ jwk: JSONValue) throws(UnusableKey) -> String? {
        guard let member = jwk["kid"] else { return nil }
        guard let keyID = member.string, keyID.utf8.count <= UnverifiedToken.keyIDBytesMax else {
            throw .badMember("kid")
        }
        return keyID
    }

    /// RFC 7517 §4.2 and §4.3: whoever publishes a key says what it is for.
    private static func checkPurpose(_ jwk: JSONValue) throws(UnusableKey) {
        if let use = jwk["use"] {
            guard use.kind == .string else { throw .badMember("use") }
            if !use.isString("sig") { throw .notForSignatures }
        }
        if let operations = jwk["key_ops"] {
            guard operations.kind == .array, operations.elements.allSatisfy({ $0.kind == .string }) else {
                throw .badMember("key_ops")
            }
            if !operations.elements.contains(where: { $0.isString("verify") }) { throw .notForSignatures }
        }
        // Whoever can read the set could sign with it.
        if jwk["d"] != nil { throw .privateKey }
    }

    private static func algorithm(_ jwk: JSONValue, for type: KeyType) throws(UnusableKey) -> SignatureAlgorithm? {
        guard let member = jwk["alg"] else { return nil }
        guard let name = member.string else { throw .badMember("alg") }
        guard let algorithm = SignatureAlgorithm(rawValue: name) else { throw .unsupportedAlgorithm }
        guard type.fits(algorithm) else { throw .algorithmMismatch }
        return algorithm
    }

    private static func members(_ jwk: JSONValue) throws(UnusableKey) -> PublicKeyMembers {
        guard let kty = jwk["kty"] else { throw .missingMember("kty") }
        if kty.isString("RSA") {
            return .rsa(n: try bytes("n", jwk), e: try bytes("e", jwk))
        }
        if kty.isString("EC") {
            guard let crv = jwk["crv"] else { throw .missingMember("crv") }
            guard let curve = EllipticCurve.allCases.first(where: { crv.isString($0.name) }) else {
                throw .unsupportedCurve
            }
            let x = try bytes("x", jwk)
            let y = try bytes("y", jwk)
            // Written in full, leading zeros included (RFC 7518 §6.2.1.2).
            guard x.count == curve.coordinateByteCount else { throw .badMember("x") }
            guard y.count == curve.coordinateByteCount else { throw .badMember("y") }
            return .elliptic(curve, x: x, y: y)
        }
        if kty.isString("OKP") {
            guard let crv = jwk["crv"] else { throw .missingMember("crv") }
            guard crv.isString("Ed25519") else { throw .unsupportedCurve }
            return .ed25519(x: try bytes("x", jwk))
        }
        throw kty.isString("oct") ? .symmetric : .unsupportedKeyType
    }

    private static func material(
        _ members: PublicKeyMembers
    ) throws(UnusableKey) -> (PublicKey, KeyType, KeyThumbprint) {
        do {
            switch members {
            case .rsa(let n, let e):
                // RFC 7518 §2 wants no leading zero bytes here, but issuers that write the sign byte of their number
                // format are at large. They are dropped, so that the key has one thumbprint.
                let n = Array(n.drop { $0 == 0 })
                let e = Array(e.drop { $0 == 0 })
                let key = try PublicKey(rsaModulus: n.span, exponent: e.span)
                guard case .rsa(let bits) = key.kind else { throw UnusableKey.unsupportedKeyType }
                return (key, .rsa(bits: bits), KeyThumbprint(of: [("e", text(e)), ("kty", "RSA"), ("n", text(n))]))
            case .elliptic(let curve, let x, let y):
                let key = try PublicKey(curve: curve, x: x.span, y: y.span)
                let thumbprint = KeyThumbprint(
                    of: [("crv", curve.name), ("kty", "EC"), ("x", text(x)), ("y", text(y))])
                return (key, curve.keyType, thumbprint)
            case .ed25519(let x):
                let key = try PublicKey(ed25519: x.span)
                return (key, .ed25519, KeyThumbprint(of: [("crv", "Ed25519"), ("kty", "OKP"), ("x", text(x))]))
            }
        } catch let error as UnusableKey {
            throw error
        } catch let error as PublicKeyError {
            throw UnusableKey(error)
        } catch {
            throw .refusedByOpenSSL
        }
    }

    private static func bytes(_ name: String, _ jwk: JSONValue) throws(UnusableKey) -> [UInt8] {
        guard let member = jwk[named: name] else { throw .missingMember(name) }
        guard let text = member.string else { throw .badMember(name) }
        do { return try Base64URL.decode(Array(text.utf8).span) } catch { throw .badMember(name) }
    }

    private static func text(_ bytes: [UInt8]) -> String { Base64URL.encode(bytes.span).span.text() }
}

extension EllipticCurve {
    /// The name that JWKs have for it (RFC 7518 §6.2.1.1).
    fileprivate var name: String {
        switch self {
        case .p256: "P-256"
        case .p384: "P-384"
        case .p521: "P-521"
        }
    }

    fileprivate var keyType: KeyType {
        switch self {
        case .p256: .p256
        case .p384: .p384
        case .p521: .p521
        }
    }
}

/// Why an entry of a key set cannot be used.
public enum UnusableKey: Error, Sendable, Equatable {
    case notAnObject
    case missingMember(String)
    /// A member of the wrong type, length or encoding.
    case badMember(String)
    /// A `kty` that we do not know.
    case unsupportedKeyType
    /// `oct`: a shared secret has no place in a published set.
    case symmetric
    case unsupportedCurve
    /// Below 2048 bits.
    case rsaTooSmall(bits: Int)
    /// Above 8192 bits.
    case rsaTooLarge(bits: Int)
    /// An exponent or modulus that RSA cannot have.
    case badRSANumber
    case notOnCurve
    case smallOrder
    /// `use` or `key_ops` says that it is for something else.
    case notForSignatures
    /// The set publishes the private half.
    case privateKey
    /// A PEM block whose content is not what its label says.
    case badBlock
    /// An `alg` that we do not verify.
    case unsupportedAlgorithm
    /// An `alg` that does not go with `kty` and `crv`.
    case algorithmMismatch
    /// The set holds more usable keys than `KeySet.keysMax`.
    case tooManyKeys
    case refusedByOpenSSL

    fileprivate init(_ error: PublicKeyError) {
        self =
            switch error {
            case .badLength: .badMember("x")
            case .rsaTooSmall(let bits): .rsaTooSmall(bits: bits)
            case .rsaTooLarge(let bits): .rsaTooLarge(bits: bits)
            case .badModulus, .badExponent: .badRSANumber
            case .notOnCurve: .notOnCurve
            case .smallOrder: .smallOrder
            case .openSSL: .refusedByOpenSSL
            }
    }
}
