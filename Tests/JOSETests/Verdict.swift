import Bytes
import JOSE
import Testing

/// A token's way through parsing, key selection and verification, told as one word.
enum Verdict: Equatable {
    case malformed(TokenSyntaxError)
    case unknownAlgorithm
    case unknownKey
    case unfitKey
    case ambiguousKey(Int)
    case badSignature
    case verified(claims: String)

    static func of(_ token: String, _ keys: KeySet, _ verifier: SignatureVerifier = SignatureVerifier()) -> Verdict {
        let parsed: UnverifiedToken
        do { parsed = try parse(token) } catch { return .malformed(error) }
        guard let algorithm = parsed.algorithm else { return .unknownAlgorithm }
        switch keys.selectKey(algorithm: algorithm, keyID: parsed.keyID) {
        case .unknown: return .unknownKey
        case .unfit: return .unfitKey
        case .ambiguous(let count): return .ambiguousKey(count)
        case .key(let key):
            guard let verified = verifier.verify(parsed, with: key, algorithm: algorithm) else { return .badSignature }
            return .verified(claims: text(verified.claims))
        }
    }

    static func parse(_ token: String) throws(TokenSyntaxError) -> UnverifiedToken {
        try UnverifiedToken(parsing: Array(token.utf8).span)
    }

    /// The value's text without white space, from what its accessors say.
    static func text(_ value: JSONValue) -> String {
        switch value.kind {
        case .null: "null"
        case .bool: value.bool == true ? "true" : "false"
        case .number: value.numberText ?? "no number"
        case .string: quoted(value.string ?? "no string")
        case .array: "[" + value.elements.map(text).joined(separator: ",") + "]"
        case .object: "{" + value.members.map { quoted($0.name) + ":" + text($0.value) }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        let buffer = ByteBuffer(capacity: 256)
        var writer = JSONWriter(into: buffer)
        writer.string(text)
        return buffer.readable.text()
    }
}

func keySet(_ text: String) throws(KeySetError) -> KeySet { try KeySet(parsing: Array(text.utf8).span) }

func base64url(_ text: String) -> String { base64url(Array(text.utf8)) }
func base64url(_ bytes: [UInt8]) -> String { String(decoding: Base64URL.encode(bytes.span), as: UTF8.self) }
