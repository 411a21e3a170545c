// What a key policy comes to: the places that keys are fetched from, checked before anything is fetched.

/// Where the keys of an issuer come from, checked once.
enum KeyPlan {
    case discovery(Discovery.Locations)
    case uri(HTTPURL)
    case file(String)
    case secret(String)
}

extension KeyPlan {
    init(issuer: String, policy: KeyPolicy) throws(KeySourceError) {
        switch policy.source {
        case .discovery:
            do throws(DiscoveryError) {
                self = .discovery(try Discovery.locations(ofIssuer: issuer))
            } catch {
                throw KeySourceError(issuer: issuer, reason: error.reason)
            }
        case .uri(let text):
            let url: HTTPURL
            do throws(HTTPURLError) {
                url = try HTTPURL(parsing: text)
            } catch {
                throw KeySourceError(issuer: issuer, reason: "the jwks_uri \(error.reason)")
            }
            guard url.isPotentiallyTrustworthy else {
                throw KeySourceError(issuer: issuer, reason: "the jwks_uri is not https")
            }
            self = .uri(url)
        case .fileOnly:
            guard let file = policy.file else { throw KeySourceError(issuer: issuer, reason: "no jwks_file is named") }
            self = .file(file)
        case .secretFile(let file):
            if policy.file != nil {
                throw KeySourceError(issuer: issuer, reason: "a jwks_file has no place beside a secret_file")
            }
            self = .secret(file)
        }
    }
}
