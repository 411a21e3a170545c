// Tokens of our own, for a backend that verifies tokens itself and insists on a shape that its callers no longer send.
//
// A token is minted of verified claims alone and says nothing that they do not, but for its own envelope. It ends no later
// than the token that it stands for, and it is sent on only while a good part of its life is left.

public import JOSE
internal import Bytes

/// How tokens for the backend are made: `mint { … }`.
public struct MintPolicy: Sendable, Equatable {
    /// The first signs; of all of them the public half is published. Never empty.
    public var keys: [TokenSigner]
    /// The `iss` that the backend expects.
    public var issuer: String
    /// The `aud` that it expects.
    public var audience: String
    /// From `iat` to `exp`, unless the caller's token ends earlier.
    public var lifetimeSeconds: Int64
    /// What is copied from the caller's token besides `sub`, which is unless this says what it is. No name twice, and
    /// none of `ownClaims`.
    public var claims: [MintedClaim]

    /// What every minted token says for itself.
    public static let ownClaims = ["iss", "aud", "exp", "nbf", "iat", "jti"]

    /// The least that a caller's token has to be good for by its own `exp`, so that one for the backend can be made: the
    /// clock has whole seconds, and the last one of them may be nearly over.
    static let secondsLeftMin: Int64 = 2

    public init(
        keys: [TokenSigner], issuer: String, audience: String, lifetimeSeconds: Int64 = 60, claims: [MintedClaim] = []
    ) {
        self.keys = keys
        self.issuer = issuer
        self.audience = audience
        self.lifetimeSeconds = lifetimeSeconds
        self.claims = claims
    }
}

/// A claim of the minted token, and where in the caller's it stands.
public struct MintedClaim: Sendable, Equatable {
    public var name: String
    public var path: ClaimPath

    public init(_ name: String, _ path: ClaimPath) {
        self.name = name
        self.path = path
    }
}

/// A token for the backend, as the field that it goes in.
struct MintedToken {
    /// As much as common backends take for one field.
    static let lineBytesMax = 8 * 1024

    /// `Authorization: Bearer …` with its CRLF.
    let line: [UInt8]
    /// The Unix seconds in which it is sent; then another one is made.
    let freshness: Range<Int64>
}

/// Mints tokens by a policy.
struct Mint: Sendable {
    let policy: MintPolicy
    private let signer: TokenSigner
    private let claims: [MintedClaim]

    init(_ policy: MintPolicy) {
        precondition(!policy.keys.isEmpty, "there is a key to sign with")
        self.policy = policy
        signer = policy.keys[0]
        let saysSubject = policy.claims.contains { $0.name == "sub" }
        claims = (saysSubject ? [] : [MintedClaim("sub", ClaimPath(["sub"]))]) + policy.claims
    }

    /// A token that stands for one with these claims. It costs a private operation: some 30 µs for ES256, and 400 µs for
    /// RS256 with a key of 2048 bits.
    ///
    /// - Parameter validity: of the caller's token, where tokens are minted; it contains `now`, in Unix seconds.
    func token(for source: JSONValue, _ validity: TokenValidity, at now: Int64) throws(Refusal) -> MintedToken {
        let expiresAt = min(now + policy.lifetimeSeconds, validity.expiry)
        // One that ends with the caller's own is sent to its end, as a newer one would end no later. Any other has half
        // of its life left at the least.
        let staleFrom = expiresAt == validity.expiry ? validity.expiresAt : now + (policy.lifetimeSeconds + 1) / 2
        let claims = payload(of: source, from: now, to: expiresAt)
        var line = Array("Authorization: Bearer ".utf8)
        // It fails where OpenSSL lacks memory: the key has been tried.
        guard let token = try? signer.sign(claims: claims, type: "JWT") else {
            throw Refusal(
                .keysUnavailable, "The token for the backend could not be signed.",
                hint: "The token that was sent is good: try again.", retryAfterSeconds: 1)
        }
        line += token.utf8
        line += "\r\n".utf8
        guard line.count <= MintedToken.lineBytesMax else {
            throw Refusal(
                .malformedClaim, "The token for the backend would have more than \(MintedToken.lineBytesMax) bytes.",
                hint: "Its claims are those of the token that was sent. Have the issuer make them shorter, or the operator "
                    + "copy fewer.")
        }
        return MintedToken(line: line, freshness: now..<staleFrom)
    }

    private func payload(of source: JSONValue, from now: Int64, to expiresAt: Int64) -> String {
        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.member("iss", policy.issuer)
            for claim in claims {
                guard let value = claim.path.value(in: source) else { continue }
                json.name(claim.name)
                json.value(value)
            }
            json.member("aud", policy.audience)
            json.member("iat", now)
            json.member("exp", expiresAt)
            json.member("jti", Self.identifier())
        }
        return buffer.readable.text()
    }

    /// 128 random bits.
    private static func identifier() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return Base64URL.encode(bytes.span).span.text()
    }
}
