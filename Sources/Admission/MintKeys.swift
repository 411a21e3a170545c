// Where a backend finds the keys of the tokens that are minted for it: a JWK set (RFC 7517 §5) of their public halves.

internal import JOSE

extension PublicDocument {
    /// How long a backend may use the set that it has: a new key has to be in it for as long before it signs.
    static let mintKeysMaxAgeSeconds: UInt64 = 300

    /// The set of the policy's minting keys; nil where it mints nothing.
    public static func mintKeys(_ policy: AdmissionPolicy) -> PublicDocument? {
        guard let mint = policy.mint else { return nil }
        return PublicDocument(
            at: [MintPolicy.keySetPath], contentType: "application/jwk-set+json", maxAgeSeconds: mintKeysMaxAgeSeconds
        ) { TokenSigner.writeKeySet(of: mint.keys, to: &$0) }
    }
}

extension MintPolicy {
    /// Where the set is, on every listener and host.
    public static let keySetPath = "/.well-known/antechamber/jwks.json"
}
