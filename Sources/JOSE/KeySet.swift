/// A JWK set (RFC 7517 §5): an immutable snapshot.
public final class KeySet: Sendable {
    public static let bytesMax = 1 << 20
    public static let keysMax = 100
    public let keys: [Key]
    /// Keys that cannot be used, each with its reason.
    public let skipped: [SkippedKey]
    public init(parsing bytes: Span<UInt8>) throws(KeySetError) { fatalError() }
    public func selectKey(algorithm: SignatureAlgorithm, keyID: String?) -> KeySelection { fatalError() }
    public func contains(_ thumbprint: KeyThumbprint) -> Bool { fatalError() }
}

public enum KeySelection: Sendable {
    case key(Key)
    /// No key of that ID in the set (a newer set may have one); without an ID: no key fits.
    case unknown
    /// The set has that ID, but its key is not one for this algorithm, or is unusable. A newer set is no cure.
    case unfit
    /// So many keys fit.
    case ambiguous(Int)
}

public struct SkippedKey: Sendable, Equatable {
    public enum Reason: Sendable, Equatable {
        case notAnObject, missingMember(String), badMember(String), unsupportedKeyType, symmetric, unsupportedCurve
        case rsaTooSmall(bits: Int), rsaTooLarge(bits: Int), badExponent, notOnCurve
        case notForSignatures, unsupportedAlgorithm(String), algorithmMismatch, tooManyKeys
    }
    /// Place in `keys`, from 0.
    public let index: Int
    public let keyID: String?
    public let reason: Reason
}

public enum KeySetError: Error, Sendable, Equatable {
    case tooLarge
    case badJSON(JSONError)
    /// No object with a `keys` array.
    case notAKeySet
    case noUsableKey(skipped: [SkippedKey])
}
