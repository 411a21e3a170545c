// What the operator decided for the requests of one location, or for those that lie in none.

/// Who may send which requests there, apart from what their tokens have to be like.
public struct RoutePolicy: Sendable, Equatable {
    /// Nobody is asked for a token.
    public var isPublic: Bool
    /// The methods that are served, as requests spell them; nil: every one. GET brings HEAD along.
    public var methods: [String]?
    public var enforcement: Enforcement
    public var preflights: PreflightRule
    /// Which of the `AdmissionPolicy`'s rules tokens are judged by.
    public var rulesIndex: Int
    /// How many requests one caller may send: all of them hold.
    public var rateLimits: [RateLimit]

    public init(
        isPublic: Bool = false, methods: [String]? = nil, enforcement: Enforcement = .on,
        preflights: PreflightRule = .forward, rulesIndex: Int = 0, rateLimits: [RateLimit] = []
    ) {
        self.isPublic = isPublic
        self.methods = methods
        self.enforcement = enforcement
        self.preflights = preflights
        self.rulesIndex = rulesIndex
        self.rateLimits = rateLimits
    }

    /// Whether nothing is asked of a request, so that no rule is evaded by one that is taken for another.
    public var asksForNothing: Bool { isPublic && methods == nil }
}

/// Whether a request is refused for its token, or only said to be one that would be.
public enum Enforcement: String, Sendable, CaseIterable {
    case on
    case reportOnly = "report_only"
}

/// What becomes of a CORS preflight, which carries no token by design (Fetch §4.8).
public enum PreflightRule: String, Sendable, CaseIterable {
    case forward
    case requireToken = "require_token"
}
