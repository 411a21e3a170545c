// Callers as numbers: what rates are counted by.

public import Bytes

/// Keyed hashes of who sent a request. The key is the process's own and leaves it no more than they do, so that nobody can
/// choose callers that share a number.
public enum CallerName {
    /// Of a token's subject or client, within its issuer.
    static func of(_ claim: Span<UInt8>, _ key: RateLimit.Key, issuerIndex: Int) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(key)
        hasher.combine(issuerIndex)
        hasher.combine(claim.count)
        var word: UInt64 = 0
        for index in claim.indices {
            word = word &<< 8 | UInt64(claim[index])
            if index & 7 == 7 { hasher.combine(word) }
        }
        hasher.combine(word)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// Of an address; nil is nobody's, as over a socket file.
    public static func of(_ address: IPAddress?) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(RateLimit.Key.address)
        if let address { hasher.combine(address.isIPv4 ? address.bits : address.bits >> 64) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
