// What the operator decided: immutable values, built by the configuration, read by every worker.

public import JOSE

/// Who is admitted, and what is said to those who are not.
public struct AdmissionPolicy: Sendable, Equatable {
    /// Trusted issuers, told apart by the token's `iss`. Their order gives each its index.
    public var issuers: [IssuerPolicy]
    /// What is asked in each place on top of that. Their order gives each its index; 0, which is always there, is the
    /// main level's. Places whose rules are equal do well to share one: what is remembered for one serves the other.
    public var rules: [AccessRules]
    /// Where a request's one token may be; never empty.
    public var tokenSources: [TokenSource]
    /// How tokens for the backend are made; not nil where any of the rules says that they are.
    public var mint: MintPolicy?
    /// What this API calls itself; nil: it publishes no metadata.
    public var resource: ProtectedResource?
    /// Prefixes of header names that a client may never send through, as the operator spelled them.
    public var reservedHeaderPrefixes: [String]
    /// The `realm` of `WWW-Authenticate` (RFC 9110 §11.5).
    public var realm: String
    public var errorDetail: ErrorDetail
    /// Verified tokens remembered per worker; 0 remembers none.
    public var tokenCacheEntries: Int

    /// The most legacy audiences of all issuers together: what is known of the use of each goes into one answer of the
    /// admin pages, which has to stay of a size that can be read (`MigrationReport.answerBytesMax`).
    public static let legacyAudiencesMax = 64

    public init(
        issuers: [IssuerPolicy],
        rules: [AccessRules] = [AccessRules()],
        tokenSources: [TokenSource] = [.authorization],
        mint: MintPolicy? = nil,
        resource: ProtectedResource? = nil,
        reservedHeaderPrefixes: [String] = ["X-Auth-"],
        realm: String = "antechamber",
        errorDetail: ErrorDetail = .full,
        tokenCacheEntries: Int = 65_536
    ) {
        self.issuers = issuers
        self.tokenSources = tokenSources
        self.mint = mint
        self.resource = resource
        self.rules = rules
        self.reservedHeaderPrefixes = reservedHeaderPrefixes
        self.realm = realm
        self.errorDetail = errorDetail
        self.tokenCacheEntries = tokenCacheEntries
    }
}

/// Whether a refusal tells the caller what was wrong with a token whose signature held.
public enum ErrorDetail: String, Sendable, CaseIterable {
    case full
    case terse
}

/// The rules for the tokens of one issuer.
public struct IssuerPolicy: Sendable, Equatable {
    /// Compared with `iss` byte for byte (RFC 7519 §4.1.1).
    public var identifier: String
    /// Any one of them in `aud` suffices. Never empty: an empty list would admit every audience.
    public var audiences: [String]
    /// Audiences that are still accepted, for a while; none of them is one of `audiences`.
    public var legacyAudiences: [LegacyAudience]
    public var algorithms: Set<SignatureAlgorithm>
    public var tokenTypes: [TokenType]
    /// Clock skew allowed for `exp`, `nbf` and `iat`, in seconds.
    public var leewaySeconds: Int64
    /// The longest `exp` − `iat` accepted, in seconds; nil sets no bound.
    public var maxLifetimeSeconds: Int64?
    /// What its tokens must hold in every place.
    public var requirements: Requirements
    public var keys: KeyPolicy

    public init(
        identifier: String,
        audiences: [String],
        legacyAudiences: [LegacyAudience] = [],
        algorithms: Set<SignatureAlgorithm> = Set(SignatureAlgorithm.asymmetric),
        tokenTypes: [TokenType] = [.named("at+jwt"), .named("JWT"), .absent],
        leewaySeconds: Int64 = 30,
        maxLifetimeSeconds: Int64? = nil,
        requirements: Requirements = Requirements(),
        keys: KeyPolicy = KeyPolicy()
    ) {
        self.identifier = identifier
        self.audiences = audiences
        self.legacyAudiences = legacyAudiences
        self.algorithms = algorithms
        self.tokenTypes = tokenTypes
        self.leewaySeconds = leewaySeconds
        self.maxLifetimeSeconds = maxLifetimeSeconds
        self.requirements = requirements
        self.keys = keys
    }
}

/// An accepted `typ` header (RFC 7515 §4.1.9); compared without case and without an `application/` prefix.
public enum TokenType: Sendable, Hashable {
    case absent
    case named(String)
}

/// Where an issuer's keys come from, and how long they are good.
public struct KeyPolicy: Sendable, Equatable {
    public var source: KeySource
    /// A JWK set or keys in PEM on disk: the only source, or the pinned last resort behind `source`.
    public var file: String?
    /// How often keys are fetched anew, in seconds; what the response's `max-age` says is clamped to 60 s … 24 h.
    public var refreshSeconds: Int64
    /// How long keys serve on after the last good fetch, in seconds.
    public var maxStaleSeconds: Int64
    /// The least time between two refreshes forced by unknown key IDs, in seconds.
    public var cooldownSeconds: Int64
    /// The bound on one fetch, from connect to last byte, in milliseconds.
    public var timeoutMilliseconds: Int64
    /// PEM file of the authorities that may vouch for the key server; nil: the system's.
    public var certificateAuthorityFile: String?

    public init(
        source: KeySource = .discovery,
        file: String? = nil,
        refreshSeconds: Int64 = 600,
        maxStaleSeconds: Int64 = 86_400,
        cooldownSeconds: Int64 = 30,
        timeoutMilliseconds: Int64 = 5_000,
        certificateAuthorityFile: String? = nil
    ) {
        self.source = source
        self.file = file
        self.refreshSeconds = refreshSeconds
        self.maxStaleSeconds = maxStaleSeconds
        self.cooldownSeconds = cooldownSeconds
        self.timeoutMilliseconds = timeoutMilliseconds
        self.certificateAuthorityFile = certificateAuthorityFile
    }
}

extension KeyPolicy {
    /// Whether keys that came by one are those that come by the other.
    public func hasSameSource(as other: KeyPolicy) -> Bool { source == other.source && file == other.file }
}

/// Where keys are fetched from.
public enum KeySource: Sendable, Equatable {
    /// The `jwks_uri` that the issuer's own metadata names: OpenID Connect Discovery, then RFC 8414.
    case discovery
    /// This URL.
    case uri(String)
    /// Nowhere: the key file is all there is.
    case fileOnly
    /// A file with a secret that the issuer shares: no public key counts, and only HMAC algorithms have a key.
    case secretFile(String)

    /// Whether what comes is somebody's answer, and worth storing; what is on disk is there already.
    public var isFetched: Bool {
        switch self {
        case .discovery, .uri: true
        case .fileOnly, .secretFile: false
        }
    }
}
