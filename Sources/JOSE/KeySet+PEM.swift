// Key files: a JWK set, or keys in PEM.

internal import OpenSSLKit

extension KeySet {
    /// Reads a file: the blocks of `PUBLIC KEY`, `RSA PUBLIC KEY` and `CERTIFICATE` where it is PEM, else a JWK set. What
    /// is fetched is a JWK set always (`init(parsing:)`).
    ///
    /// PEM has no place for a key ID, so that a token's counts for nothing there, and exactly one key has to fit. As in a
    /// JWK set, a block that cannot be used is skipped alone; a block without an end refuses the whole file.
    public convenience init(parsingFile bytes: Span<UInt8>) throws(KeySetError) {
        if bytes.count > Self.bytesMax { throw .tooLarge }
        guard Self.isPEM(bytes) else {
            try self.init(parsing: bytes)
            return
        }
        guard let blocks = try? PEMBlock.blocks(in: bytes, countMax: Self.entriesMax), !blocks.isEmpty else {
            throw .badPEM
        }
        var keys: [Key] = []
        var skipped: [SkippedKey] = []
        for (index, block) in blocks.enumerated() {
            do throws(UnusableKey) {
                if keys.count == Self.keysMax { throw .tooManyKeys }
                keys.append(try Key(block))
            } catch {
                skipped.append(SkippedKey(index: index, keyID: nil, reason: error))
            }
        }
        if keys.isEmpty { throw .noUsableKey(skipped: skipped) }
        self.init(keys, skipped: skipped)
    }

    /// No JSON text begins like a PEM file, which may have explanations in front (RFC 7468 §5.2).
    private static func isPEM(_ bytes: Span<UInt8>) -> Bool {
        var place = 0
        while place < bytes.count, bytes[place] <= 0x20 { place += 1 }
        if place < bytes.count, bytes[place] == UInt8(ascii: "{") || bytes[place] == UInt8(ascii: "[") { return false }
        while let dash = bytes.firstIndex(of: UInt8(ascii: "-"), from: place) {
            if bytes.extracting(dash...).extracting(first: 11).equals("-----BEGIN ") { return true }
            place = dash + 1
        }
        return false
    }
}

extension Key {
    fileprivate convenience init(_ block: PEMBlock) throws(UnusableKey) {
        switch block {
        case .publicKey(let members): try self.init(members)
        case .unsupportedCurve: throw .unsupportedCurve
        case .privateKey: throw .privateKey
        case .unsupported: throw .unsupportedKeyType
        case .malformed: throw .badBlock
        }
    }
}
