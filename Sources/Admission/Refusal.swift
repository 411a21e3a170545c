// One refused request: the code that is the contract, and the words that help whoever reads them.
//
// Before a token's signature held, a refusal holds constant texts only. After it, `detail`, `expected` and `got`
// may quote claims: always cut and escaped by `Quoted`, never the token itself.

public import HTTPWire

/// Why a request gets no further, and what its sender is told.
public struct Refusal: Sendable, Equatable, Error {
    public var code: RefusalCode
    /// What was wrong with this request, in ASCII without control characters; empty: nothing beyond the title.
    public var detail: String
    /// What to do about it.
    public var hint: String?
    /// What this API would have taken, as it is spelled.
    public var expected: [String]
    /// What the token has instead, cut to a bound but not escaped.
    public var got: [String]
    /// All scopes that are needed where the request went, for the challenge (RFC 6750 §3).
    public var requiredScopes: [String]
    /// Sent as `Retry-After` (RFC 9110 §10.2.3).
    public var retryAfterSeconds: Int64?
    /// The limit that the request is beyond: sent as `RateLimit-Policy` and, with `retryAfterSeconds`, `RateLimit`.
    public var rateLimit: RateLimit?
    /// Sent as `Allow` where the method is what was wrong (RFC 9110 §10.2.1); nil: all that are served anywhere.
    public var allow: String?
    /// Which issuer's policy refused the token, for the metric; nil where none was chosen.
    public var issuerIndex: Int?

    public init(
        _ code: RefusalCode, _ detail: String = "", hint: String? = nil, expected: [String] = [], got: [String] = [],
        requiredScopes: [String] = [], retryAfterSeconds: Int64? = nil, issuerIndex: Int? = nil
    ) {
        self.code = code
        self.detail = detail
        self.hint = hint
        self.expected = expected
        self.got = got
        self.requiredScopes = requiredScopes
        self.retryAfterSeconds = retryAfterSeconds
        self.issuerIndex = issuerIndex
    }

    /// The refusal of a head that is not valid HTTP, or asks for what is not done here. The connection closes after it.
    public init(_ error: RequestError) {
        let code: RefusalCode =
            switch error.kind {
            case .badRequest: .badRequest
            case .headerTooLarge: .headerTooLarge
            case .uriTooLong: .uriTooLong
            case .unsupportedVersion: .unsupportedVersion
            case .methodNotAllowed: .methodNotAllowed
            case .expectationFailed: .expectationFailed
            case .notImplemented: .notImplemented
            }
        self.init(code, error.detail)
    }

    /// The refusal of a chunked body that cannot be read in one way only. The connection closes after it.
    public init(_ error: ChunkError) {
        self.init(.badRequest, error.detail)
    }

    /// A request in clear came to a listener that speaks TLS. The connection closes after it.
    public static let clearOverTLS = Refusal(
        .badRequest, "A plain HTTP request was sent to a port that speaks TLS.", hint: "Use https:// in the URL.")

    /// The body is longer than `client_max_body_size`.
    public static func bodyTooLarge(bytesMax: UInt64) -> Refusal {
        Refusal(.bodyTooLarge, "The request body is longer than \(bytesMax) bytes.")
    }

    /// The head for the backend, with what tells it of the token, is longer than `proxy_header_max_size`.
    ///
    /// - Parameter addedBytes: what the proxy itself adds to the client's fields, or takes from them where negative.
    static func upstreamHeadTooLarge(bytes: Int, bytesMax: Int, addedBytes: Int) -> Refusal {
        Refusal(
            .headerTooLarge,
            "The head for the backend would have \(bytes) bytes, \(max(0, addedBytes)) of them added here; "
                + "\(bytesMax) is the most that it may have.",
            hint: "Send fewer or shorter header fields, cookies above all, or get a token with fewer claims. The "
                + "operator can raise proxy_header_max_size, if the backend takes more.")
    }

    /// The proxy has no backend, and the request is for none of the places where it answers by itself.
    public static let notFound = Refusal(
        .notFound, "This proxy forwards nothing: it only tells other proxies what to think of a token.",
        hint: "The operator named no upstream. Ask one of the verify locations.")

    /// The head or the body came too slowly.
    public static let requestTimeout = Refusal(
        .requestTimeout, "The request was not complete before its time was over.")

    /// No connection to the backend, or it closed before a byte of the response.
    public static let upstreamUnreachable = Refusal(
        .upstreamUnreachable, "No connection to the backend could be made, or it closed before it answered.",
        hint: "The request was fine as far as it was looked at: see whether the backend is up.")

    /// The backend did not accept a connection in time.
    public static let upstreamConnectTimeout = Refusal(
        .upstreamTimeout, "No connection to the backend was made in time.",
        hint: "The request was fine as far as it was looked at: see whether the backend is up, and reachable.")

    /// The backend took the request and fell silent.
    public static let upstreamTimeout = Refusal(
        .upstreamTimeout, "The backend took the request, but sent nothing for too long.",
        hint: "The request was fine as far as it was looked at: see what keeps the backend busy.")

    /// The backend sent what is no HTTP response, or one whose end cannot be found in one way only.
    public static let upstreamInvalidResponse = Refusal(
        .upstreamInvalidResponse, "The backend sent something that is not an HTTP/1.1 response.",
        hint: "The proxy's error log says what was wrong with it.")

    /// The same refusal without what a stranger should not learn.
    func terse() -> Refusal {
        Refusal(code, retryAfterSeconds: retryAfterSeconds, issuerIndex: issuerIndex)
    }
}
