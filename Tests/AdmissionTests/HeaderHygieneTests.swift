import Admission
import Testing

@Suite struct HeaderHygieneTests {
    private static let hygiene = HeaderHygiene(
        policy: AdmissionPolicy(issuers: [], reservedHeaderPrefixes: ["X-Auth-"]))

    private func isReserved(_ name: String, under hygiene: HeaderHygiene = hygiene) -> Bool {
        hygiene.isReserved(Array(name.utf8).span)
    }

    @Test(arguments: [
        "X-Auth-Subject", "x-auth-subject", "X-AUTH-SUBJECT", "X_Auth_Subject", "x.auth.subject", "XAuthSubject",
        "X-Auth-", "X-Auth", "X-Auth-Anything", "X--Auth__Subject", "_X-Auth-Subject", "X-A-u-t-h-Role", "!X-Auth-A",
        "X-Authorization", "X-Request-Id", "x_request_id", "XRequestID", "Forwarded", "F.orwarded", "X-Forwarded-For",
        "X_Forwarded_Proto", "x-forwarded-host", "X-Forwarded-Port", "X-Forwarded-Prefix",
    ])
    func `A name that folds into a reserved one is reserved`(name: String) {
        #expect(isReserved(name))
    }

    @Test(arguments: [
        "Authorization", "X-Aut", "X-Custom", "Accept", "Y-Auth-Subject", "X", "-", "_", "", "X-Request-Ids",
        "X-Request",
        "Forwarded-For", "X-Original-URL", "X-Real-IP", "From", "1-X-Auth-A",
    ])
    func `Any other name is not`(name: String) {
        #expect(!isReserved(name))
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
