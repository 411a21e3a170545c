// The hosts by which the admin pages may be asked for.
//
// Any web site can have a name of its own lead to this address (DNS rebinding), and a visitor's browser would then let the
// site's page read these pages as its own. What shows it is the Host field, which a page cannot choose.

import Admission

struct AdminHosts {
    /// Where nobody elsewhere can own a name: RFC 6761 §6.3, RFC 6762 §3, and the zone that ICANN has set aside for private
    /// use.
    private static let privateZones: Set<Substring> = ["localhost", "local", "internal"]

    /// In lower case.
    private let names: Set<String>

    /// - Parameter names: of the configuration.
    init(_ names: [String]) {
        self.names = Set(names)
    }

    /// Whether a request that is meant for `authority`, a `host[:port]`, is answered: for any address, for a name without a
    /// dot or in a private zone, and for those that were given. Nil is what no browser sends.
    func include(_ authority: String?) -> Bool {
        guard let authority else { return true }
        switch (try? HTTPURL(parsing: "http://\(authority)"))?.host {
        case .ipv4, .ipv6: return true
        case .name(let name):
            let labels = name.split(separator: ".")
            return labels.count == 1 || labels.last.map(Self.privateZones.contains) == true || names.contains(name)
        case nil: return false
        }
    }
}
