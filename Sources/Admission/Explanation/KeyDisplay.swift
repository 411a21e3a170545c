// Keys, unreadable tokens and header fields in a few words each.

internal import Bytes
internal import JOSE

enum KeyDisplay {
    /// `kid "a" (RSA, 2048 bits, for RS256)`
    static func text(_ key: Key) -> String {
        if case .secret = key.type { return "the shared secret" }
        let name = key.keyID.map { "kid \(Quoted.text($0))" } ?? "a key without kid"
        let purpose = key.algorithm.map { ", for \($0.rawValue)" } ?? ""
        return "\(name) (\(type(key.type))\(purpose))"
    }

    /// The keys of a set, those that cannot be used at the end.
    static func list(_ set: KeySet) -> [String] {
        let all =
            set.keys.map(text)
            + set.skipped.map { key in
                let name = key.keyID.map { "kid \(Quoted.text($0))" } ?? "key number \(key.index + 1)"
                return "\(name), which cannot be used: \(key.reason.reason)"
            }
        let rest = all.count - Quoted.valuesMax
        return rest > 0 ? all.prefix(Quoted.valuesMax) + ["\(rest) more"] : all
    }

    private static func type(_ type: KeyType) -> String {
        switch type {
        case .rsa(let bits): "RSA, \(bits) bits"
        case .p256: "EC, P-256"
        case .p384: "EC, P-384"
        case .p521: "EC, P-521"
        case .ed25519: "Ed25519"
        case .secret: "a shared secret"
        }
    }
}

enum SyntaxDisplay {
    /// What is there in the place of a signed JWT.
    static func found(_ token: [UInt8]) -> [String] {
        do throws(TokenSyntaxError) {
            _ = try UnverifiedToken(parsing: token.span)
            return []
        } catch {
            return found(error, token)
        }
    }

    private static func found(_ error: TokenSyntaxError, _ token: [UInt8]) -> [String] {
        switch error {
        case .tooLarge: ["\(token.count) characters, of \(UnverifiedToken.bytesMax) at most"]
        case .opaque: ["\(token.count) characters without a dot"]
        case .jsonSerialization: ["a JSON object"]
        case .encrypted: ["five parts"] + header(token, ["alg", "enc"])
        case .wrongPartCount(let count): ["\(count) parts"]
        case .badBase64(let part, let error): ["the \(part.name): \(reason(error))"]
        case .badJSON(let part, let error): ["the \(part.name), at byte \(error.offset): \(reason(error.kind))"]
        case .notAnObject(let part): ["the \(part.name): JSON, but not an object"]
        case .missingAlgorithm, .badAlgorithm, .badKeyID, .badType, .criticalExtension, .unencodedPayload:
            ["a header"] + header(token, ["alg", "kid", "typ", "crit", "b64"])
        }
    }

    private static func header(_ token: [UInt8], _ names: [String]) -> [String] {
        guard let header = TokenParts(token).header else { return [] }
        return names.compactMap { name in header[named: name].map { "\(name) \(ClaimDisplay.text($0))" } }
    }

    private static func reason(_ error: Base64URLError) -> String {
        switch error {
        case .badLength: "a length that no bytes are encoded to: a character is lost or added"
        case .badCharacter(let offset): "character \(offset + 1) is not one of base64url's (A-Z a-z 0-9 - _)"
        case .nonCanonical: "its last character has bits that stand for nothing: it was changed"
        }
    }

    private static func reason(_ kind: JSONError.Kind) -> String {
        switch kind {
        case .unexpectedEnd: "it ends within a value"
        case .unexpectedByte: "no JSON"
        case .byteOrderMark: "a byte order mark"
        case .invalidUTF8: "not UTF-8"
        case .loneSurrogate: "half of a surrogate pair"
        case .badEscape: "an escape that JSON does not have"
        case .controlCharacter: "a control character within a string"
        case .tooDeep: "nested too deeply"
        case .tooLarge: "too long"
        case .duplicateMember: "a member for the second time"
        case .trailingBytes: "something behind the end"
        }
    }
}

enum FieldDisplay {
    /// The lines that the backend gets, which are visible ASCII and blanks by their making; but for a minted token, which
    /// would be good for a while.
    static func pairs(_ identity: Identity) -> [Explanation.Pair] {
        let lines = ByteBuffer(capacity: identity.fieldBytes)
        identity.appendFields(to: lines)
        return lines.readable.text().split(separator: "\r\n").map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            let name = String(line[..<colon])
            let value = name == "Authorization" ? "Bearer, with a minted token" : String(line[colon...].dropFirst(2))
            return .init(name: name, value: Quoted.cut(value))
        }
    }
}
