import Admission
import Testing

@Suite struct ForwardedHeaderNameTests {
    @Test(arguments: [
        "X-Auth-Roles", "X-Auth-Subject", "X-User", "x_user", "Remote-User", "From", "Tenant", "X-Acceptance", "Contents",
        "Iffy", "Security", "X.Y", "X-Amzn-Oidc-Identity", "User-Agent",
    ])
    func `A header without a meaning of its own can carry a claim`(name: String) {
        #expect(ForwardedHeaderName.objection(to: name) == nil)
    }

    @Test(arguments: [
        "", "-", "_._", "X Auth", "X:Auth", "X-\u{c4}", "X\u{0}", "X\r\nY", "__proto__", "__PROTO__", "X=Y", "\"X\"",
        String(repeating: "x", count: 129),
    ])
    func `What is no name of a header is not one`(name: String) {
        #expect(ForwardedHeaderName.objection(to: name) == .malformed)
    }

    @Test(arguments: [
        "Host", "host", "H-o-s-t", "Content-Length", "content_length", "Transfer-Encoding", "TE", "Trailer", "Connection",
        "Keep-Alive", "Proxy-Connection", "Upgrade", "HTTP2-Settings", "Expect", "Authorization", "Proxy-Authorization",
        "Cookie", "Set-Cookie", "Content-Type", "Content-Encoding", "Accept", "Accept-Encoding", "Range", "If-Match", "Origin",
        "Sec-WebSocket-Key", "Sec-Fetch-Site", "Access-Control-Request-Method", "X-HTTP-Method-Override",
    ])
    func `What the request means something by cannot carry a claim`(name: String) {
        #expect(ForwardedHeaderName.objection(to: name) == .hasMeaning)
    }

    @Test(arguments: [
        "X-Auth-Status", "x_auth_status", "XAuthStatus", "X-Auth-Legacy-Audience", "X-Forwarded-For", "X-Forwarded-Port",
        "Forwarded", "X-Request-Id", "traceparent", "tracestate", "X-Real-IP", "x_original_url",
    ])
    func `What the proxy sets or removes itself cannot carry a claim`(name: String) {
        #expect(ForwardedHeaderName.objection(to: name) == .isOurs)
    }
}
