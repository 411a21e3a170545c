// The whole configuration as one immutable, validated value: what the text, the flags and the environment
// come to. Whoever holds one needs no further checks.

public import Admission
public import OpenSSLKit

/// Everything that `antechamber run` was told.
public struct ProxyConfiguration: Sendable, Equatable {
    public var listeners: [ListenerPolicy]
    /// Whose X-Forwarded-* and PROXY header are believed.
    public var trustedProxies: TrustedProxies
    /// nil: every location is a verify one, and nothing is ever forwarded.
    public var upstream: UpstreamPolicy?
    /// What holds for requests that lie in no location.
    public var route: RoutePolicy
    /// Each path and kind once, in the order written.
    public var locations: [LocationPolicy]
    public var admission: AdmissionPolicy
    public var workers: WorkerCount
    public var accessLog: AccessLog
    public var errorLog: ErrorLog
    public var limits: Limits
    public var timeouts: Timeouts
    public var tunnels: TunnelPolicy
    public var gzip: GzipPolicy
    /// Where what is worth keeping survives a restart; nil: nowhere.
    public var stateDirectory: String?
    /// Where health, metrics and status are served; nil: nowhere.
    public var admin: Endpoint?
    /// Names by which it may be asked for there, beside those that only this machine and its network have. In lower case.
    public var adminHosts: [String] = []

    public init(
        listeners: [ListenerPolicy] = [ListenerPolicy(endpoint: .tcp(host: "127.0.0.1", port: 8080))],
        trustedProxies: TrustedProxies = TrustedProxies(),
        upstream: UpstreamPolicy?,
        route: RoutePolicy = RoutePolicy(),
        locations: [LocationPolicy] = [],
        admission: AdmissionPolicy,
        workers: WorkerCount = .auto,
        accessLog: AccessLog = AccessLog(),
        errorLog: ErrorLog = ErrorLog(),
        limits: Limits = Limits(),
        timeouts: Timeouts = Timeouts(),
        tunnels: TunnelPolicy = TunnelPolicy(),
        gzip: GzipPolicy = GzipPolicy()
    ) {
        self.listeners = listeners
        self.trustedProxies = trustedProxies
        self.upstream = upstream
        self.route = route
        self.locations = locations
        self.admission = admission
        self.workers = workers
        self.accessLog = accessLog
        self.errorLog = errorLog
        self.limits = limits
        self.timeouts = timeouts
        self.tunnels = tunnels
        self.gzip = gzip
    }
}

extension ProxyConfiguration {
    /// Every backend there is, each once: the one of what lies in no location first.
    public var upstreams: [UpstreamPolicy] {
        ([upstream] + locations.map(\.upstream)).compactMap(\.self).reduce(into: []) { all, one in
            if !all.contains(one) { all.append(one) }
        }
    }
}

extension ProxyConfiguration {
    /// Every limit there is, each at the place that it says.
    public var rateLimits: [RateLimit] {
        let all = (route.rateLimits + locations.flatMap(\.route.rateLimits)).sorted { $0.index < $1.index }
        return all.reduce(into: []) { limits, limit in
            if limits.last != limit { limits.append(limit) }
        }
    }
}

/// What holds for requests of one location: all of it, with what it inherits.
public struct LocationPolicy: Sendable, Equatable {
    public var path: LocationPath
    public var route: RoutePolicy
    /// nil: the same backend as for what lies in no location.
    public var upstream: UpstreamPolicy?
    /// Requests are judged and go to no backend: whoever sends them learns the verdict.
    public var isVerify: Bool
    public var readTimeoutMilliseconds: Int64
    /// The request body in bytes; 0 sets no bound.
    public var bodyBytesMax: UInt64

    public init(
        path: LocationPath, route: RoutePolicy, upstream: UpstreamPolicy? = nil, isVerify: Bool = false,
        readTimeoutMilliseconds: Int64 = 60_000, bodyBytesMax: UInt64 = 0
    ) {
        self.path = path
        self.route = route
        self.upstream = upstream
        self.isVerify = isVerify
        self.readTimeoutMilliseconds = readTimeoutMilliseconds
        self.bodyBytesMax = bodyBytesMax
    }
}

/// A place to listen at or to connect to.
public enum Endpoint: Sendable, Hashable {
    /// `host` is an IPv4 or IPv6 literal (without brackets), `*` for every address, or, for an upstream, a name.
    case tcp(host: String, port: UInt16)
    case unix(path: String)
}

extension Endpoint: CustomStringConvertible {
    /// As an operator would write it: `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/app.sock`.
    public var description: String {
        switch self {
        case .tcp(let host, let port): (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// Where clients connect, and how.
public struct ListenerPolicy: Sendable, Equatable {
    public var endpoint: Endpoint
    /// Each connection begins with a PROXY header, and none that does not is served.
    public var takesProxyHeader: Bool
    /// What clients find who have to speak TLS here; nil: they speak in clear. Two are equal that show and ask for the
    /// same, whichever files it came from.
    public var tls: TLSServerContext?

    public init(endpoint: Endpoint, takesProxyHeader: Bool = false, tls: TLSServerContext? = nil) {
        self.endpoint = endpoint
        self.takesProxyHeader = takesProxyHeader
        self.tls = tls
    }
}

public enum WorkerCount: Sendable, Equatable {
    /// As many as the CPUs this process may use, the cgroup's quota counted.
    case auto
    case fixed(Int)
}

/// Where the line a request leaves goes to, and its form.
public struct AccessLog: Sendable, Equatable {
    public enum Destination: Sendable, Equatable {
        case off
        case standardOutput
        case file(String)
    }

    public enum Format: String, Sendable, CaseIterable {
        /// An object a line, with all that is known.
        case json
        /// What Apache and nginx write, for programs that read that.
        case combined
    }

    public var destination: Destination
    public var format: Format

    public init(destination: Destination = .standardOutput, format: Format = .json) {
        self.destination = destination
        self.format = format
    }
}

public struct ErrorLog: Sendable, Equatable {
    public enum Destination: Sendable, Equatable {
        case standardError
        case file(String)
    }

    public enum Level: String, Sendable, CaseIterable, Comparable {
        case debug, info, notice, warn, error

        public static func < (left: Level, right: Level) -> Bool {
            let order = Level.allCases
            return order.firstIndex(of: left)! < order.firstIndex(of: right)!
        }
    }

    public var destination: Destination
    public var level: Level

    public init(destination: Destination = .standardError, level: Level = .info) {
        self.destination = destination
        self.level = level
    }
}

/// Bounds on what a client may make the proxy hold, or send on.
public struct Limits: Sendable, Equatable {
    /// Request line and header section together, in bytes.
    public var headerBytes: Int
    /// The same of what the backend gets, with the fields that are set for it: Node takes 16 KiB by default.
    public var upstreamHeaderBytes: Int
    /// The request body in bytes; 0 sets no bound.
    public var bodyBytes: UInt64
    /// Client connections at once, over all workers; 0 sets no bound.
    public var connections: Int

    public init(
        headerBytes: Int = 32 * 1024, upstreamHeaderBytes: Int = 16 * 1024, bodyBytes: UInt64 = 0, connections: Int = 0
    ) {
        self.headerBytes = headerBytes
        self.upstreamHeaderBytes = upstreamHeaderBytes
        self.bodyBytes = bodyBytes
        self.connections = connections
    }
}

/// Connections that stop speaking HTTP (RFC 9110 §7.8).
public struct TunnelPolicy: Sendable, Equatable {
    /// What a request may switch to; empty: nothing.
    public var protocols: [String]
    /// How long a tunnel outlives the token that opened it, in seconds.
    public var expiryGraceSeconds: Int64

    public init(protocols: [String] = ["websocket"], expiryGraceSeconds: Int64 = 60) {
        self.protocols = protocols
        self.expiryGraceSeconds = expiryGraceSeconds
    }
}

/// How long each step may take, in milliseconds.
public struct Timeouts: Sendable, Equatable {
    public var clientHeader: Int64
    public var clientBody: Int64
    public var keepalive: Int64
    public var proxyConnect: Int64
    public var proxySend: Int64
    public var proxyRead: Int64
    public var shutdown: Int64

    public init(
        clientHeader: Int64 = 10_000,
        clientBody: Int64 = 60_000,
        keepalive: Int64 = 75_000,
        proxyConnect: Int64 = 5_000,
        proxySend: Int64 = 60_000,
        proxyRead: Int64 = 60_000,
        shutdown: Int64 = 30_000
    ) {
        self.clientHeader = clientHeader
        self.clientBody = clientBody
        self.keepalive = keepalive
        self.proxyConnect = proxyConnect
        self.proxySend = proxySend
        self.proxyRead = proxyRead
        self.shutdown = shutdown
    }
}
