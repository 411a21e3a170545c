// Refusals from before a signature held: constant words, so that they can tell nothing of the token or the policy.

/// What is said to the bearer of a token that nobody has vouched for yet.
enum Unverified {
    static let noIssuer = Refusal(
        .unknownIssuer, "The token names no issuer (iss).",
        hint: "Send a token from the issuer that this API is configured for.")

    static let issuer = Refusal(
        .unknownIssuer, "The token's issuer (iss) is not one that this API trusts.",
        hint: "Compare the token's iss with the API's configuration: they have to be the same to the byte.")

    static let issuerBySlash = Refusal(
        .unknownIssuer, "The token's issuer (iss) differs from a trusted one only by a trailing slash.",
        hint: "Issuers are compared byte for byte: write it in this API's configuration as the token has it.")

    static let algorithm = Refusal(
        .algorithmNotAllowed, "The token's alg is not one that this API accepts from its issuer.",
        hint: "Have the issuer sign with an algorithm that this API is configured for, such as RS256.")

    static let unknownKey = Refusal(
        .unknownKey, "The issuer's key set has no key with the token's kid.",
        hint: "The token may come from another tenant or environment, or be signed with a key that was withdrawn.")

    static let unfitKey = Refusal(
        .unknownKey, "The key that the token's kid names is not one for the token's alg.",
        hint: "See that the issuer publishes the key for this algorithm, and for signatures.")

    static let noFittingKey = Refusal(
        .unknownKey, "The token has no kid, and no key of its issuer fits its alg.",
        hint: "See which algorithm the issuer signs with, and that it publishes the key for it.")

    static let ambiguousKey = Refusal(
        .ambiguousKey, "More than one key of the issuer fits the token.",
        hint: "Have the issuer put a kid into its tokens, a different one for each key.")

    static let signature = Refusal(
        .badSignature, "The token's signature does not hold for the issuer's key.",
        hint: "The token was changed after it was signed, or signed by somebody else.")

    /// Never the caller's fault, so never a 401.
    static func noKeys(retryAfterSeconds: Int64) -> Refusal {
        Refusal(
            .keysUnavailable, "There are no keys of the token's issuer to verify it with.",
            hint: "The token may well be good: try again later.", retryAfterSeconds: retryAfterSeconds)
    }
}
