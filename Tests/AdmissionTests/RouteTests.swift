// What a route asks of a request, and on what ground it lets one through.

import Bytes
import HTTPWire
import Testing

@testable import Admission

@Suite struct RouteTests {
    private let authenticator = Fixture.authenticator()

    private func request(_ method: String, _ lines: [String]) -> [UInt8] {
        Array(("\(method) /x HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
    }

    /// `verified`, `anonymous`, `report_only CODE` or the refusal's code; a method that is not served comes first.
    private func outcome(
        _ policy: RoutePolicy, _ method: String = "GET", _ lines: [String] = [],
        by other: Authenticator? = nil
    ) -> String {
        let route = Route(policy)
        let bytes = request(method, lines)
        let head = Fixture.parse(bytes)
        do throws(Refusal) {
            try route.checkMethod(head, in: bytes.span)
        } catch {
            return "\(error.code.rawValue) \(error.allow ?? "-")"
        }
        switch route.judge(
            head, in: bytes.span, by: other ?? authenticator, at: Fixture.instant(), certificate: nil, mayAwaitKeys: false)
        {
        case .forward(.verified): return "verified"
        case .forward(.waived(let waiver)):
            if case .reportOnly(let code) = waiver.ground { return "report_only \(code.rawValue)" }
            return "anonymous"
        case .refuse(let refusal): return refusal.code.rawValue
        case .awaitKeys: return "awaits keys"
        }
    }

    private static let token = "Authorization: Bearer \(Fixture.token())"
    private static let expired = "Authorization: Bearer \(Fixture.token(["exp": "\(Fixture.now - 600)"]))"

    @Test func `Without further rules a token is needed, whatever the method`() {
        for method in ["GET", "OPTIONS", "PURGE"] {
            #expect(outcome(RoutePolicy(), method) == "missing_token")
            #expect(outcome(RoutePolicy(), method, [Self.token]) == "verified")
        }
    }

    @Test func `A public route looks at no token, not even at a bad one`() {
        for lines in [[], [Self.token], [Self.expired], ["Authorization: Bearer x", "Authorization: Bearer y"]] {
            #expect(outcome(RoutePolicy(isPublic: true), "POST", lines) == "anonymous")
        }
    }

    @Test func `Report-only forwards what it would refuse, and says for what`() {
        let report = RoutePolicy(enforcement: .reportOnly)
        #expect(outcome(report) == "report_only missing_token")
        #expect(outcome(report, "GET", [Self.token]) == "verified")
        #expect(outcome(report, "GET", [Self.expired]) == "report_only token_expired")
        #expect(outcome(report, "GET", ["Authorization: Bearer x"]) == "report_only malformed_token")
        #expect(outcome(report, "GET", ["Authorization: Bearer"]) == "report_only malformed_authorization")
        #expect(outcome(report, "GET", [Self.token, Self.token]) == "report_only multiple_tokens")
    }

    @Test func `Report-only forwards without keys, too`() {
        let authenticator = Authenticator(policy: AdmissionPolicy(issuers: [Fixture.policy()]))
        authenticator.install(
            KeyMaterial(state: .unavailable(retryAfterSeconds: 5), forcedRefreshAllowedAt: .max), forIssuerAt: 0)
        #expect(outcome(RoutePolicy(), "GET", [Self.token], by: authenticator) == "keys_unavailable")
        let report = RoutePolicy(enforcement: .reportOnly)
        #expect(outcome(report, "GET", [Self.token], by: authenticator) == "report_only keys_unavailable")
    }

    @Test(arguments: [
        ("GET", "GET, HEAD"), ("POST GET", "POST, GET, HEAD"), ("HEAD", "HEAD"), ("PUT PURGE", "PUT, PURGE"),
        ("HEAD GET", "HEAD, GET"),
    ])
    func `Only the methods named are served, byte for byte, and the refusal lists them`(given: String, allow: String) {
        let names = given.split(separator: " ").map(String.init)
        let served = allow.split(separator: ", ").map(String.init)
        for policy in [RoutePolicy(isPublic: true, methods: names), RoutePolicy(methods: names, enforcement: .reportOnly)] {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "PURGES", "get"] {
                let isServed = served.contains(method)
                let outcome = outcome(policy, method)
                #expect(isServed != outcome.hasPrefix("method_not_allowed"), "\(method)")
                if !isServed { #expect(outcome == "method_not_allowed \(allow)") }
            }
        }
    }

    private static let preflight = ["Origin: https://app.example", "Access-Control-Request-Method: DELETE"]

    @Test func `A preflight goes on without a token, whatever methods are served, unless it is asked for one`() {
        #expect(outcome(RoutePolicy(), "OPTIONS", Self.preflight) == "anonymous")
        #expect(outcome(RoutePolicy(methods: ["GET"]), "OPTIONS", Self.preflight) == "anonymous")
        #expect(outcome(RoutePolicy(enforcement: .reportOnly), "OPTIONS", Self.preflight) == "anonymous")
        #expect(outcome(RoutePolicy(), "OPTIONS", Self.preflight + ["Content-Length: 0"]) == "anonymous")
        #expect(outcome(RoutePolicy(), "OPTIONS", Self.preflight + ["X-Forwarded-Method: OPTIONS"]) == "anonymous")
        #expect(outcome(RoutePolicy(), "OPTIONS", Self.preflight.map { $0.lowercased() }) == "anonymous")
        let strict = RoutePolicy(preflights: .requireToken)
        #expect(outcome(strict, "OPTIONS", Self.preflight) == "missing_token")
        #expect(outcome(strict, "OPTIONS", Self.preflight + [Self.token]) == "verified")
        let both = RoutePolicy(methods: ["GET"], preflights: .requireToken)
        #expect(outcome(both, "OPTIONS", Self.preflight) == "method_not_allowed GET, HEAD")
    }

    @Test(arguments: [
        "Content-Length: 5", "Transfer-Encoding: chunked", "X-HTTP-Method-Override: DELETE", "X_HTTP_METHOD: DELETE",
        "x-method-override: DELETE", "_method: DELETE", "Connection: upgrade\r\nUpgrade: websocket", "Origin: null",
        "Access-Control-Request-Method: PUT", "X-Forwarded-Method: DELETE", "X-Forwarded-Method: OPTIONS, DELETE",
        "X-Forwarded-Method: options",
    ])
    func `What could do more than ask is no preflight`(line: String) {
        #expect(outcome(RoutePolicy(), "OPTIONS", Self.preflight + [line]) == "missing_token")
        #expect(outcome(RoutePolicy(), "OPTIONS", Self.preflight + [line, Self.token]) == "verified")
    }

    @Test func `A preflight is an OPTIONS with both of its fields`() {
        for method in ["GET", "DELETE", "options"] { #expect(outcome(RoutePolicy(), method, Self.preflight) == "missing_token") }
        for line in Self.preflight { #expect(outcome(RoutePolicy(), "OPTIONS", [line]) == "missing_token") }
    }

    @Test func `The backend is told the ground, in one field, and no other of ours is left`() throws {
        let forged = ["X-Auth-Status: verified", "X-Auth-Subject: mallory", "x_auth_scope: admin", Self.expired, "X-Other: 1"]
        for (policy, status) in [
            (RoutePolicy(isPublic: true), "anonymous"),
            (RoutePolicy(enforcement: .reportOnly), "report_only; reason=token_expired"),
        ] {
            let bytes = request("GET", forged)
            let head = Fixture.parse(bytes)
            guard case .forward(let admittance) = Route(policy).judge(
                head, in: bytes.span, by: authenticator, at: Fixture.instant(), certificate: nil, mayAwaitKeys: false)
            else {
                Issue.record("refused")
                return
            }
            let fields = ByteBuffer(capacity: 1)
            admittance.appendFields(to: fields)
            #expect(fields.text == "X-Auth-Status: \(status)\r\n")
            #expect(admittance.fieldBytes == fields.count)
            #expect(admittance.identity == nil)
        }
    }
}
