// A parsed request head: offsets into the bytes it was parsed from, where 0 is the head's first byte.

public import Bytes

/// The head of a request that has passed every check of RFC 9112: what is here can be framed in one way only.
///
/// A class, as it is handed on a dozen times for each request, and its parser fills it anew for the next one.
public final class RequestHead {
    public internal(set) var method: Method = .other
    /// The method as it was sent: a token (RFC 9110 §5.6.2).
    public internal(set) var methodName: ByteRange = .empty
    /// The whole request-target (RFC 9112 §3.2): origin-form, absolute-form, or `*`.
    public internal(set) var target: ByteRange = .empty
    /// The path with its leading slash, or `*`. Empty only for an absolute-form target that has no path.
    public internal(set) var path: ByteRange = .empty
    /// What follows the first `?`, without it. Nil: there is no `?`.
    public internal(set) var query: ByteRange?
    /// `host[:port]` of the Host field, or of the absolute-form, which agree. Nil: the request names none (an empty
    /// Host, or HTTP/1.0 without one).
    public internal(set) var authority: ByteRange?
    public internal(set) var version: HTTPVersion = .http11
    /// In the order received. The storage is reused for the next head: keep no copy of it across the parser's `reset()`,
    /// or the next head allocates.
    public internal(set) var fields: [Field] = []
    /// The known fields among `fields`.
    public internal(set) var kinds = FieldKindSet()
    public internal(set) var body: BodyFraming = .none
    /// Whether the client lets the connection serve another request (RFC 9112 §9.3).
    public internal(set) var isPersistent = false
    /// Whether the client waits for a 100 before it sends the body (RFC 9110 §10.1.1). False where no body follows
    /// and on HTTP/1.0.
    public internal(set) var expectsContinue = false
    /// Whether there is an Upgrade field that Connection names, on HTTP/1.1 (RFC 9110 §7.8).
    public internal(set) var hasUpgrade = false
    /// Length in bytes of the head: the empty line that ends it, and one that preceded it, included.
    public internal(set) var byteCount = 0

    init() {}

    /// The first field of that kind, or nil.
    @inlinable
    public func first(_ kind: FieldKind) -> Field? { fields.first(kind, in: kinds) }

    /// How many fields are of that kind.
    @inlinable
    public func count(of kind: FieldKind) -> Int { fields.count(of: kind, in: kinds) }

    /// Whether a Connection field names `name`, so that the field of that name ends at this hop (RFC 9110 §7.6.1).
    /// `bytes` are those the head was parsed from.
    public func connectionNominates(_ name: Span<UInt8>, in bytes: Span<UInt8>) -> Bool {
        kinds.contains(.connection) && fields.connectionNominates(name, in: bytes)
    }
}
