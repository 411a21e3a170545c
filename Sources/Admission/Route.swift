// What is asked of a request on its route, and on what ground it is forwarded.
//
// Nothing goes upstream without an `Admittance`, and there are two: a verified token's identity, or a waiver. Only this
// file makes waivers, so that a request without a verified token is forwarded here, by a rule of its route, or nowhere.

internal import Bytes
public import HTTPWire

/// Why a request may be forwarded.
public enum Admittance: Sendable {
    /// Its token was verified.
    case verified(Identity)
    /// Its route does without.
    case waived(Waiver)

    /// Nil: nobody knows whom the request speaks for.
    public var identity: Identity? {
        if case .verified(let identity) = self { identity } else { nil }
    }

    /// How many bytes `appendFields` appends.
    var fieldBytes: Int {
        switch self {
        case .verified(let identity): identity.fieldBytes
        case .waived(let waiver): waiver.fieldBytes
        }
    }

    /// Appends the fields that tell the backend of it, each with its CRLF.
    func appendFields(to out: ByteBuffer) {
        switch self {
        case .verified(let identity): identity.appendFields(to: out)
        case .waived(let waiver): waiver.appendFields(to: out)
        }
    }
}

/// A route's word that a request is forwarded without a verified token.
public struct Waiver: Sendable {
    public enum Ground: Sendable, Equatable {
        /// No token was asked for, and none was looked at.
        case anonymous
        /// This is what it would have been refused for.
        case reportOnly(RefusalCode)
    }

    public let ground: Ground

    fileprivate init(_ ground: Ground) {
        self.ground = ground
    }

    private static let anonymousLine: StaticString = "X-Auth-Status: anonymous\r\n"
    private static let reportStart: StaticString = "X-Auth-Status: report_only; reason="

    var fieldBytes: Int {
        switch ground {
        case .anonymous: Self.anonymousLine.utf8CodeUnitCount
        case .reportOnly(let code): Self.reportStart.utf8CodeUnitCount + code.rawValue.utf8.count + 2
        }
    }

    func appendFields(to out: ByteBuffer) {
        switch ground {
        case .anonymous:
            out.append(Self.anonymousLine)
        case .reportOnly(let code):
            out.append(Self.reportStart)
            out.append(code.rawValue)
            out.append("\r\n")
        }
    }
}

/// What becomes of a request on its route.
public enum Verdict {
    case forward(Admittance)
    case refuse(Refusal)
    /// As `Decision.awaitKeys`.
    case awaitKeys(issuerIndex: Int, keyID: String?)
}

/// The rules of one location, or of all that lies in none, compiled.
public final class Route: Sendable {
    private let policy: RoutePolicy
    private let methods: MethodRule?

    public init(_ policy: RoutePolicy) {
        self.policy = policy
        methods = policy.methods.map(MethodRule.init)
    }

    /// Throws the refusal of a method that is not served here. A preflight speaks for another method than its own.
    public func checkMethod(_ head: borrowing RequestHead, in bytes: Span<UInt8>) throws(Refusal) {
        guard let methods, !methods.allows(head, in: bytes), !forwardsAsPreflight(head, in: bytes) else { return }
        throw methods.refusal
    }

    /// The verdict on a request, whose method was checked. Allocates nothing but what the authenticator does.
    ///
    /// - Parameters:
    ///   - bytes: those that `head` was parsed from.
    ///   - certificate: of the client that it came from; nil: it has shown none.
    ///   - mayAwaitKeys: see `Authenticator.decide`.
    public func judge(
        _ head: borrowing RequestHead, in bytes: Span<UInt8>, by authenticator: Authenticator, at now: Instant,
        certificate: CertificateThumbprint?, mayAwaitKeys: Bool
    ) -> Verdict {
        if policy.isPublic || forwardsAsPreflight(head, in: bytes) { return .forward(.waived(Waiver(.anonymous))) }
        switch authenticator.decide(
            head, in: bytes, rulesIndex: policy.rulesIndex, at: now, certificate: certificate,
            mayAwaitKeys: mayAwaitKeys)
        {
        case .admit(let identity):
            return .forward(.verified(identity))
        case .refuse(let refusal) where policy.enforcement == .reportOnly:
            return .forward(.waived(Waiver(.reportOnly(refusal.code))))
        case .refuse(let refusal):
            return .refuse(refusal)
        case .awaitKeys(let issuerIndex, let keyID):
            return .awaitKeys(issuerIndex: issuerIndex, keyID: keyID)
        }
    }

    private func forwardsAsPreflight(_ head: borrowing RequestHead, in bytes: Span<UInt8>) -> Bool {
        policy.preflights == .forward && head.isPreflight(in: bytes)
    }
}
