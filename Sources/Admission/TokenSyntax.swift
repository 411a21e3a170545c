// What is said of a token that is no signed JWT. Nothing of it is repeated: its signature was never checked.

internal import Bytes
internal import JOSE

extension TokenSyntaxError {
    /// The refusal, in constant words. `token` is looked at only for the words that broken clients send.
    func refusal(of token: Span<UInt8>) -> Refusal {
        Refusal(.malformedToken, detail, hint: Self.isPlaceholder(token) ? Self.placeholderHint : hint)
    }

    private var detail: String {
        switch self {
        case .tooLarge: "The token is longer than \(UnverifiedToken.bytesMax) bytes."
        case .opaque: "The token has no dots: it is no JWT, but an opaque token."
        case .jsonSerialization: "The token is a JWS in JSON serialisation; only the compact one is taken."
        case .encrypted: "The token has five parts: it is an encrypted JWT (JWE)."
        case .wrongPartCount: "The token does not have three parts."
        case .badBase64(let part, _): "The token's \(part.name) is not base64url without padding."
        case .badJSON(let part, _): "The token's \(part.name) is not valid JSON."
        case .notAnObject(let part): "The token's \(part.name) is not a JSON object."
        case .missingAlgorithm: "The token's header has no alg."
        case .badAlgorithm: "The token's alg is not a string."
        case .badKeyID: "The token's kid is not a string of acceptable length."
        case .badType: "The token's typ is not a string."
        case .criticalExtension: "The token's header names a critical extension (crit) that is not understood."
        case .unencodedPayload: "The token's payload is not base64url-encoded (b64)."
        }
    }

    private var hint: String? {
        switch self {
        case .opaque:
            "No audience was requested: an issuer then hands out an opaque token that only it can read. Request one "
                + "with this API's identifier as `audience` (RFC 8707 calls it `resource`)."
        case .encrypted:
            "Only the holder of a private key can read it. Have the issuer send this API signed tokens, not encrypted "
                + "ones."
        case .wrongPartCount, .badBase64, .badJSON, .notAnObject:
            "The token may have been cut, quoted or encoded on its way: send the very bytes that the issuer returned."
        default: nil
        }
    }

    private static let placeholderHint =
        "The client sent a variable's name for nothing instead of a token: it had none when it made the request."

    /// What string interpolation makes of a token that is not there.
    static func isPlaceholder(_ token: Span<UInt8>) -> Bool {
        token.equals("undefined") || token.equals("null") || token.equals("None") || token.equals("nil")
    }
}

extension TokenPart {
    var name: String {
        switch self {
        case .header: "header"
        case .payload: "payload"
        case .signature: "signature"
        }
    }
}
