// What can be read of a token that nobody has vouched for. For showing to an operator, never for a decision: those are
// made from UnverifiedToken and VerifiedClaims alone.

internal import Bytes
internal import JOSE

/// The parts of a compact JWS or JWE, as far as they can be decoded.
struct TokenParts {
    /// How many there are.
    let count: Int
    let header: JSONValue?
    /// Of a JWE there are none to be read.
    let claims: JSONValue?

    init(_ bytes: [UInt8]) {
        let token = bytes.span
        var parts: [Range<Int>] = []
        var start = 0
        var count = 1
        while let dot = token.firstIndex(of: UInt8(ascii: "."), from: start) {
            if count <= 2 { parts.append(start..<dot) }
            start = dot + 1
            count += 1
        }
        if count <= 2 { parts.append(start..<token.count) }
        self.count = count
        header = count > 1 ? Self.object(token.extracting(parts[0])) : nil
        claims = count == 3 ? Self.object(token.extracting(parts[1])) : nil
    }

    private static func object(_ text: Span<UInt8>) -> JSONValue? {
        guard text.count <= UnverifiedToken.bytesMax, let bytes = try? Base64URL.decode(text),
            let document = try? JSONDocument(parsing: bytes), document.root.kind == .object
        else { return nil }
        return document.root
    }
}
