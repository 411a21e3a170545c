// Where an issuer that names no keys of its own in the configuration says they are: OpenID Connect Discovery
// 1.0 §4 and, where that gives nothing, RFC 8414 §3.
//
// The metadata is believed for what it says of one issuer only: its `issuer` must be the configured one byte
// for byte (the mix-up that OpenID Connect Discovery §4.3 and RFC 8414 §3.3 guard against), and the keys must
// come over TLS, but for an issuer that is on this machine itself.

internal import Bytes
public import JOSE

/// Where an issuer publishes its metadata, and what of that is believed.
public enum Discovery {
    /// The bound on a metadata document, in bytes.
    public static let bytesMax = 256 * 1024

    /// The two places where an issuer's metadata may be.
    public struct Locations: Sendable, Equatable {
        public var openIDConnect: HTTPURL
        public var oauth: HTTPURL
    }

    /// Where `issuer`'s metadata is looked for. Throws where nothing found there could be believed.
    public static func locations(ofIssuer issuer: String) throws(DiscoveryError) -> Locations {
        let url: HTTPURL
        do throws(HTTPURLError) { url = try HTTPURL(parsing: issuer) } catch { throw .issuerNotAURL(error) }
        if url.query != nil { throw .issuerHasQuery }
        guard url.isPotentiallyTrustworthy else { throw .issuerInClear }
        let path = url.path.hasSuffix("/") ? String(url.path.dropLast()) : url.path
        return Locations(
            openIDConnect: url.withPath(path + "/.well-known/openid-configuration"),
            oauth: url.withPath("/.well-known/oauth-authorization-server" + path))
    }

    /// The `jwks_uri` of a metadata document that is `issuer`'s own.
    public static func keysURL(inMetadata bytes: [UInt8], ofIssuer issuer: String) throws(DiscoveryError) -> HTTPURL {
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(parsing: bytes) } catch { throw .notJSON(error) }
        guard document.root.kind == .object else { throw .notAnObject }
        guard let named = document.root["issuer"]?.string else { throw .missingIssuer }
        // Swift's == would hold canonically equivalent texts for equal: bytes decide.
        guard named.hasSameBytes(as: issuer) else { throw .otherIssuer(named) }
        guard let text = document.root["jwks_uri"]?.string else { throw .missingKeysURL }
        let url: HTTPURL
        do throws(HTTPURLError) { url = try HTTPURL(parsing: text) } catch { throw .badKeysURL(error) }
        if url.scheme == .http {
            guard url.host.isLoopback, let own = try? HTTPURL(parsing: issuer), own.scheme == .http, own.host.isLoopback
            else { throw .keysInClear(url) }
        }
        return url
    }
}

/// Why an issuer's metadata leads to no keys.
public enum DiscoveryError: Error, Sendable, Equatable {
    case issuerNotAURL(HTTPURLError)
    case issuerHasQuery
    /// Whoever sits on the way could name keys of their own.
    case issuerInClear
    case notJSON(JSONError)
    case notAnObject
    case missingIssuer
    case otherIssuer(String)
    case missingKeysURL
    case badKeysURL(HTTPURLError)
    case keysInClear(HTTPURL)

    /// A sentence for a log, without its full stop.
    public var reason: String {
        switch self {
        case .issuerNotAURL(let error):
            "the issuer \(error.reason), so it has no metadata: name its jwks_uri or jwks_file"
        case .issuerHasQuery:
            "the issuer has a query, so it has no metadata: name its jwks_uri or jwks_file"
        case .issuerInClear:
            "the issuer is not https, so its metadata could be anyone's: name its jwks_uri or jwks_file"
        case .notJSON: "the metadata is not JSON"
        case .notAnObject: "the metadata is no JSON object"
        case .missingIssuer: "the metadata names no issuer"
        case .otherIssuer(let named):
            "the metadata is of another issuer, \"\(named.forLog)\": `issuer` in the configuration has to be that, "
                + "byte for byte, if that is the one"
        case .missingKeysURL: "the metadata has no jwks_uri"
        case .badKeysURL(let error): "the jwks_uri of the metadata \(error.reason)"
        case .keysInClear(let url): "the jwks_uri of the metadata is not https: \(url)"
        }
    }
}
