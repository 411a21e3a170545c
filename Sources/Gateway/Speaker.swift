// Who is believed to have sent what a connection brings, before any request says more.

import Admission
import Bytes

/// Whose word a connection brings.
enum Speaker {
    /// Who has connected; nil: over a Unix socket.
    case peer(IPAddress?)
    /// Whom a PROXY header named.
    case client(IPAddress)
    /// A PROXY header named nobody who could be told from others.
    case nobody

    var address: IPAddress? {
        switch self {
        case .peer(let address): address
        case .client(let address): address
        case .nobody: nil
        }
    }

    func isTrusted(by proxies: TrustedProxies) -> Bool {
        switch self {
        case .peer(let address): proxies.contains(peer: address)
        case .client(let address): proxies.contains(address)
        case .nobody: false
        }
    }
}
