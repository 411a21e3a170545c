// Where a proxy's admin pages are asked for, from outside.

import Admission
public import Configuration
import CurlKit
import Reactor

/// A URL under which the pages lie, or a socket file.
public struct AdminAddress: Sendable, CustomStringConvertible {
    private enum Place: Hashable {
        /// Without a slash at its end.
        case url(String, isLoopback: Bool)
        case socket(path: String)
    }

    private let place: Place
    /// As it was written.
    public let description: String

    /// Reads `http://host:port`, `https://…`, either with a path in front of those of the pages (as `kubectl proxy` and
    /// gateways have it), or `unix:/path`.
    public init(parsing text: String) throws(AdminAddressError) {
        description = text
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard path.hasPrefix("/"), SocketAddress(unixPath: path) != nil else {
                throw AdminAddressError(reason: "needs the whole path of a socket file, of at most 107 bytes")
            }
            place = .socket(path: path)
            return
        }
        let url: HTTPURL
        do throws(HTTPURLError) {
            url = try HTTPURL(parsing: text)
        } catch {
            let completed = "http://\(text)"
            let isMeant = error == .noScheme && !text.contains("/") && (try? HTTPURL(parsing: completed)) != nil
            throw AdminAddressError(reason: error.reason + (isMeant ? "; did you mean '\(completed)'?" : ""))
        }
        if url.query != nil { throw AdminAddressError(reason: "has a query") }
        let base = url.description
        place = .url(base.hasSuffix("/") ? String(base.dropLast()) : base, isLoopback: url.host.isLoopback)
    }

    /// Where the admin pages of a proxy that listens at `endpoint` for them are, asked from its own machine.
    public init(_ endpoint: Endpoint) throws(AdminAddressError) {
        switch endpoint.fromHere {
        case .unix: try self.init(parsing: endpoint.description)
        case let endpoint: try self.init(parsing: "http://\(endpoint)")
        }
    }

    /// Whether both lead to the same place, as far as the spelling tells.
    public func isSame(as other: AdminAddress) -> Bool { place == other.place }

    /// A GET of one of the pages, such as `/migration`.
    func request(for page: String, timeoutMilliseconds: Int, bodyBytesMax: Int) -> CurlRequest {
        let (base, socketPath, isLocal) =
            switch place {
            case .url(let base, let isLoopback): (base, String?.none, isLoopback)
            case .socket(let path): ("http://localhost", path, true)
            }
        return CurlRequest(
            url: base + page, timeoutMilliseconds: timeoutMilliseconds, connectTimeoutMilliseconds: timeoutMilliseconds,
            bodyBytesMax: bodyBytesMax, accept: "application/json, text/plain", responseFields: ["content-type"],
            mayUseProxy: !isLocal, unixSocketPath: socketPath)
    }
}

/// Why a text is no address of admin pages.
public struct AdminAddressError: Error, Sendable, Equatable {
    /// Completes "it …".
    public let reason: String
}
