// ID token or access token? No claim says so for certain, so the verdict comes with its evidence.

internal import Bytes
internal import JOSE

/// What a token whose signature held was made for, as far as can be told.
enum TokenKind: Equatable {
    /// For the client that logged somebody in (OpenID Connect Core §2). `client` is whose it is.
    case idToken(client: String?, evidence: [String])
    /// For an API (RFC 9068, or a dialect of it).
    case accessToken(evidence: [String])
    case unclear

    /// Weighs what the token holds. `type` is its `typ` header, `audiences` its `aud`.
    init(_ claims: JSONValue, type: String?, audiences: [String]) {
        var forID = Case()
        var forAccess = Case()

        for name in ["nonce", "at_hash", "c_hash"] where claims[named: name] != nil {
            // OpenID Connect Core §2 and §3.3.2.11 define these for ID tokens alone.
            forID.add("it has \(name)", weight: 2)
        }
        if claims["auth_time"] != nil { forID.add("it has auth_time", weight: 1) }
        let client = ["azp", "client_id"].lazy.compactMap { claims[$0]?.string }.first
        if let client, audiences.count == 1, audiences[0].hasSameBytes(as: client) {
            forID.add("its aud is its own client, as azp says", weight: 2)
        }
        // Cognito and Keycloak say it outright.
        switch claims["token_use"]?.string ?? claims["typ"]?.string {
        case "id", "ID": forID.add("it calls itself an ID token", weight: 3)
        case "access", "Bearer": forAccess.add("it calls itself an access token", weight: 3)
        default: break
        }
        if let type, TokenTypeRule.normalised(type) == TokenTypeRule.normalised("at+jwt") {
            // RFC 9068 §2.1 gives this type to access tokens alone.
            forAccess.add("its typ is at+jwt", weight: 100)
        }
        if claims["scope"] != nil || claims["scp"] != nil {
            forAccess.add("it has a scope", weight: 3)
        } else if let profile = Self.profileClaims.first(where: { claims[named: $0] != nil }) {
            forID.add("it has \(profile) but no scope", weight: 2)
        }
        if audiences.contains(where: Self.isUserInfo) {
            forAccess.add("its aud holds the issuer's userinfo endpoint", weight: 3)
        }

        if forID.weight >= 2, forID.weight > forAccess.weight {
            self = .idToken(client: client ?? (audiences.count == 1 ? audiences[0] : nil), evidence: forID.evidence)
        } else if forAccess.weight >= 2, forAccess.weight > forID.weight {
            self = .accessToken(evidence: forAccess.evidence)
        } else {
            self = .unclear
        }
    }

    /// An access token that carries this audience can ask the issuer who the user is.
    static func isUserInfo(_ audience: String) -> Bool { audience.hasSuffix("/userinfo") }

    /// Claims of OpenID Connect Core §5.1, which describe a person to a client.
    private static let profileClaims = [
        "email", "email_verified", "name", "given_name", "family_name", "nickname", "preferred_username", "picture",
    ]

    private struct Case {
        var weight = 0
        var evidence: [String] = []

        mutating func add(_ reason: String, weight: Int) {
            self.weight += weight
            evidence.append(reason)
        }
    }
}
