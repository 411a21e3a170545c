// Every way in which a request can be refused. The raw values are a contract: they stand in response bodies,
// in logs and in metrics.

/// Why a request was refused, as its response, the log and the metrics call it.
public enum RefusalCode: String, Sendable, Hashable, CaseIterable {
    // The caller brought no token, or not as RFC 6750 says.
    case missingToken = "missing_token"
    case multipleTokens = "multiple_tokens"
    case malformedAuthorization = "malformed_authorization"

    // Before the signature held: nothing in the token is believed, and nothing is revealed.
    case malformedToken = "malformed_token"
    case unknownIssuer = "unknown_issuer"
    case algorithmNotAllowed = "algorithm_not_allowed"
    case unknownKey = "unknown_key"
    case ambiguousKey = "ambiguous_key"
    case badSignature = "bad_signature"

    // The issuer made this token, but not for here or not for now.
    case wrongTokenType = "wrong_token_type"
    case tokenExpired = "token_expired"
    case tokenNotYetValid = "token_not_yet_valid"
    case tokenIssuedInFuture = "token_issued_in_future"
    case tokenLifetimeTooLong = "token_lifetime_too_long"
    case missingClaim = "missing_claim"
    case malformedClaim = "malformed_claim"
    case wrongAudience = "wrong_audience"
    case legacyAudienceExpired = "legacy_audience_expired"
    case legacyAudienceBrownout = "legacy_audience_brownout"
    /// It is bound to a client certificate, and came over another connection (RFC 8705 §3).
    case certificateMismatch = "certificate_mismatch"
    case insufficientScope = "insufficient_scope"
    case claimRequirement = "claim_requirement"

    // The caller's pace.
    case rateLimited = "rate_limited"

    // Ours, or the issuer's: never the caller's.
    case keysUnavailable = "keys_unavailable"

    // The backend's.
    case upstreamUnreachable = "upstream_unreachable"
    case upstreamTimeout = "upstream_timeout"
    case upstreamInvalidResponse = "upstream_invalid_response"

    // The caller's HTTP.
    case badRequest = "bad_request"
    case notFound = "not_found"
    case headerTooLarge = "header_too_large"
    case uriTooLong = "uri_too_long"
    case bodyTooLarge = "body_too_large"
    case requestTimeout = "request_timeout"
    case methodNotAllowed = "method_not_allowed"
    case expectationFailed = "expectation_failed"
    case notImplemented = "not_implemented"
    case unsupportedVersion = "unsupported_version"

    /// The status code (RFC 9110 §15).
    public var status: Int {
        switch self {
        case .multipleTokens, .malformedAuthorization, .badRequest: 400
        case .missingToken, .malformedToken, .unknownIssuer, .algorithmNotAllowed, .unknownKey, .ambiguousKey,
            .badSignature, .wrongTokenType, .tokenExpired, .tokenNotYetValid, .tokenIssuedInFuture,
            .tokenLifetimeTooLong, .missingClaim, .malformedClaim, .wrongAudience, .legacyAudienceExpired,
            .legacyAudienceBrownout, .certificateMismatch:
            401
        case .insufficientScope, .claimRequirement: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .bodyTooLarge: 413
        case .uriTooLong: 414
        case .expectationFailed: 417
        case .rateLimited: 429
        case .headerTooLarge: 431
        case .notImplemented: 501
        case .upstreamUnreachable, .upstreamInvalidResponse: 502
        case .keysUnavailable: 503
        case .upstreamTimeout: 504
        case .unsupportedVersion: 505
        }
    }

    /// The reason phrase of `status` (RFC 9110 §15).
    var reasonPhrase: StaticString {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "HTTP Version Not Supported"
        }
    }

    /// What went wrong, in words that are the same for every occurrence (RFC 9457 §3.1.3).
    public var title: String {
        switch self {
        case .missingToken: "This API needs an access token"
        case .multipleTokens: "The request carries more than one token"
        case .malformedAuthorization: "The Authorization header is malformed"
        case .malformedToken: "The token is not a signed JWT"
        case .unknownIssuer: "The token comes from an issuer that this API does not trust"
        case .algorithmNotAllowed: "The token is signed with an algorithm that this API does not accept"
        case .unknownKey: "The token is signed with a key that its issuer does not publish"
        case .ambiguousKey: "More than one of the issuer's keys fits the token"
        case .badSignature: "The token's signature does not hold"
        case .wrongTokenType: "The token is of a type that this API does not accept"
        case .tokenExpired: "The token has expired"
        case .tokenNotYetValid: "The token is not valid yet"
        case .tokenIssuedInFuture: "The token claims to have been issued in the future"
        case .tokenLifetimeTooLong: "The token is valid for longer than this API accepts"
        case .missingClaim: "The token lacks a claim that this API needs"
        case .malformedClaim: "A claim of the token is malformed"
        case .wrongAudience: "The token was issued for another audience"
        case .legacyAudienceExpired: "The token's audience is no longer accepted"
        case .legacyAudienceBrownout: "The token's audience is refused for a while, before it ends"
        case .certificateMismatch: "The token is bound to another client certificate"
        case .insufficientScope: "The token lacks a scope that this request needs"
        case .claimRequirement: "The token does not meet what this request requires"
        case .rateLimited: "The caller has sent too many requests"
        case .keysUnavailable: "The issuer's keys are not available"
        case .upstreamUnreachable: "The backend cannot be reached"
        case .upstreamTimeout: "The backend did not answer in time"
        case .upstreamInvalidResponse: "The backend's answer was not valid HTTP"
        case .badRequest: "The request is not valid HTTP"
        case .notFound: "There is no backend here"
        case .headerTooLarge: "The request's header section is too large"
        case .uriTooLong: "The request target is too long"
        case .bodyTooLarge: "The request body is too large"
        case .requestTimeout: "The request did not arrive in time"
        case .methodNotAllowed: "The method is not allowed"
        case .expectationFailed: "The expectation cannot be met"
        case .notImplemented: "The request uses a transfer coding that is not implemented"
        case .unsupportedVersion: "The HTTP version is not supported"
        }
    }

    /// What the `WWW-Authenticate` field of this refusal says; nil: the field is not sent.
    var challenge: BearerChallenge? {
        switch self {
        case .missingToken: .plain
        case .multipleTokens, .malformedAuthorization: .error("invalid_request")
        case .insufficientScope, .claimRequirement: .error("insufficient_scope")
        default: status == 401 ? .error("invalid_token") : nil
        }
    }
}

/// RFC 6750 §3: a request that carried no credentials gets no error code, every other one its own.
enum BearerChallenge {
    case plain
    case error(StaticString)
}
