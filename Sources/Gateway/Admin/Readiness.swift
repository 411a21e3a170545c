// Whether requests should be sent here, and why not.

import Admission
import JOSE

/// Ready: every issuer has usable keys, health checks (where there are any) have shown at least one server of each backend to be up, and
/// nothing is ending. Until a check has passed nobody can promise an answer, although requests would be tried.
struct Readiness: Equatable {
    enum Shortcoming: Equatable {
        case keys(issuer: String, reason: String)
        case upstream(servers: String)
        case draining
    }

    let missing: [Shortcoming]

    var isReady: Bool { missing.isEmpty }

    init(issuers: [IssuerStatus], upstreams: [UpstreamHealth], isDraining: Bool) {
        var missing: [Shortcoming] = isDraining ? [.draining] : []
        for issuer in issuers where issuer.keys == nil {
            missing.append(.keys(issuer: issuer.issuer, reason: issuer.history.last?.detail ?? "not fetched yet"))
        }
        for upstream in upstreams where upstream.serversShownUp?.contains(true) == false {
            missing.append(.upstream(servers: upstream.policy.description))
        }
        self.missing = missing
    }

    var response: AdminResponse {
        .json(isReady ? .ok : .unavailable) { json in json.object(writeMembers) }
    }

    /// Writes the members of an object that has been begun.
    func writeMembers(to json: inout JSONWriter) {
        json.member("ready", isReady)
        json.name("missing")
        json.array(missing) { json, shortcoming in shortcoming.write(to: &json) }
    }
}

extension Readiness.Shortcoming {
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.name("what")
        switch self {
        case .draining:
            json.string("draining")
            json.name("reason")
            json.string("The proxy was told to stop.")
        case .keys(let issuer, let reason):
            json.string("keys")
            json.name("issuer")
            json.string(issuer)
            json.name("reason")
            json.string(reason)
        case .upstream(let servers):
            json.string("upstream")
            json.name("servers")
            json.string(servers)
            json.name("reason")
            json.string("No server's health checks have passed.")
        }
        json.endObject()
    }
}
