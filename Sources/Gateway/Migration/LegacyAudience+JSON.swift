// Where a legacy audience is on its way, as `/migration` says it.

import Admission
import Bytes
import JOSE

extension LegacyAudience {
    /// Writes the members of an object that has been begun: the phase at `now`, in Unix seconds, and the dates.
    func writeState(at now: Int64, into json: inout JSONWriter) {
        json.member("phase", phase(at: now).name)
        for (name, seconds) in [
            ("deprecated", deprecatedAt), ("issued_before", issuedBefore), ("accept_until", acceptUntil),
        ] {
            json.member(name, seconds.map(RFC3339.text))
        }
        json.name("brownouts")
        json.array(brownouts) { json, window in
            json.object { json in
                json.member("from", RFC3339.text(window.lowerBound))
                json.member("until", RFC3339.text(window.upperBound))
            }
        }
    }
}

extension LegacyAudience.Phase {
    /// A word of a closed set.
    var name: String {
        switch self {
        case .accepted: "accepted"
        case .deprecated: "deprecated"
        case .closedToNewTokens: "issued_before"
        case .brownout: "brownout"
        case .expired: "expired"
        }
    }
}
