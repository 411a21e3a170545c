// What became of connections before their first request.

import OpenSSLKit

/// Why a client got no TLS connection. The raw values are labels.
enum HandshakeFailure: String, CaseIterable {
    /// The client says so: mostly that it does not believe our certificate.
    case alert
    /// It showed a certificate that is not believed.
    case clientCertificate = "client_certificate"
    /// It had to show one, and did not.
    case noClientCertificate = "no_client_certificate"
    /// There is no version, cipher or protocol that both speak.
    case disagreement
    case plainHTTP = "plain_http"
    /// What it sent is not TLS, or breaks its rules.
    case malformed
    /// It went away in the middle.
    case closed
    /// It took longer than `client_header_timeout`.
    case timeout

    init(_ failure: TLSFailure) {
        self =
            switch failure {
            case .truncated, .socket: .closed
            case .plainHTTP: .plainHTTP
            case .certificate: .clientCertificate
            case .noCertificate: .noClientCertificate
            case .disagreement: .disagreement
            case .alert: .alert
            case .handshake: .malformed
            }
    }
}

/// Why a connection to a listener with `proxy_protocol` was closed. The raw values are labels.
enum ProxyHeaderFailure: String, CaseIterable {
    case untrustedProxy = "untrusted_peer"
    case noProxyHeader = "no_header"
}

/// Counts of one worker, or of several. Connections that say nothing, as balancers make them to see whether a port is open,
/// are in none of them.
struct ArrivalCounts: Sendable, Equatable {
    private(set) var handshakes: UInt64 = 0
    /// Those of the above that took up an earlier session.
    private(set) var resumedHandshakes: UInt64 = 0
    private(set) var handshakeFailures: [HandshakeFailure: UInt64] = [:]
    private(set) var proxyHeaderFailures: [ProxyHeaderFailure: UInt64] = [:]

    mutating func countHandshake(resumed: Bool) {
        handshakes &+= 1
        if resumed { resumedHandshakes &+= 1 }
    }

    mutating func count(_ failure: HandshakeFailure) { handshakeFailures[failure, default: 0] &+= 1 }

    mutating func count(_ failure: ProxyHeaderFailure) { proxyHeaderFailures[failure, default: 0] &+= 1 }

    mutating func merge(_ other: ArrivalCounts) {
        handshakes &+= other.handshakes
        resumedHandshakes &+= other.resumedHandshakes
        handshakeFailures.merge(other.handshakeFailures, uniquingKeysWith: &+)
        proxyHeaderFailures.merge(other.proxyHeaderFailures, uniquingKeysWith: &+)
    }
}
