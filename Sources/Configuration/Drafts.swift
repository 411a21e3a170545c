// A configuration in the making: what has been said, with the defaults for what has not, and where it was said, for
// the checks that only the whole can answer (Validation.swift).

import Admission
import JOSE
import OpenSSLKit

struct MainDraft: Draft {
    static let context = Context.main
    static let listenersMax = 64
    static let issuersMax = 256
    static let locationsMax = 4096
    /// Each is looked for in each request.
    static let tokenSourcesMax = 16
    /// Each is looked at for each address of a chain.
    static let trustedRangesMax = 256
    var seen: [String: Origin] = [:]

    var listeners: [ListenerDraft] = []
    var trustedProxies = TrustedProxies()
    var upstream: UpstreamDraft?
    var locations: [LocationDraft] = []
    var enforcement = Enforcement.on
    var preflights = PreflightRule.forward
    var issuers: [IssuerDraft] = []
    /// As listed; empty: Authorization.
    var tokenSources: [TokenSource] = []
    var mint: MintDraft?
    var rateLimits: [RateLimitDraft] = []
    var resource: (value: ProtectedResource, word: Word)?
    var reservedHeaderPrefixes = ["X-Auth-"]
    var errorDetail = ErrorDetail.full
    var tokenCacheEntries: Int64 = 65_536
    var workers = WorkerCount.auto
    var accessLog = AccessLog()
    var errorLog = ErrorLog()
    var limits = Limits()
    var timeouts = Timeouts()
    var upgradeProtocols = ["websocket"]
    var websocketExpiryGraceMilliseconds: Int64 = 60_000
    var gzip = GzipPolicy()
    var stateDirectory: Word?
    var admin: (endpoint: Endpoint, word: Word)?
    var adminHosts: [String] = []
    /// The rules of the main level.
    var rules = AccessRules()

    static func action(of effect: Directive.Effect) -> Directive.Action<MainDraft>? {
        if case .main(let action) = effect { action } else { nil }
    }
}

struct UpstreamDraft: Draft {
    static let context = Context.upstream
    var seen: [String: Origin] = [:]

    /// In the order written, the URL of `upstream` itself first.
    var servers: [ServerDraft] = []
    /// A server was written, if perhaps not one that could be read.
    var namesServer = false
    var balance = UpstreamPolicy.Balance.roundRobin
    var keepalive: Int64 = 256
    var healthCheck: UpstreamPolicy.HealthCheck?
    var resolveMilliseconds: Int64 = 10_000
    var authorities: Word?
    /// The name that `https` servers have to have; nil: each its own host.
    var serverName: TLSServerName?
    var verifiesServers = true

    static func action(of effect: Directive.Effect) -> Directive.Action<UpstreamDraft>? {
        if case .upstream(let action) = effect { action } else { nil }
    }
}

struct ServerDraft {
    var endpoint: Endpoint
    var weight: Int
    /// What an `https` URL says of it; nil: it is spoken to in clear.
    var tlsName: TLSServerName?
    var word: Word
}

struct IssuerDraft: Draft {
    static let context = Context.issuer
    static let audiencesMax = 1024
    /// For `jwks_ca`: every authority of a system fits in.
    static let authoritiesBytesMax = 4 << 20
    var seen: [String: Origin] = [:]

    var identifier: Word
    var audiences: [Word] = []
    var legacyAudiences: [LegacyAudienceDraft] = []
    /// As listed; empty: those that go with where the keys come from.
    var algorithms: [(algorithm: SignatureAlgorithm, word: Word)] = []
    var tokenTypes: [TokenType] = [.named("at+jwt"), .named("JWT"), .absent]
    var leewayMilliseconds: Int64 = 30_000
    var maxLifetimeMilliseconds: Int64?
    var requirements = Requirements()
    var keyURL: (word: Word, url: HTTPURL)?
    var keyFile: Word?
    var secretFile: Word?
    var certificateAuthorityFile: Word?
    var refreshMilliseconds: Int64 = 600_000
    var maxStaleMilliseconds: Int64 = 86_400_000
    var cooldownMilliseconds: Int64 = 30_000
    var timeoutMilliseconds: Int64 = 5_000

    init(identifier: Word) {
        self.identifier = identifier
    }

    static func action(of effect: Directive.Effect) -> Directive.Action<IssuerDraft>? {
        if case .issuer(let action) = effect { action } else { nil }
    }
}
