import Admission
import Testing

@Suite struct HeaderHygieneTests {
    private static let hygiene = HeaderHygiene(
        policy: AdmissionPolicy(issuers: [], reservedHeaderPrefixes: ["X-Auth-"]))

    private func isReserved(
        _ name: String, under hygiene: HeaderHygiene = hygiene, fromTrusted: Bool = false
    ) -> Bool {
        hygiene.isReserved(Array(name.utf8).span, fromTrusted: fromTrusted)
    }

    @Test(arguments: [
        "X-Auth-Subject", "x-auth-subject", "X-AUTH-SUBJECT", "X_Auth_Subject", "x.auth.subject", "XAuthSubject",
        "X-Auth-", "X-Auth", "X-Auth-Anything", "X--Auth__Subject", "_X-Auth-Subject", "X-A-u-t-h-Role", "!X-Auth-A",
        "X-Authorization", "X-Request-Id", "x_request_id", "XRequestID", "Forwarded", "F.orwarded", "X-Forwarded-For",
        "X_Forwarded_Proto", "x-forwarded-host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Original-URL",
        "x_rewrite_url", "X-Original-Host", "X-Real-IP", "CF.Connecting.IP", "Client-IP", "X-Envoy-Internal",
        "X-Envoy-Original-Path", "TraceState", "Proxy", "PROXY", "_Proxy",
    ])
    func `A name that folds into a reserved one is reserved`(name: String) {
        #expect(isReserved(name))
    }

    @Test(arguments: [
        "Authorization", "X-Aut", "X-Custom", "Accept", "Y-Auth-Subject", "X", "-", "_", "", "X-Request-Ids",
        "X-Request", "Forwarded-For", "From", "1-X-Auth-A", "X-Real-IPs", "X-Original-Filename", "Client", "TE",
        "Proxy-Status",
        // An application's own data about its own request: no decision hangs on it, and no proxy answers for it.
        "baggage", "Via", "X-HTTP-Method-Override", "sentry-trace",
    ])
    func `Any other name is not`(name: String) {
        #expect(!isReserved(name))
    }

    @Test(arguments: [
        "X-Auth-Subject", "X-Auth-Anything", "x_auth_status", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
        "Forwarded", "X-Request-Id", "traceparent", "tracestate", "X-Original-URL", "X-Rewrite-URL", "X-Original-Host",
        "X-Envoy-Original-Path", "X_Forwarded_Port", "X.Forwarded.Port", "X-Forwarded_Port", "X-Forwarded-Client.Cert",
        "Proxy", "XForwardedPort", "X-RealIP", "X_Real_IP", "!X-Real-IP", "X-Real-IP!", "X-Real-IP-", "CF_Connecting_IP", "X-Forwarded",
    ])
    func `Not even a trusted proxy can say it, or say it in such a spelling`(name: String) {
        #expect(isReserved(name, fromTrusted: true))
    }

    @Test(arguments: [
        "X-Forwarded-Port", "x-forwarded-prefix", "X-FORWARDED-CLIENT-CERT", "X-Real-IP", "x-real-ip", "CF-Connecting-IP",
        "True-Client-IP", "X-Envoy-External-Address", "X-Scheme", "Accept",
    ])
    func `A trusted proxy can say it, in its own spelling`(name: String) {
        #expect(!isReserved(name, fromTrusted: true))
    }

    @Test func `A header that a claim goes in is kept out wherever it is set, in every spelling`() {
        let policy = AdmissionPolicy(
            issuers: [],
            rules: [
                AccessRules(), AccessRules(forward: ForwardPolicy([ForwardedClaim(ClaimPath(["sub"]), "X-User-Id")])),
                AccessRules(forward: ForwardPolicy([ForwardedClaim(ClaimPath([]), "Claims", encoding: .json)])),
            ])
        let hygiene = HeaderHygiene(policy: policy)
        for name in ["X-User-Id", "x_user_id", "XUSERID", "x.user.id-", "Claims", "claims", "C_LAIMS"] {
            #expect(isReserved(name, under: hygiene), "\(name)")
            #expect(isReserved(name, under: hygiene, fromTrusted: true), "\(name)")
        }
        for name in ["X-User", "X-User-Ids", "Claim"] { #expect(!isReserved(name, under: hygiene), "\(name)") }
    }

    @Test func `Prefixes of the operator's join the names that we set, whatever they are`() {
        let policy = AdmissionPolicy(issuers: [], reservedHeaderPrefixes: ["X-Company_", "9-lives"])
        let hygiene = HeaderHygiene(policy: policy)
        for name in ["X-Company-Role", "x_company", "9Lives-Left", "X-Auth-Subject", "x_auth_status"] {
            #expect(isReserved(name, under: hygiene), "\(name)")
        }
        #expect(!isReserved("X-Auth-Role", under: hygiene))
        #expect(!isReserved("9-live", under: hygiene))
    }
}
