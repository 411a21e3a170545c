// The keys of one issuer as one fetch or one file gave them, and the choice of the one that a token must have been signed
// with.
//
// A set has public keys, or is one shared secret; never both.

/// A JWK set (RFC 7517 §5), or what stands for one: an immutable snapshot, shared by all workers.
public final class KeySet: Sendable {
    /// The longest document that is parsed, in bytes.
    public static let bytesMax = 1 << 20
    /// Usable keys that are kept.
    public static let keysMax = 100
    /// Entries of `keys` that are looked at; the rest are as if they were not there.
    public static let entriesMax = 1000

    /// The usable keys, in document order; never empty.
    public let keys: [Key]
    /// Entries that cannot be used, each with its reason, in document order.
    public let skipped: [SkippedKey]
    private let thumbprints: Set<KeyThumbprint>
    /// Some entry has a key ID.
    private let namesKeys: Bool

    /// A set of these keys, at least one.
    init(_ keys: [Key], skipped: [SkippedKey] = []) {
        self.keys = keys
        self.skipped = skipped
        thumbprints = Set(keys.map(\.thumbprint))
        namesKeys = keys.contains { $0.keyID != nil } || skipped.contains { $0.keyID != nil }
    }

    /// Parses a document. An entry that cannot be used is skipped alone. A document that is not the strict JSON we
    /// take is refused whole, duplicate member names at any level included: readers that disagree about which of the
    /// two counts would disagree about the key.
    public convenience init(parsing bytes: Span<UInt8>) throws(KeySetError) {
        if bytes.count > Self.bytesMax { throw .tooLarge }
        let document: JSONDocument
        do { document = try JSONDocument(parsing: bytes) } catch { throw .badJSON(error) }
        guard let entries = document.root["keys"], entries.kind == .array else { throw .notAKeySet }
        var keys: [Key] = []
        var skipped: [SkippedKey] = []
        for (index, entry) in entries.elements.prefix(Self.entriesMax).enumerated() {
            do throws(UnusableKey) {
                if keys.count == Self.keysMax { throw .tooManyKeys }
                keys.append(try Key(entry))
            } catch {
                skipped.append(SkippedKey(index: index, keyID: try? Key.keyID(entry), reason: error))
            }
        }
        if keys.isEmpty { throw .noUsableKey(skipped: skipped) }
        self.init(keys, skipped: skipped)
    }

    /// The one key that a token of this algorithm and key ID must have been signed with. Key IDs are compared byte
    /// for byte. Without a key ID the key is found only if no other fits the algorithm. So it is in a set that names none
    /// of its keys, whatever key ID the token has: that is a hint (RFC 7515 §4.1.4), and there to nothing.
    public func selectKey(algorithm: SignatureAlgorithm, keyID: String?) -> KeySelection {
        selectKey(algorithm: algorithm, keyID: keyID) { keyID, name in keyID.hasSameBytes(as: name) } text: { $0 }
    }

    /// The one key that this token must have been signed with.
    public func selectKey(for token: borrowing UnverifiedToken, algorithm: SignatureAlgorithm) -> KeySelection {
        selectKey(algorithm: algorithm, keyID: token.keyIDValue) { keyID, name in
            keyID.isString(name)
        } text: { keyID in
            keyID.string ?? ""
        }
    }

    @inline(__always)
    private func selectKey<KeyID>(
        algorithm: SignatureAlgorithm, keyID: KeyID?, is: (KeyID, String) -> Bool, text: (KeyID) -> String
    ) -> KeySelection {
        var found: Key?
        var others: [Key] = []
        var hasKeyID = false
        for key in keys {
            if namesKeys, let keyID {
                guard let candidate = key.keyID, `is`(keyID, candidate) else { continue }
                hasKeyID = true
            }
            guard key.fits(algorithm) else { continue }
            // The same key under two entries leaves no doubt about which to use.
            if found == nil {
                found = key
            } else if found?.thumbprint != key.thumbprint, !others.contains(where: { $0.thumbprint == key.thumbprint }) {
                others.append(key)
            }
        }
        if let found { return others.isEmpty ? .key(found) : .ambiguous(1 + others.count) }
        if let keyID, !hasKeyID, !skipped.contains(where: { $0.keyID.map { `is`(keyID, $0) } ?? false }) {
            return .unknown(keyID: text(keyID))
        }
        return .unfit
    }

    /// Whether the set still has this key.
    public func contains(_ thumbprint: KeyThumbprint) -> Bool { thumbprints.contains(thumbprint) }
}

/// The outcome of looking for a token's key.
public enum KeySelection: Sendable {
    case key(Key)
    /// No entry has that key ID, and, where none has any, none is for this algorithm. A newer set may.
    case unknown(keyID: String)
    /// No key of the set is for this algorithm: the one with the token's key ID is of another kind or unusable, or the
    /// token has no key ID and nothing fits. The token is at fault; fetching the set anew is no cure.
    case unfit
    /// So many different keys fit.
    case ambiguous(Int)
}

/// An entry of a JWK set, or a block of PEM, that cannot be used.
public struct SkippedKey: Sendable, Equatable {
    /// Its place in `keys`, or among the blocks, from 0.
    public let index: Int
    public let keyID: String?
    public let reason: UnusableKey

    /// The same place, the same reason, and the same key ID byte for byte.
    public static func == (left: SkippedKey, right: SkippedKey) -> Bool {
        let isSameKeyID =
            switch (left.keyID, right.keyID) {
            case (nil, nil): true
            case (let one?, let other?): one.hasSameBytes(as: other)
            default: false
            }
        return isSameKeyID && left.index == right.index && left.reason == right.reason
    }
}

/// Why a document is of no use as a key set.
public enum KeySetError: Error, Sendable, Equatable {
    /// More than `KeySet.bytesMax` bytes.
    case tooLarge
    case badJSON(JSONError)
    /// A file of PEM with a block that has no end, or is not base64.
    case badPEM
    /// Not an object with an array `keys`.
    case notAKeySet
    /// There are no keys, or none that can be used.
    case noUsableKey(skipped: [SkippedKey])
}
