// Where requests go: servers that answer alike, and how requests are spread over them.

public import OpenSSLKit

/// The backend.
public struct UpstreamPolicy: Sendable, Equatable {
    /// The most servers there may be: a set of them is one machine word.
    public static let serversMax = 64

    /// One server of the backend. A name may stand for several addresses.
    public struct Server: Sendable, Equatable {
        public var endpoint: Endpoint
        /// Its share of the requests, compared with that of the others: 1…1000.
        public var weight: Int
        /// Who it has to prove to be, where it speaks TLS; nil: it is spoken to in clear.
        public var tls: TLSPeer?

        public init(_ endpoint: Endpoint, weight: Int = 1, tls: TLSPeer? = nil) {
            self.endpoint = endpoint
            self.weight = weight
            self.tls = tls
        }

        /// Whether what is known of one holds for the other: they are at one address, and have to prove to be the same.
        public func isSamePlace(as other: Server) -> Bool { endpoint == other.endpoint && tls == other.tls }

        /// What a Host field says of it (RFC 9110 §7.2): no port where it is the scheme's own.
        public var authority: String {
            switch endpoint {
            case .tcp(_, tls == nil ? 80 : 443): String(endpoint.description.dropLast(tls == nil ? 3 : 4))
            case .tcp: endpoint.description
            case .unix: "localhost"
            }
        }
    }

    /// How the next server is chosen among those that are up, by each worker for itself.
    public enum Balance: String, Sendable, CaseIterable {
        /// In turn, as often as their weights say.
        case roundRobin = "round_robin"
        /// The one with the fewest requests under way for its weight; in turn where several have.
        case leastConnections = "least_connections"
    }

    /// A request that is sent to each server again and again, to learn whether it is up.
    public struct HealthCheck: Sendable, Equatable {
        /// Origin-form: a path that starts with a slash, and perhaps a query.
        public var target: String
        public var intervalMilliseconds: Int64
        /// Checks in a row that must pass before a server that was down counts as up.
        public var rise: Int
        /// Checks in a row that must fail before a server that was up counts as down.
        public var fall: Int

        public init(target: String, intervalMilliseconds: Int64 = 5_000, rise: Int = 2, fall: Int = 3) {
            self.target = target
            self.intervalMilliseconds = intervalMilliseconds
            self.rise = rise
            self.fall = fall
        }
    }

    /// At least one and at most `serversMax`, each endpoint once.
    public var servers: [Server]
    public var balance: Balance
    /// Idle connections kept open per worker, over all servers.
    public var keepalive: Int
    /// nil: only requests show whether a server is up.
    public var healthCheck: HealthCheck?
    /// How often names are looked up anew, in milliseconds.
    public var resolveMilliseconds: Int64

    public init(
        servers: [Server], balance: Balance = .roundRobin, keepalive: Int = 256, healthCheck: HealthCheck? = nil,
        resolveMilliseconds: Int64 = 10_000
    ) {
        self.servers = servers
        self.balance = balance
        self.keepalive = keepalive
        self.healthCheck = healthCheck
        self.resolveMilliseconds = resolveMilliseconds
    }
}

extension UpstreamPolicy: CustomStringConvertible {
    /// Its servers, as an operator would write them.
    public var description: String { servers.map(\.endpoint.description).joined(separator: ", ") }
}
