// Who a request comes from, as the bytes that the backend and the access log get.
//
// An identity is made of verified claims and of nothing else. One array holds the field lines of the identity's own;
// what all tokens for an audience share stands once in `AudienceFields`.

public import Bytes
internal import HTTPWire
internal import JOSE

/// Whom a verified token speaks for. Immutable.
public final class Identity: Sendable {
    /// The names of the fields that `appendFields` writes, which no client may send.
    static let fieldNames = [
        "X-Auth-Status", "X-Auth-Issuer", "X-Auth-Audience", "X-Auth-Subject", "X-Auth-Client", "X-Auth-Scope",
        "X-Auth-Expires", "X-Auth-Legacy-Audience",
    ]

    /// Bytes of the lines that one token's claims may fill: as much as common backends take for one field.
    public static let ownLinesBytesMax = 8 * 1024
    /// With a minted token among them.
    static let mintingLinesBytesMax = ownLinesBytesMax + MintedToken.lineBytesMax

    private let shared: AudienceFields
    /// How much of the shared lines the backend gets: all, or, where a forward policy says what else, only the first.
    private let sharedBytes: Int
    /// The token's own field lines, behind them the subject for the log where that differs from the field's value, and last
    /// whose it is.
    private let storage: [UInt8]
    private let lines: ByteRange
    private let subject: ByteRange
    /// The thumbprint of the certificate that it is bound to; empty: it is bound to none.
    private let holder: ByteRange
    let validity: TokenValidity
    let keyThumbprint: KeyThumbprint
    /// The Unix seconds in which its lines may be sent. A minted token among them goes stale before the client's ends.
    private let freshness: Range<Int64>?
    // nil where the token does not tell.
    private let subjectName: UInt64?
    private let clientName: UInt64?

    /// Throws the refusal of a claim that cannot be told to the backend.
    ///
    /// - Parameter mint: makes a token for the backend, which goes with the lines; nil: it gets none of ours.
    init(
        _ verified: consuming VerifiedClaims, validity: TokenValidity, shared: AudienceFields, forward: ForwardPolicy?,
        mint: Mint?, at now: Instant
    ) throws(Refusal) {
        var fields = OwnFields()
        try fields.append(verified.claims, forward)
        let holder = try CertificateThumbprint.bound(to: verified.claims)?.bytes ?? []
        guard fields.lines.count <= Self.ownLinesBytesMax else {
            throw Refusal(
                .malformedClaim, "The claims that go to the backend fill more than \(Self.ownLinesBytesMax) bytes.",
                hint: "They travel in header fields. Have the issuer make its claims shorter, or the operator forward fewer.")
        }

        if let mint {
            let minted = try mint.token(for: verified.claims, validity, at: now.unixSeconds)
            fields.lines += minted.line
            freshness = minted.freshness
        } else {
            freshness = nil
        }

        // Of exactly the size it needs: it may be kept for as long as the token is good.
        var storage: [UInt8] = []
        storage.reserveCapacity(fields.lines.count + fields.escapedSubject.count + holder.count)
        storage += fields.lines
        storage += fields.escapedSubject
        storage += holder
        self.storage = storage
        lines = ByteRange(offset: 0, count: fields.lines.count)
        subject =
            fields.escapedSubject.isEmpty
            ? ByteRange(fields.plainSubject)
            : ByteRange(offset: lines.upperBound, count: fields.escapedSubject.count)
        self.holder = ByteRange(offset: storage.count - holder.count, count: holder.count)
        let (claims, issuer) = (verified.claims, shared.issuerIndex)
        subjectName = claims["sub"]?.withText { CallerName.of($0, .subject, issuerIndex: issuer) }
        clientName =
            claims["azp"]?.withText { CallerName.of($0, .client, issuerIndex: issuer) }
            ?? claims["client_id"]?.withText { CallerName.of($0, .client, issuerIndex: issuer) }
        keyThumbprint = verified.keyThumbprint
        self.validity = validity
        self.shared = shared
        sharedBytes = forward == nil ? shared.lines.count : shared.verdictBytes
    }

    /// Place of the issuer in the policy.
    public var issuerIndex: Int { shared.issuerIndex }

    /// Unix seconds from which on the token is refused: `exp` with the leeway in it.
    public var expiresAt: Int64 { validity.expiresAt }

    /// Whether its lines may be sent at `now`, in Unix seconds. Where not, the token has to be judged anew.
    func isFresh(at now: Int64) -> Bool { freshness?.contains(now) ?? true }

    /// What a limit by this key counts the caller by; nil: the token does not tell, and the address has to do.
    public func callerName(by key: RateLimit.Key) -> UInt64? {
        switch key {
        case .subject: subjectName ?? clientName
        case .client: clientName ?? subjectName
        case .address: nil
        }
    }

    /// How many bytes `appendFields` appends.
    public var fieldBytes: Int { sharedBytes + Int(lines.count) }

    /// Appends the identity's field lines, each with its CRLF: `X-Auth-Status: verified`, what the claims said, and the
    /// `Authorization` that was minted.
    public func appendFields(to out: ByteBuffer) {
        let shared = shared.lines
        out.append(shared.span.extracting(first: sharedBytes))
        let storage = storage
        out.append(storage.span.slice(lines))
    }

    // A span over storage that this object holds and never changes lives as long as a borrow of the object; the
    // compiler does not derive that through a class's stored property, so the three below say it.

    /// The `iss` for the log: the inside of a JSON string, escaped and cut to a bound, without its quotes.
    public var issuerJSON: Span<UInt8> {
        @_lifetime(borrow self) get {
            let bytes = shared.issuerJSON
            return unsafe _overrideLifetime(bytes.span, borrowing: self)
        }
    }

    /// The `sub` likewise; empty where the token has none.
    public var subjectJSON: Span<UInt8> {
        @_lifetime(borrow self) get {
            let bytes = storage
            return unsafe _overrideLifetime(bytes.span.slice(subject), borrowing: self)
        }
    }

    /// The audience that matched, likewise.
    public var audienceJSON: Span<UInt8> {
        @_lifetime(borrow self) get {
            let bytes = shared.audienceJSON
            return unsafe _overrideLifetime(bytes.span, borrowing: self)
        }
    }

    /// The name of the legacy audience that matched, likewise; empty where the token has a new one.
    public var legacyNameJSON: Span<UInt8> {
        @_lifetime(borrow self) get {
            let bytes = shared.legacy?.nameJSON ?? []
            return unsafe _overrideLifetime(bytes.span, borrowing: self)
        }
    }

    /// The token's `iat` in Unix seconds, rounded down; nil: it has none.
    public var issuedAt: Int64? { validity.issuedAt }

    /// Place of the legacy audience that matched among its issuer's; nil where the token has a new one.
    public var legacyIndex: Int? { shared.legacy?.index }

    /// The rule of the legacy audience that matched; nil where the token has a new one.
    var legacy: LegacyRule? { shared.legacy }

    /// Throws where the audience that matched is a legacy one that is not accepted at `now`, in Unix seconds.
    func checkLegacyAudience(at now: Int64) throws(Refusal) {
        try shared.legacy?.check(issuedAt: validity.issuedAt, at: now)
    }

    /// Throws where the token is bound to another certificate than the one it comes with, or comes without one.
    func checkHolder(_ certificate: CertificateThumbprint?) throws(Refusal) {
        if holder.isEmpty { return }
        guard let certificate else {
            throw Refusal(
                .certificateMismatch, "The token is bound to a client certificate, and this connection has shown none.",
                hint: "Send it over a TLS connection that is made with the certificate it was issued to (RFC 8705).")
        }
        let storage = storage
        if storage.span.slice(holder).equals(certificate.bytes.span) { return }
        throw Refusal(
            .certificateMismatch, "The token is bound to another client certificate than that of this connection.",
            hint: "Send it with the certificate that it was issued to (RFC 8705), or get a new one with this certificate.")
    }

    /// Bytes held besides the object itself.
    var storageBytes: Int { storage.count }
}

/// The field lines that all tokens of one issuer and audience have in common.
final class AudienceFields: Sendable {
    let issuerIndex: Int
    let lines: [UInt8]
    /// How many bytes those of `lines` take that speak of the verdict, which come first; the others tell claims.
    let verdictBytes: Int
    let issuerJSON: [UInt8]
    let audienceJSON: [UInt8]
    let legacy: LegacyRule?

    init(issuerIndex: Int, issuer: String, audience: String, legacy: LegacyRule?) {
        var lines = Array("X-Auth-Status: verified\r\n".utf8)
        if let legacy {
            lines += "X-Auth-Legacy-Audience: ".utf8
            FieldValue.append(legacy.policy.name, to: &lines)
            lines += "\r\n".utf8
        }
        verdictBytes = lines.count
        lines += "X-Auth-Issuer: ".utf8
        FieldValue.append(issuer, to: &lines)
        lines += "\r\nX-Auth-Audience: ".utf8
        FieldValue.append(audience, to: &lines)
        lines += "\r\n".utf8
        self.legacy = legacy
        self.issuerIndex = issuerIndex
        self.lines = lines
        issuerJSON = LogText.escaped(issuer)
        audienceJSON = LogText.escaped(audience)
    }
}

/// What one token's claims come to.
private struct OwnFields {
    var lines: [UInt8] = []
    /// Where in `lines` the subject stands, if its spelling there is also that of a JSON string.
    var plainSubject = 0..<0
    var escapedSubject: [UInt8] = []

    mutating func append(_ claims: JSONValue, _ forward: ForwardPolicy?) throws(Refusal) {
        lines.reserveCapacity(Self.usualBytes)
        let subject = try ClaimText.string("sub", in: claims)
        if let forward {
            if let subject { escapedSubject = LogText.escaped(subject.string ?? "") }
            for field in forward.fields { field.appendLine(of: claims, to: &lines) }
        } else {
            try appendUsual(claims, subject: subject)
        }
    }

    private mutating func appendUsual(_ claims: JSONValue, subject: JSONValue?) throws(Refusal) {
        if let subject {
            let value = append("X-Auth-Subject: ", subject)
            if LogText.isPlain(subject) { plainSubject = value } else { escapedSubject = LogText.escaped(subject.string ?? "") }
        }
        let authorizedParty = try ClaimText.string("azp", in: claims)
        let clientID = try ClaimText.string("client_id", in: claims)
        if let client = authorizedParty ?? clientID { _ = append("X-Auth-Client: ", client) }
        if let scope = try Scope(claims).claim { Self.scopeField.appendLine(of: scope, to: &lines) }
        _ = claims["exp"]?.withNumberText { digits in
            lines.append(copying: "X-Auth-Expires: ")
            lines.append(copying: digits)
            lines.append(copying: "\r\n")
        }
    }

    /// Appends the line of a string, and returns where its value stands.
    private mutating func append(_ name: StaticString, _ string: JSONValue) -> Range<Int> {
        lines.append(copying: name)
        let start = lines.count
        _ = string.withText { FieldValue.append($0, to: &lines) }
        let end = lines.count
        lines.append(copying: "\r\n")
        return start..<end
    }

    /// `scope` or `scp` alone, whose names stand with spaces between.
    private static let scopeField = ForwardedClaim(ClaimPath([]), "X-Auth-Scope", join: ASCII.space)

    /// Room for what most tokens come to.
    private static let usualBytes = 384
}

/// Text for the access log: the inside of a JSON string.
enum LogText {
    /// Whether `text` is spelled alike in a field value and inside a JSON string, and short enough for a log line.
    static func isPlain(_ string: JSONValue) -> Bool {
        string.withText { text in
            guard text.count <= Quoted.bytesMax else { return false }
            for index in text.indices {
                let byte = text[index]
                guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%"), byte != UInt8(ascii: "\""),
                    byte != UInt8(ascii: "\\")
                else { return false }
            }
            return true
        } ?? false
    }

    static func escaped(_ text: String) -> [UInt8] {
        let cut = Quoted.cut(text)
        let buffer = ByteBuffer(capacity: cut.utf8.count + 2)
        var writer = JSONWriter(into: buffer, asciiOnly: true)
        writer.string(cut)
        return buffer.readable.extracting(1..<buffer.count - 1).copied()
    }
}
