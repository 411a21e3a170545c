// An audience on its way out: the migration bridge.
//
// Everything is decided by absolute instants and by the token's own `iat`, so that restarts and replicas agree:
//
//   accepted ──► deprecated ──► issued_before: old tokens only ──► expired
//        └─ brownouts: windows in which it is refused, to find who has not moved ─┘
//
// A token's legacy audience is judged anew at each use: a remembered token is refused as soon as its time has come.

internal import Bytes

/// One audience that is still accepted, for a while: `legacy_audience A { … }`.
public struct LegacyAudience: Sendable, Equatable {
    /// Compared with the strings of `aud` byte for byte.
    public var audience: String
    /// How the backend, the log, the metrics and the reports call it.
    public var name: String
    /// When it was or will be deprecated (RFC 9745), in Unix seconds; nil: not said.
    public var deprecatedAt: Int64?
    /// From this second on it is refused; nil: no end is set.
    public var acceptUntil: Int64?
    /// Tokens issued in this second or later are refused; nil: all are taken.
    public var issuedBefore: Int64?
    /// Seconds in which it is refused.
    public var brownouts: [Range<Int64>]
    /// Where developers read what to do.
    public var documentation: String?

    public init(
        audience: String, name: String, deprecatedAt: Int64? = nil, acceptUntil: Int64? = nil,
        issuedBefore: Int64? = nil, brownouts: [Range<Int64>] = [], documentation: String? = nil
    ) {
        self.audience = audience
        self.name = name
        self.deprecatedAt = deprecatedAt
        self.acceptUntil = acceptUntil
        self.issuedBefore = issuedBefore
        self.brownouts = brownouts
        self.documentation = documentation
    }

    /// Where the audience is on its way.
    public enum Phase: Sendable, Equatable {
        case accepted
        case deprecated
        /// Only tokens issued before this second are taken.
        case closedToNewTokens(since: Int64)
        /// Refused within these seconds; afterwards as before.
        case brownout(Range<Int64>)
        case expired(since: Int64)
    }

    /// The phase at `now`, in Unix seconds. The end outranks a brownout, and that the rest.
    public func phase(at now: Int64) -> Phase {
        if let acceptUntil, now >= acceptUntil { return .expired(since: acceptUntil) }
        if let window = brownouts.first(where: { $0.contains(now) }) { return .brownout(window) }
        if let issuedBefore, now >= issuedBefore { return .closedToNewTokens(since: issuedBefore) }
        if let deprecatedAt, now >= deprecatedAt { return .deprecated }
        return .accepted
    }
}

/// A legacy audience as the policy compiled it: what becomes of its tokens, and what their clients are told.
final class LegacyRule: Sendable {
    let policy: LegacyAudience
    /// Its place among the issuer's.
    let index: Int
    /// The lines that responses carry while it is accepted, each with its CRLF: `Deprecation` (RFC 9745 §2), `Sunset`
    /// (RFC 8594 §3) and a `Link` (RFC 9745 §3.1), as far as the policy says.
    let responseLines: [UInt8]
    let nameJSON: [UInt8]
    /// The audiences to move to.
    private let wanted: [String]

    init(_ policy: LegacyAudience, at index: Int, wanted: [String]) {
        self.policy = policy
        self.index = index
        self.wanted = wanted
        nameJSON = LogText.escaped(policy.name)
        let lines = ByteBuffer(capacity: 256)
        if let deprecatedAt = policy.deprecatedAt { lines.append("Deprecation: @\(deprecatedAt)\r\n") }
        if let acceptUntil = policy.acceptUntil {
            lines.append("Sunset: ")
            HTTPDate.append(acceptUntil, to: lines)
            lines.append("\r\n")
        }
        if let documentation = policy.documentation {
            lines.append("Link: <\(documentation)>; rel=\"deprecation\"\r\n")
        }
        responseLines = lines.readable.copied()
    }

    /// Whether the response's field of this name gives way to one of `responseLines`.
    func replaces(_ name: Span<UInt8>) -> Bool {
        policy.deprecatedAt != nil && name.equalsIgnoringCase("deprecation")
            || policy.acceptUntil != nil && name.equalsIgnoringCase("sunset")
    }

    /// Throws the refusal of a token of this audience at `now`, both in Unix seconds, where it is not accepted.
    ///
    /// - Parameter issuedAt: the token's `iat`, rounded down; nil: it has none, and cannot be shown to be an old one.
    func check(issuedAt: Int64?, at now: Int64) throws(Refusal) {
        switch policy.phase(at: now) {
        case .accepted, .deprecated:
            return
        case .closedToNewTokens(let since):
            if let issuedAt, issuedAt < since { return }
            let issued = issuedAt.map { "was issued at \(RFC3339.text($0))" } ?? "has no iat, so that its age cannot be told"
            throw refusal(
                .legacyAudienceExpired,
                "Tokens for the audience \(title) are taken only if they were issued before \(RFC3339.text(since)); "
                    + "this one \(issued).")
        case .brownout(let window):
            throw refusal(
                .legacyAudienceBrownout,
                "The audience \(title) is refused from \(RFC3339.text(window.lowerBound)) to "
                    + "\(RFC3339.text(window.upperBound)), so that whoever still uses it finds out\(end).")
        case .expired(let since):
            throw refusal(
                .legacyAudienceExpired, "The audience \(title) is not accepted any more, since \(RFC3339.text(since)).")
        }
    }

    private var title: String {
        policy.name.hasSameBytes(as: policy.audience)
            ? Quoted.text(policy.audience) : "\(Quoted.text(policy.audience)) (\(Quoted.text(policy.name)))"
    }

    private var end: String {
        policy.acceptUntil.map { " before it ends at \(RFC3339.text($0))" } ?? ""
    }

    private func refusal(_ code: RefusalCode, _ detail: String) -> Refusal {
        let request = Quoted.cut(wanted.first ?? "")
        let reading = policy.documentation.map { " See \(Quoted.cut($0))." } ?? ""
        return Refusal(
            code, detail,
            hint: "This API's audience is \(Quoted.list(wanted)) now. Request an access token with audience=\(request) "
                + "(resource=\(request) at issuers that follow RFC 8707), and send that one.\(reading)",
            expected: Quoted.cut(wanted), got: Quoted.cut([policy.audience]))
    }
}
