/// Why a request head is refused. After any of these the connection closes: where the next request would start is
/// unknown.
public struct RequestError: Error, Sendable, Equatable {
    /// The refusal's status code, by name.
    public enum Kind: Sendable, Equatable {
        /// 400: breaks the grammar, or could be read in two ways.
        case badRequest
        /// 431: the head has more bytes or fields than allowed (RFC 6585 §5).
        case headerTooLarge
        /// 414: the request-target is longer than allowed.
        case uriTooLong
        /// 505: HTTP, but neither 1.0 nor 1.1.
        case unsupportedVersion
        /// 405: CONNECT or TRACE, which a reverse proxy has no use for.
        case methodNotAllowed
        /// 417: an expectation other than 100-continue (RFC 9110 §10.1.1).
        case expectationFailed
        /// 501: a transfer coding that exists, but is not taken here (RFC 9112 §6.1).
        case notImplemented
    }

    public var kind: Kind
    /// What was wrong, for the response and the log: a constant text that holds nothing the client sent.
    public var detail: String

    public init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}
