// Configured endpoints as the kernel's addresses.

public import Configuration
import Glibc
public import Reactor

extension Endpoint {
    /// The kernel's address where no name has to be looked up.
    var address: SocketAddress? {
        switch self {
        case .tcp(let host, let port): SocketAddress(numericHost: host, port: port)
        case .unix(let path): SocketAddress(unixPath: path)
        }
    }

    /// Where a listener is asked from its own machine: one on every address at the loopback one.
    public var fromHere: Endpoint {
        switch self {
        case .tcp("*", let port), .tcp("0.0.0.0", let port), .tcp("::", let port): .tcp(host: "127.0.0.1", port: port)
        default: self
        }
    }

    /// The endpoint with the port that the kernel chose.
    func bound(to address: SocketAddress) -> Endpoint {
        guard case .tcp(let host, _) = self, let port = address.port else { return self }
        return .tcp(host: host, port: port)
    }
}

extension BoundSocket {
    /// Binds and listens where nobody does, so that others can join, such as a successor.
    ///
    /// A port that is shared can be shared with anyone: a second proxy, started by mistake, would take half of the requests
    /// without a word. So it must be free before it is shared, unless this process `joins` knowingly.
    convenience init(endpoint: Endpoint, joins: Bool) throws(SystemError) {
        if case .unix(let path) = endpoint, joins {
            try self.init(replacing: path)
        } else {
            if !joins, case .tcp = endpoint { _ = try BoundSocket(endpoint: endpoint, sharesPort: false) }
            try self.init(endpoint: endpoint, sharesPort: true)
        }
    }

    /// Binds and listens at a configured endpoint.
    public convenience init(endpoint: Endpoint, sharesPort: Bool) throws(SystemError) {
        guard let address = endpoint.address else { throw SystemError("bind", code: EADDRNOTAVAIL) }
        if case .unix(let path) = endpoint {
            try self.init(address, unixPath: path, sharesPort: sharesPort)
        } else {
            try self.init(address, unixPath: nil, sharesPort: sharesPort)
        }
    }
}
