// Protected resource metadata (RFC 9728): where a client that was refused learns whose tokens this API takes.
//
// The document says what every refusal may say, so it needs no token, and pages of other origins may read it.

public import Bytes
public import HTTPWire
internal import JOSE

/// This API as a protected resource.
public struct ProtectedResource: Sendable, Equatable {
    /// As the operator wrote it: clients compare it with what they asked for (RFC 9728 §3.3).
    public var identifier: String
    /// The same, read: https or a loopback address, and no query.
    public var url: HTTPURL

    public init(identifier: String, url: HTTPURL) {
        self.identifier = identifier
        self.url = url
    }
}

/// The metadata document of a policy's resource, ready to be sent.
public struct ResourceMetadata: Sendable {
    private static let wellKnown = "/.well-known/oauth-protected-resource"

    /// Where it is, for `WWW-Authenticate` (RFC 9728 §5.1).
    let location: String
    private let paths: [[UInt8]]
    private let document: [UInt8]

    /// Nil where the policy names no resource.
    public init?(_ policy: AdmissionPolicy) {
        guard let resource = policy.resource else { return nil }
        // The well-known part goes in front of the resource's path (RFC 9728 §3.1). At the place without that path those
        // look who know nothing but the host.
        let path = resource.url.path == "/" ? Self.wellKnown : Self.wellKnown + resource.url.path
        location = resource.url.origin + path
        paths = [path, Self.wellKnown].map { Array($0.utf8) }

        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        json.beginObject()
        json.member("resource", resource.identifier)
        // The identifier of an authorization server is a URL (RFC 8414 §2): nobody finds the metadata of others.
        let servers = policy.issuers.map(\.identifier).filter { (try? HTTPURL(parsing: $0)) != nil }
        if !servers.isEmpty { json.member("authorization_servers", servers) }
        var scopes: [String] = []
        for scope in policy.rules.flatMap(\.requirements.scopes) where !scopes.contains(where: { $0.hasSameBytes(as: scope) }) {
            scopes.append(scope)
        }
        if !scopes.isEmpty { json.member("scopes_supported", scopes) }
        json.member("bearer_methods_supported", policy.tokenSources.compactMap(\.bearerMethod))
        json.endObject()
        buffer.append(ASCII.lf)
        document = buffer.readable.copied()
    }

    /// What a request gets here.
    public enum Answer: Sendable {
        case document
        /// For a page that wants to send header fields along with its GET (Fetch §4.8).
        case preflight
    }

    /// What a request for the document gets; nil: it is for something else, or wants to do something else with it, and
    /// goes the way of every request. `bytes` are those that `head` was parsed from.
    public func answer(to head: borrowing RequestHead, in bytes: Span<UInt8>) -> Answer? {
        let path = bytes.slice(head.path)
        var isHere = false
        for index in paths.indices {
            let known = paths[index]
            isHere = isHere || path.equals(known.span)
        }
        guard isHere else { return nil }
        switch head.method {
        case .get, .head: return .document
        case .options where head.kinds.contains(.origin) && head.kinds.contains(.accessControlRequestMethod):
            return .preflight
        default: return nil
        }
    }
}

extension ResourceMetadata.Answer {
    public var status: Int {
        switch self {
        case .document: 200
        case .preflight: 204
        }
    }
}

extension ResourceMetadata {
    /// Appends the whole response, and returns how many bytes of it are the body.
    ///
    /// - Parameters:
    ///   - requestID: goes into `X-Request-Id`: visible ASCII of our own making.
    ///   - omitBody: the request was a HEAD.
    ///   - close: the connection closes after this response.
    @discardableResult
    public func writeResponse(
        _ answer: Answer, into out: ByteBuffer, at now: Instant, requestID: Span<UInt8>, omitBody: Bool, close: Bool
    ) -> UInt64 {
        out.appendStatusLine(answer.status, reason: answer == .document ? "OK" : "No Content")
        out.append("Date: ")
        HTTPDate.append(now.unixSeconds, to: out)
        out.append("\r\nAccess-Control-Allow-Origin: *\r\n")
        out.appendFieldLine("X-Request-Id", requestID)
        if close { out.append("Connection: close\r\n") }
        switch answer {
        case .preflight:
            out.append("Access-Control-Allow-Methods: GET, HEAD\r\nAccess-Control-Allow-Headers: *\r\n")
            out.append("Access-Control-Max-Age: 86400\r\n\r\n")
            return 0
        case .document:
            out.append("Cache-Control: public, max-age=3600\r\nContent-Type: application/json\r\nContent-Length: ")
            out.appendDecimal(UInt64(document.count))
            out.append("\r\n\r\n")
            if omitBody { return 0 }
            let document = document
            out.append(document.span)
            return UInt64(document.count)
        }
    }
}

extension TokenSource {
    /// Its name in the metadata, which has names for the methods of RFC 6750 alone.
    fileprivate var bearerMethod: String? {
        switch self {
        case .authorization: "header"
        case .query: "query"
        case .header, .cookie, .webSocketProtocol: nil
        }
    }
}
