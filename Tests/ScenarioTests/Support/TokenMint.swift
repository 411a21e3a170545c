// Tokens with exactly the header and claims a scenario wants, signed with a key of the scenario's own.

import Foundation
import OpenSSLKit

/// A signing key with its `kid`.
final class TokenMint: Sendable {
    private enum Signer: Sendable {
        case key(SigningKey)
        case secret(HMACSecret)
    }

    let keyID: String
    let algorithmName: String
    private let signer: Signer

    /// ES256 by default: its keys are made in no time.
    init(keyID: String = "key-1", _ algorithm: SigningAlgorithm = .es256) throws {
        self.keyID = keyID
        signer = .key(try SigningKey(generating: algorithm))
        algorithmName = algorithm == .rs256 ? "RS256" : "ES256"
    }

    /// Signs with HS256 and these bytes.
    init(secret: String) {
        keyID = "shared"
        signer = .secret(HMACSecret(Array(secret.utf8).span))
        algorithmName = "HS256"
    }

    /// A token. `header` and `claims` are put over the usual ones; a nil value takes a member out.
    func token(
        issuer: String, audience: String = Scene.audience, subject: String = "auth0|alice",
        header: [String: JSONValue?] = [:], claims: [String: JSONValue?] = [:]
    ) throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        let usualHeader: [String: JSONValue] = [
            "alg": .string(algorithmName), "kid": .string(keyID), "typ": .string("at+jwt"),
        ]
        let usualClaims: [String: JSONValue] = [
            "iss": .string(issuer), "aud": .string(audience), "sub": .string(subject), "iat": .number(now - 5),
            "exp": .number(now + 3600), "client_id": .string("cli"), "scope": .string("read:orders write:orders"),
        ]
        return try sign(
            header: JSONValue.object(merged(usualHeader, header)).text,
            claims: JSONValue.object(merged(usualClaims, claims)).text)
    }

    /// An ID token, as a web app's login yields it: for the client itself, with profile claims and no scope.
    func idToken(issuer: String, clientID: String, claims: [String: JSONValue?] = [:]) throws -> String {
        let own: [String: JSONValue?] = [
            "client_id": nil, "scope": nil, "azp": .string(clientID), "nonce": "n-0S6_WzA2Mj",
            "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "auth_time": .number(Int(Date().timeIntervalSince1970) - 60),
            "name": "Alice", "email": "alice@example.com",
        ]
        return try token(
            issuer: issuer, audience: clientID, header: ["typ": "JWT"], claims: own.merging(claims) { $1 })
    }

    /// Signs exactly these texts.
    func sign(header: String, claims: String) throws -> String {
        let input = base64URL(Array(header.utf8)) + "." + base64URL(Array(claims.utf8))
        let bytes = Array(input.utf8)
        switch signer {
        case .key(let key): return try input + "." + base64URL(key.sign(bytes.span))
        case .secret(let secret): return try input + "." + base64URL(secret.tag(over: bytes.span, .sha256))
        }
    }

    var publicJWK: String {
        let members: String
        guard case .key(let key) = signer else { return "{}" }
        switch try? key.publicMembers() {
        case .rsa(let n, let e): members = #""kty":"RSA","n":"\#(base64URL(n))","e":"\#(base64URL(e))""#
        case .elliptic(_, let x, let y): members = #""kty":"EC","crv":"P-256","x":"\#(base64URL(x))","y":"\#(base64URL(y))""#
        case .ed25519(let x): members = #""kty":"OKP","crv":"Ed25519","x":"\#(base64URL(x))""#
        case nil: members = #""kty":"absent""#
        }
        return #"{"kid":"\#(keyID)","use":"sig","alg":"\#(algorithmName)",\#(members)}"#
    }

    /// The public key as `openssl pkey -pubout` writes it; of a P-256 key.
    var publicPEM: String {
        guard case .key(let key) = signer, case .elliptic(_, let x, let y) = try? key.publicMembers() else { return "" }
        // SubjectPublicKeyInfo of RFC 5480 §2: the same bytes for every key, and the point.
        let start: [UInt8] = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE,
            0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
        ]
        let text = Data(start + x + y).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return "-----BEGIN PUBLIC KEY-----\n\(text)\n-----END PUBLIC KEY-----\n"
    }

    private func merged(_ usual: [String: JSONValue], _ own: [String: JSONValue?]) -> [String: JSONValue] {
        var all = usual
        for (name, value) in own { all[name] = value }
        return all
    }
}

func base64URL(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
}

/// JSON to write into tokens.
indirect enum JSONValue: Sendable, ExpressibleByStringLiteral {
    case string(String)
    case number(Int)
    case bool(Bool)
    case array([JSONValue])
    case object([String: JSONValue])

    init(stringLiteral value: String) { self = .string(value) }

    var text: String {
        switch self {
        case .string(let value): Self.quoted(value)
        case .number(let value): "\(value)"
        case .bool(let value): "\(value)"
        case .array(let values): "[" + values.map { $0.text }.joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.sorted { $0.key < $1.key }.map { Self.quoted($0.key) + ":" + $0.value.text }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case _ where scalar.value < 0x20:
                text += "\\u" + String(String(scalar.value + 0x10000, radix: 16).suffix(4))
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
