public import Bytes
internal import JOSE

/// Who a verified token speaks for, as ready-made bytes. Only a verified token makes one.
public final class Identity {
    static let fieldNames = [
        "X-Auth-Subject", "X-Auth-Issuer", "X-Auth-Audience", "X-Auth-Client", "X-Auth-Scope", "X-Auth-Expires",
        "X-Auth-Status",
    ]
    /// Place of the issuer in the policy.
    public let issuerIndex: Int
    /// Unix seconds from which the token is refused: `exp` with the leeway in it.
    public let expiresAt: Int64
    init(_ claims: consuming VerifiedClaims, issuerIndex: Int, expiresAt: Int64) {
        self.issuerIndex = issuerIndex
        self.expiresAt = expiresAt
    }
    /// Bytes that `appendFields` appends.
    public var fieldBytes: Int { 0 }
    /// Appends the identity's field lines.
    public func appendFields(to out: ByteBuffer) { fatalError() }
    /// The issuer, subject and matched audience for the log: the inside of a JSON string, escaped and bounded, without the quotes.
    public var issuerJSON: Span<UInt8> { @_lifetime(borrow self) get { fatalError() } }
    public var subjectJSON: Span<UInt8> { @_lifetime(borrow self) get { fatalError() } }
    public var audienceJSON: Span<UInt8> { @_lifetime(borrow self) get { fatalError() } }
}
