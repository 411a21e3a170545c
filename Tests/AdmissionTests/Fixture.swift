// An issuer, its keys, and requests, as the tests of this module need them.

import Bytes
import HTTPWire
import JOSE
import OpenSSLKit

@testable import Admission

enum Fixture {
    static let issuer = "https://issuer.example/"
    static let audience = "https://api.example.com"
    /// 2027-01-15T08:00:00Z.
    static let now: Int64 = 1_800_000_000

    static let rsa = try! TokenSigner(generating: .rs256, keyID: "rsa-1")
    static let ec = try! TokenSigner(generating: .es256, keyID: "ec-1")
    static let otherEC = try! TokenSigner(generating: .es256, keyID: "ec-2")
    /// The same key ID as `ec`, another key.
    static let impostor = try! TokenSigner(generating: .es256, keyID: "ec-1")

    static func keySet(_ signers: TokenSigner...) -> KeySet {
        let document = "{\"keys\":[" + signers.map(\.publicJWK).joined(separator: ",") + "]}"
        return try! KeySet(parsing: Array(document.utf8).span)
    }

    static func instant(_ unixSeconds: Int64 = now, monotonicSeconds: Int64 = 1_000) -> Instant {
        Instant(monotonicNanoseconds: monotonicSeconds * 1_000_000_000, unixSeconds: unixSeconds)
    }

    static func policy(_ change: (inout IssuerPolicy) -> Void = { _ in }) -> IssuerPolicy {
        var policy = IssuerPolicy(identifier: issuer, audiences: [audience])
        change(&policy)
        return policy
    }

    static func keys(
        _ set: KeySet, forcedRefreshAllowedAtSeconds: Int64 = 0, missing: [String] = [], untilSeconds: Int64 = 0
    ) -> KeyMaterial {
        var material = KeyMaterial(
            state: .usable(set), forcedRefreshAllowedAt: forcedRefreshAllowedAtSeconds * 1_000_000_000)
        material.missing.insert(missing.map(KeyIDHash.init), until: untilSeconds * 1_000_000_000, at: 0)
        return material
    }

    /// An authenticator for one issuer that has the keys of `rsa` and `ec`.
    static func authenticator(
        _ policy: IssuerPolicy = policy(), rules: [AccessRules] = [AccessRules()], mint: MintPolicy? = nil,
        detail: ErrorDetail = .full, cacheEntries: Int = 100
    ) -> Authenticator {
        let authenticator = Authenticator(
            policy: AdmissionPolicy(
                issuers: [policy], rules: rules, mint: mint, errorDetail: detail, tokenCacheEntries: cacheEntries))
        authenticator.install(keys(keySet(rsa, ec)), forIssuerAt: 0)
        return authenticator
    }

    /// Claims that are admitted, as JSON. A value replaces the claim of that name, an empty one removes it.
    static func claims(_ changes: KeyValuePairs<String, String> = [:]) -> String {
        var members: [(name: String, value: String)] = [
            ("iss", "\"\(issuer)\""), ("sub", "\"auth0|42\""), ("aud", "\"\(audience)\""), ("azp", "\"web\""),
            ("scope", "\"read:x write:x\""), ("iat", "\(now - 60)"), ("exp", "\(now + 600)"),
        ]
        for (name, value) in changes {
            members.removeAll { $0.name == name }
            if !value.isEmpty { members.append((name, value)) }
        }
        return "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    static func token(
        _ changes: KeyValuePairs<String, String> = [:], signer: TokenSigner = ec, type: String? = "at+jwt"
    ) -> String {
        try! signer.sign(claims: claims(changes), type: type)
    }

    /// A GET with these lines after Host, each without its CRLF.
    static func request(_ lines: String...) -> [UInt8] {
        Array(("GET /x HTTP/1.1\r\nHost: api.example.com\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
    }

    static func parse(_ request: [UInt8]) -> RequestHead {
        var parser = RequestHeadParser(headBytesMax: 65_536)
        precondition(try! parser.parse(request.span), "the test's request is complete")
        return parser.head
    }
}

extension Authenticator {
    func decide(
        raw request: [UInt8], rulesIndex: Int = 0, at now: Instant = Fixture.instant(),
        certificate: CertificateThumbprint? = nil, mayAwaitKeys: Bool = true
    ) -> Decision {
        decide(
            Fixture.parse(request), in: request.span, rulesIndex: rulesIndex, at: now, certificate: certificate,
            mayAwaitKeys: mayAwaitKeys)
    }

    /// - Parameter isExplained: also hold the token's explanation to the decision.
    func decide(
        _ token: String, rulesIndex: Int = 0, at now: Instant = Fixture.instant(),
        certificate: CertificateThumbprint? = nil, mayAwaitKeys: Bool = true, isExplained: Bool = true
    ) -> Decision {
        let decision = decide(
            raw: Fixture.request("Authorization: Bearer \(token)"), rulesIndex: rulesIndex, at: now,
            certificate: certificate, mayAwaitKeys: mayAwaitKeys)
        if isExplained, !token.isEmpty {
            expectSameAnswer(decision, of: explain(token, rulesIndex: rulesIndex, at: now), token)
        }
        return decision
    }
}

extension Decision {
    var refusal: Refusal? {
        if case .refuse(let refusal) = self { refusal } else { nil }
    }

    var identity: Identity? {
        if case .admit(let identity) = self { identity } else { nil }
    }

    /// All that a request's further way depends on.
    var outcome: String {
        switch self {
        case .admit(let identity): "admitted until \(identity.expiresAt)\n\(identity.fieldText)"
        case .refuse(let refusal): "refused: \(refusal)"
        case .awaitKeys(let index, let keyID): "awaits keys of \(index) for \(keyID ?? "-")"
        }
    }
}

extension Identity {
    var fieldText: String {
        let buffer = ByteBuffer(capacity: 64)
        appendFields(to: buffer)
        precondition(buffer.count == fieldBytes)
        return buffer.text
    }

    var logText: (issuer: String, subject: String, audience: String) {
        (issuerJSON.text(), subjectJSON.text(), audienceJSON.text())
    }

    /// The value of the field of that name, if there is exactly one.
    func field(_ name: String) -> String? {
        let values = fieldText.split(separator: "\r\n").filter { $0.hasPrefix(name + ": ") }
        return values.count == 1 ? String(values[0].dropFirst(name.count + 2)) : nil
    }
}

extension ByteBuffer {
    var text: String { readable.text() }
}
