// The token of the one Authorization field, of the scheme Bearer (RFC 6750 §2.1).
//
// credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]   (RFC 9110 §11.4)
// b64token    = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="   (RFC 6750 §2.1)
//
// Nothing is known of the sender yet, so every text here is a constant.

internal import Bytes
internal import HTTPWire

enum BearerToken {
    /// Where in `bytes` the token stands. Its characters are not checked yet.
    static func locate(_ head: borrowing RequestHead, in bytes: Span<UInt8>) throws(Refusal) -> ByteRange {
        guard let field = head.first(.authorization) else { throw missing }
        guard head.count(of: .authorization) == 1 else { throw multiple }
        let value = bytes.slice(field.value)
        var end = 0
        while end < value.count, ASCII.isToken(value[end]) { end &+= 1 }
        guard value.extracting(..<end).equalsIgnoringCase("bearer") else {
            throw end > 0 && (end == value.count || value[end] == ASCII.space)
                ? otherScheme(value, schemeEnd: end) : malformed
        }
        var start = end
        while start < value.count, value[start] == ASCII.space { start &+= 1 }
        guard start > end, start < value.count else { throw malformed }
        return ByteRange(field.value.lowerBound + start..<field.value.upperBound)
    }

    /// Throws unless `token` is a b64token. Every signed JWT in compact serialisation is.
    static func checkSyntax(_ token: Span<UInt8>) throws(Refusal) {
        var end = token.count
        while end > 0, token[end - 1] == UInt8(ascii: "=") { end -= 1 }
        guard end > 0 else { throw malformed }
        for index in 0..<end where !isTokenCharacter(token[index]) { throw malformed }
    }

    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        ASCII.isAlphanumeric(byte) || "-._~+/".utf8.contains(byte)
    }

    /// Credentials of another scheme are none that we know: the request is one without a token (RFC 6750 §3.1).
    private static func otherScheme(_ value: Span<UInt8>, schemeEnd: Int) -> Refusal {
        var dots = 0
        for index in 0..<schemeEnd where value[index] == UInt8(ascii: ".") { dots += 1 }
        return schemeEnd == value.count && dots == 2 ? bareToken : foreign
    }

    private static let missing = Refusal(
        .missingToken, "The request has no Authorization header.",
        hint: "Send the access token as `Authorization: Bearer <token>`.")

    private static let foreign = Refusal(
        .missingToken, "The Authorization header is of another scheme than Bearer.",
        hint: "Send the access token as `Authorization: Bearer <token>`.")

    private static let bareToken = Refusal(
        .missingToken, "The Authorization header does not start with the word Bearer.",
        hint: "It looks like a token without its scheme: send it as `Authorization: Bearer <token>`.")

    private static let multiple = Refusal(
        .multipleTokens, "The request has more than one Authorization header.",
        hint: "Send exactly one; look for a client library and a proxy on the way that both add one.")

    private static let malformed = Refusal(
        .malformedAuthorization, "The Authorization header is not of the form `Bearer <token>`.",
        hint: "After the word Bearer come one space and the token, without quotes, commas or further spaces.")
}
