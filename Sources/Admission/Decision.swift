/// What becomes of a request.
public enum Decision {
    /// Its token was verified.
    case admit(Identity)
    case refuse(Refusal)
    /// Ask again once the issuer's keys have changed. `keyID` is the unknown one that wants a forced refresh; nil:
    /// the first fetch is still under way.
    case awaitKeys(issuerIndex: Int, keyID: String?)
}
