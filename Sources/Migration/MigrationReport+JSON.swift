// The report for machines.
//
// There is one object whatever happens, and only the verdict `unused` is a pass. Where something is unknown there are
// no rows, as nothing in them could be relied on, and nobody can read zeros out of what is not there.

internal import Bytes
public import JOSE

extension MigrationReport {
    /// Writes one object: `verdict`, `since`, and either `failures` or `proxies` and a row an audience.
    public func write(into json: inout JSONWriter) {
        json.object { json in
            json.member("verdict", verdict.rawValue)
            json.member("since", RFC3339.text(start))
            if failures.isEmpty { writeFindings(into: &json) } else { writeFailures(into: &json) }
        }
    }

    private func writeFailures(into json: inout JSONWriter) {
        json.name("failures")
        json.array(failures) { json, failure in
            json.object { json in
                json.member("admin", failure.address)
                json.member("reason", failure.reason)
            }
        }
    }

    private func writeFindings(into json: inout JSONWriter) {
        json.member("whole_window", lateProxies.isEmpty)
        json.name("proxies")
        json.array(proxies) { json, proxy in
            json.object { json in
                json.member("admin", proxy.address)
                json.member("counted_since", proxy.countedSince.map(RFC3339.text))
            }
        }
        json.name("legacy_audiences")
        json.array(rows) { json, row in
            let (requests, subjects) = row.use.count(since: start)
            json.object { json in
                json.member("issuer", row.issuer)
                json.member("name", row.name)
                json.member("audience", row.audience)
                json.member("phase", row.phase)
                json.member("proxies", Int64(row.proxyCount))
                json.member("in_use", row.use.isUsed(since: start))
                json.member("requests_since", Int64(clamping: requests))
                json.member("subjects_since", Int64(subjects.estimate))
                row.use.writeMembers(into: &json, daysSince: start)
            }
        }
    }
}
