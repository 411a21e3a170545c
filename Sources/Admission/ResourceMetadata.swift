// Protected resource metadata (RFC 9728): where a client that was refused learns whose tokens this API takes.
//
// The document says what every refusal may say.

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

/// The metadata of a policy's resource.
public struct ResourceMetadata: Sendable {
    private static let wellKnown = "/.well-known/oauth-protected-resource"

    /// Where it is, for `WWW-Authenticate` (RFC 9728 §5.1).
    let location: String
    public let document: PublicDocument

    /// Nil where the policy names no resource.
    public init?(_ policy: AdmissionPolicy) {
        guard let resource = policy.resource else { return nil }
        // The well-known part goes in front of the resource's path (RFC 9728 §3.1). At the place without that path those
        // look who know nothing but the host.
        let path = resource.url.path == "/" ? Self.wellKnown : Self.wellKnown + resource.url.path
        location = resource.url.origin + path
        document = PublicDocument(
            at: [path, Self.wellKnown], contentType: "application/json", maxAgeSeconds: 3600
        ) { json in
            json.beginObject()
            json.member("resource", resource.identifier)
            // The identifier of an authorization server is a URL (RFC 8414 §2): nobody finds the metadata of others.
            let servers = policy.issuers.map(\.identifier).filter { (try? HTTPURL(parsing: $0)) != nil }
            if !servers.isEmpty { json.member("authorization_servers", servers) }
            var scopes: [String] = []
            for scope in policy.rules.flatMap(\.requirements.scopes)
            where !scopes.contains(where: { $0.hasSameBytes(as: scope) }) {
                scopes.append(scope)
            }
            if !scopes.isEmpty { json.member("scopes_supported", scopes) }
            json.member("bearer_methods_supported", policy.tokenSources.compactMap(\.bearerMethod))
            json.endObject()
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
