// Where an operator lets tokens come from (RFC 6750 §2, and what browsers and gateways do besides).

internal import Bytes
internal import HTTPWire

/// A place that a request's token is taken from.
public enum TokenSource: Sendable, Hashable {
    /// The field Authorization, of the scheme Bearer (RFC 6750 §2.1).
    case authorization
    /// A field of that name, with the token alone or behind the word Bearer.
    case header(String)
    case cookie(String)
    /// A parameter of the query (RFC 6750 §2.3).
    case query(String)
    /// `Sec-WebSocket-Protocol: bearer, TOKEN`: all that a browser's WebSocket lets a page say.
    case webSocketProtocol

    /// The field of that name, for `Authorization` with its scheme; nil: no field's name, or that of one which has a
    /// meaning of its own.
    public init?(header name: String) {
        let bytes = Array(name.utf8)
        guard !bytes.isEmpty, bytes.allSatisfy(ASCII.isToken), !HeaderHygiene.fold(name).isEmpty else { return nil }
        switch FieldKind(name: bytes.span) {
        case .authorization: self = .authorization
        case .other: self = .header(name)
        default: return nil
        }
    }
}
