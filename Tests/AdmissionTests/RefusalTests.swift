import Admission
import Bytes
import HTTPWire
import Testing

@Suite struct RefusalTests {
    @Test(arguments: RefusalCode.allCases)
    func `Every code makes a response with its status, its type and what it never lacks`(code: RefusalCode) throws {
        let response = Self.response(to: Refusal(code, "Because.", hint: "Do this."))
        #expect(response.hasPrefix("HTTP/1.1 \(code.status) "))
        #expect(response.contains("\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n"))
        #expect(response.contains("\r\nCache-Control: no-store\r\n"))
        #expect(response.contains("\r\nX-Request-Id: 4bf92f3577b34da6\r\n"))
        #expect(response.contains("\r\nContent-Type: application/problem+json\r\n"))
        let body = try #require(response.firstRange(of: "\r\n\r\n")).upperBound
        #expect(response.contains("\r\nContent-Length: \(response[body...].utf8.count)\r\n"))
        #expect(
            response[body...] == """
                {"type":"urn:antechamber:\(code.rawValue)","title":"\(code.title.replacing("\"", with: "\\\""))",\
                "status":\(code.status),"code":"\(code.rawValue)","detail":"Because.","hint":"Do this.",\
                "request_id":"4bf92f3577b34da6"}

                """)

        let challenge = Self.challenge(in: response)
        switch code.status {
        case 401 where code == .missingToken: #expect(challenge == "Bearer realm=\"api\"")
        case 401: #expect(challenge == Self.challenge("invalid_token"))
        case 403: #expect(challenge == Self.challenge("insufficient_scope"))
        case 400 where code != .badRequest: #expect(challenge == Self.challenge("invalid_request"))
        default: #expect(challenge == nil)
        }
    }

    @Test func `The codes and their statuses are those of the contract`() {
        let statuses = Dictionary(uniqueKeysWithValues: RefusalCode.allCases.map { ($0.rawValue, $0.status) })
        #expect(
            statuses == [
                "missing_token": 401, "multiple_tokens": 400, "malformed_authorization": 400, "malformed_token": 401,
                "unknown_issuer": 401, "algorithm_not_allowed": 401, "unknown_key": 401, "ambiguous_key": 401,
                "bad_signature": 401, "wrong_token_type": 401, "token_expired": 401, "token_not_yet_valid": 401,
                "token_issued_in_future": 401, "token_lifetime_too_long": 401, "missing_claim": 401,
                "malformed_claim": 401, "wrong_audience": 401, "legacy_audience_expired": 401,
                "legacy_audience_brownout": 401, "certificate_mismatch": 401, "insufficient_scope": 403, "claim_requirement": 403,
                "keys_unavailable": 503, "rate_limited": 429, "upstream_unreachable": 502, "upstream_timeout": 504,
                "upstream_invalid_response": 502, "bad_request": 400, "not_found": 404, "header_too_large": 431, "uri_too_long": 414,
                "body_too_large": 413, "request_timeout": 408, "method_not_allowed": 405, "expectation_failed": 417,
                "not_implemented": 501, "unsupported_version": 505,
            ])
    }

    @Test func `A request without a token gets this response, to the byte`() throws {
        let refusal = try #require(Fixture.authenticator().decide(raw: Fixture.request()).refusal)
        #expect(
            Self.response(to: refusal) == """
                HTTP/1.1 401 Unauthorized\r
                Date: Fri, 15 Jan 2027 08:00:00 GMT\r
                WWW-Authenticate: Bearer realm="api"\r
                Cache-Control: no-store\r
                X-Request-Id: 4bf92f3577b34da6\r
                Content-Type: application/problem+json\r
                Content-Length: 269\r
                \r
                {"type":"urn:antechamber:missing_token","title":"This API needs an access token","status":401,\
                "code":"missing_token","detail":"The request has no Authorization header.",\
                "hint":"Send the access token as `Authorization: Bearer <token>`.","request_id":"4bf92f3577b34da6"}

                """)
    }

    @Test func `A token for another audience gets this response, to the byte`() throws {
        let refusal = try #require(Fixture.authenticator().decide(Fixture.token(["aud": "\"other\""])).refusal)
        #expect(
            Self.response(to: refusal) == """
                HTTP/1.1 401 Unauthorized\r
                Date: Fri, 15 Jan 2027 08:00:00 GMT\r
                WWW-Authenticate: Bearer realm="api", error="invalid_token", error_description="The token's audience \
                is 'other'; this API's audience is 'https://api.example.com'."\r
                Cache-Control: no-store\r
                X-Request-Id: 4bf92f3577b34da6\r
                Content-Type: application/problem+json\r
                Content-Length: 536\r
                \r
                {"type":"urn:antechamber:wrong_audience","title":"The token was issued for another audience",\
                "status":401,"code":"wrong_audience","detail":"The token's audience is \\"other\\"; this API's \
                audience is \\"https://api.example.com\\".","hint":"The audience is the API that a token was requested \
                for, so tokens for different APIs differ. Request one with audience=https://api.example.com \
                (resource=https://api.example.com at issuers that follow RFC 8707).",\
                "expected":["https://api.example.com"],"got":["other"],"request_id":"4bf92f3577b34da6"}

                """)
    }

    @Test func `Without keys the response says when to come back, and blames no token`() {
        let response = Self.response(to: Refusal(.keysUnavailable, "No keys.", retryAfterSeconds: 30))
        #expect(response.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(response.contains("\r\nRetry-After: 30\r\n"))
        #expect(Self.challenge(in: response) == nil)
    }

    @Test func `A method that is not allowed is answered with those that are`() {
        let response = Self.response(to: Refusal(.methodNotAllowed))
        #expect(response.contains("\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"))
    }

    @Test func `A HEAD gets the head alone, with the length that a GET would have got`() {
        let whole = Self.response(to: Refusal(.missingToken))
        let head = Self.response(to: Refusal(.missingToken), omitBody: true)
        #expect(head.hasSuffix("\r\n\r\n"))
        #expect(whole.hasPrefix(head))
    }

    @Test func `A response after which the connection closes says so`() {
        #expect(Self.response(to: Refusal(.badRequest), close: true).contains("\r\nConnection: close\r\n\r\n"))
        #expect(!Self.response(to: Refusal(.badRequest)).contains("Connection:"))
    }

    @Test func `Plain text says the same without JSON`() throws {
        let response = Self.response(to: Refusal(.tokenExpired, "It was.", hint: "Log in."), plainText: true)
        #expect(response.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"))
        #expect(
            response.hasSuffix(
                "\r\n\r\nThe token has expired (token_expired)\nIt was.\nLog in.\nrequest_id: 4bf92f3577b34da6\n"))
    }

    @Test(arguments: RefusalCode.allCases)
    func `Every code says the same in plain text, under the same head`(code: RefusalCode) throws {
        let refusal = Refusal(code, "Because.", hint: "Do this.")
        let response = Self.response(to: refusal, plainText: true)
        let body = "\(code.title) (\(code.rawValue))\nBecause.\nDo this.\nrequest_id: 4bf92f3577b34da6\n"
        #expect(response.hasSuffix("\r\n\r\n" + body))
        #expect(response.contains("\r\nContent-Length: \(body.utf8.count)\r\n"))
        #expect(response.contains("\r\nCache-Control: no-store\r\n"))
        #expect(Self.challenge(in: response) == Self.challenge(in: Self.response(to: refusal)))
    }

    @Test func `An error description holds only what RFC 6750 allows, and not too much of it`() throws {
        let hostile = "a\"b\\c\r\nd\u{e9}\u{0}\u{7f}" + String(repeating: "x", count: 5_000)
        let challenge = try #require(Self.challenge(in: Self.response(to: Refusal(.wrongAudience, hostile))))
        let prefix = "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"a'b/c??d????"
        #expect(challenge.hasPrefix(prefix))
        #expect(challenge.utf8.count < 600)
    }

    @Test func `A realm is quoted, and holds no control character`() {
        let response = Self.response(to: Refusal(.missingToken), realm: "a\"b\\c\r\nX: y\u{e9}")
        #expect(response.contains("\r\nWWW-Authenticate: Bearer realm=\"a\\\"b\\\\cX: y\"\r\n"))
    }

    @Test(arguments: [
        (RequestError.Kind.badRequest, RefusalCode.badRequest), (.headerTooLarge, .headerTooLarge),
        (.uriTooLong, .uriTooLong), (.unsupportedVersion, .unsupportedVersion), (.methodNotAllowed, .methodNotAllowed),
        (.expectationFailed, .expectationFailed), (.notImplemented, .notImplemented),
    ])
    func `What the parser refuses has its code`(kind: RequestError.Kind, code: RefusalCode) {
        #expect(Refusal(RequestError(kind, "detail")) == Refusal(code, "detail"))
    }

    @Test func `Broken chunks, bodies too large, slow clients and failing backends have their codes`() {
        #expect(Refusal(ChunkError(.malformed, "detail")) == Refusal(.badRequest, "detail"))
        #expect(Refusal.bodyTooLarge(bytesMax: 10).code == .bodyTooLarge)
        #expect(Refusal.bodyTooLarge(bytesMax: 10).detail.contains("10 bytes"))
        #expect(Refusal.requestTimeout.code == .requestTimeout)
        #expect(Refusal.upstreamUnreachable.code == .upstreamUnreachable)
        #expect(Refusal.upstreamTimeout.code == .upstreamTimeout)
        #expect(Refusal.upstreamInvalidResponse.code == .upstreamInvalidResponse)
    }

    // MARK: Accept

    @Test(arguments: [
        ([], false), (["*/*"], false), (["text/plain"], true), (["TEXT/PLAIN; q=0.5"], true), (["text/*"], true),
        (["text/plain, application/json"], false), (["text/plain", "application/problem+json"], false),
        (["text/plain, */*;q=0"], true), (["text/plain;q=0"], false), (["text/html"], false),
        (["application/*"], false),
        (["text/plain, application/json;q=0.0"], true), (["text/plain, application/json;q=0.1"], false), ([""], false),
        (["text/plain,,"], true), (["text/plain;charset=utf-8;q=0"], false), ([";"], false),
    ])
    func `Plain text is for those who accept nothing better`(accept: [String], plainText: Bool) {
        let lines = accept.map { "Accept: \($0)\r\n" }.joined()
        let request = Array("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n".utf8)
        #expect(Fixture.parse(request).acceptsOnlyPlainText(in: request.span) == plainText)
    }

    // MARK: Support

    private static func response(
        to refusal: Refusal, realm: String = "api", plainText: Bool = false, omitBody: Bool = false, close: Bool = false
    ) -> String {
        let buffer = ByteBuffer(capacity: 16)
        refusal.writeResponse(
            into: buffer, at: Fixture.instant(), requestID: Array("4bf92f3577b34da6".utf8).span, realm: realm,
            plainText: plainText, omitBody: omitBody, close: close)
        return buffer.text
    }

    private static func challenge(in response: String) -> String? {
        let lines = response.split(separator: "\r\n").filter { $0.hasPrefix("WWW-Authenticate: ") }
        #expect(lines.count <= 1)
        return lines.first.map { String($0.dropFirst("WWW-Authenticate: ".count)) }
    }

    private static func challenge(_ error: String) -> String {
        "Bearer realm=\"api\", error=\"\(error)\", error_description=\"Because.\""
    }
}

@Suite struct HTTPDateTests {
    @Test(arguments: [
        (Int64(0), "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (1_800_000_000, "Fri, 15 Jan 2027 08:00:00 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (-1, "Thu, 01 Jan 1970 00:00:00 GMT"), (.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (.min, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ])
    func `A time is written as an IMF-fixdate`(unixSeconds: Int64, expected: String) {
        let buffer = ByteBuffer(capacity: 1)
        HTTPDate.append(unixSeconds, to: buffer)
        #expect(buffer.text == expected)
        #expect(buffer.count == HTTPDate.byteCount)
    }
}
