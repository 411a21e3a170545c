// When a token is good: `exp`, `nbf`, `iat` (RFC 7519 §4.1.4–6), and the longest lifetime that is accepted.
//
// A NumericDate may be a fraction. The clock has whole seconds, so fractions are rounded against the token: `exp`
// down, `nbf` and `iat` up.

internal import JOSE

/// What an issuer's policy says of times.
struct TimeRules: Sendable {
    /// Within bounds that keep sums from overflowing, whatever the configuration says.
    let leewaySeconds: Int64
    let maxLifetimeSeconds: Int64?

    init(_ policy: IssuerPolicy) {
        leewaySeconds = min(max(policy.leewaySeconds, 0), TokenValidity.numericDateMax)
        maxLifetimeSeconds = policy.maxLifetimeSeconds
    }
}

/// The seconds in which a token is accepted, with the leeway in them: `notBefore <= now < expiresAt`.
struct TokenValidity: Sendable, Equatable {
    var notBefore: Int64
    var expiresAt: Int64
    /// `exp`, rounded down and without leeway.
    var expiry: Int64
    /// `iat`, rounded down and without leeway; nil: the token has none.
    var issuedAt: Int64?

    func contains(_ unixSeconds: Int64) -> Bool {
        notBefore <= unixSeconds && unixSeconds < expiresAt
    }

    /// Beyond 2^53 a double, which is what most JSON libraries make of a number, no longer holds every second.
    static let numericDateMax: Int64 = 1 << 53

    /// Checks the time claims at `now`, in the order exp, nbf, iat.
    ///
    /// - Parameter isMinted: a token is made that stands for this one, and ends with it. Then no leeway prolongs it: what
    ///   the backend would get had expired.
    init(of claims: JSONValue, under rules: TimeRules, isMinted: Bool, at now: Int64) throws(Refusal) {
        let leeway = rules.leewaySeconds
        guard let expiry = try Self.date("exp", in: claims) else {
            throw Refusal(
                .missingClaim, "The token has no exp claim: it would never expire.",
                hint: "Have the issuer set an expiry: this API accepts no token without one.")
        }
        self.expiry = expiry.floor
        expiresAt = isMinted ? expiry.floor - MintPolicy.secondsLeftMin + 1 : expiry.floor + leeway
        guard now < expiresAt else {
            throw isMinted && now < expiry.floor
                ? Self.tooShortToMint : Self.expired(expiry.floor, leeway: isMinted ? 0 : leeway, at: now)
        }

        notBefore = .min
        if let start = try Self.date("nbf", in: claims) {
            notBefore = start.ceiling - leeway
            guard notBefore <= now else {
                throw Self.early(.tokenNotYetValid, "nbf", start.ceiling, leeway: leeway, at: now)
            }
        }
        let issued = try Self.date("iat", in: claims)
        if let issued {
            issuedAt = issued.floor
            notBefore = max(notBefore, issued.ceiling - leeway)
            guard issued.ceiling - leeway <= now else {
                throw Self.early(.tokenIssuedInFuture, "iat", issued.ceiling, leeway: leeway, at: now)
            }
        }
        if let lifetimeMax = rules.maxLifetimeSeconds {
            try Self.checkLifetime(from: issued, to: expiry, max: lifetimeMax)
        }
    }

    private struct NumericDate {
        var floor: Int64
        var ceiling: Int64
    }

    private static func date(_ name: StaticString, in claims: JSONValue) throws(Refusal) -> NumericDate? {
        guard let value = claims[name] else { return nil }
        guard let number = value.number else {
            throw ClaimText.malformed(name, value, wanted: "a number of seconds")
        }
        let date: NumericDate? =
            switch number {
            case .integer(let seconds): NumericDate(floor: seconds, ceiling: seconds)
            case .fraction(let floor) where floor < numericDateMax: NumericDate(floor: floor, ceiling: floor + 1)
            case .fraction, .outOfRange: nil
            }
        guard let date, date.floor >= 0, date.ceiling <= numericDateMax else {
            throw Refusal(
                .malformedClaim, "The claim \(name) is not a time: it is negative or beyond 2^53 seconds.",
                hint: "Times are seconds since 1970, not milliseconds.")
        }
        return date
    }

    private static func checkLifetime(
        from issued: NumericDate?, to expiry: NumericDate, max lifetimeMax: Int64
    ) throws(Refusal) {
        guard let issued else {
            throw Refusal(
                .missingClaim, "The token has no iat claim, so that its lifetime cannot be told.",
                hint: "This API bounds how long a token may live (\(lifetimeMax) s), and needs iat for that.")
        }
        // Both ends rounded outwards: a fraction never makes a lifetime look shorter.
        let lifetime = expiry.ceiling - issued.floor
        guard lifetime <= lifetimeMax else {
            throw Refusal(
                .tokenLifetimeTooLong,
                "From iat to exp the token lives \(lifetime) s: \(lifetime - lifetimeMax) s longer than the "
                    + "\(lifetimeMax) s that this API accepts.",
                hint: "Shorten the access token lifetime at the issuer.")
        }
    }

    private static func expired(_ expiry: Int64, leeway: Int64, at now: Int64) -> Refusal {
        Refusal(
            .tokenExpired, "The token's exp was \(now - expiry) s ago; \(leeway) s of clock skew are allowed.",
            hint: "Get a new token: with the refresh token, or by logging in again.")
    }

    private static let tooShortToMint = Refusal(
        .tokenExpired,
        "The token's exp is less than \(MintPolicy.secondsLeftMin) s away: too little for the token that the backend would get "
            + "in its place.",
        hint: "Get a new token: with the refresh token, or by logging in again.")

    private static func early(
        _ code: RefusalCode, _ claim: String, _ start: Int64, leeway: Int64, at now: Int64
    ) -> Refusal {
        Refusal(
            code, "The token's \(claim) is \(start - now) s in the future; \(leeway) s of clock skew are allowed.",
            hint: "The issuer's clock and this proxy's disagree: see that both are synchronised.")
    }
}
