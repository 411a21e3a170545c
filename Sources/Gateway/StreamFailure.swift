// Why a connection broke: the socket under it, or TLS on it.

import OpenSSLKit
import Reactor

enum StreamFailure: Equatable {
    case socket(SystemError)
    case tls(TLSFailure)

    /// What happened, in constant words.
    var reason: String {
        switch self {
        case .socket(let error): error.reason
        case .tls(let failure): failure.reason
        }
    }
}
