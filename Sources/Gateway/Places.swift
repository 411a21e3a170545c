// Where the routes, issuers and legacy audiences of a configuration are counted.
//
// What was counted once keeps its place and its name for as long as the process lives, whatever configurations come
// after: a counter never goes back, and a request that ends after a reload still counts where it began.

import Admission
import Configuration

/// What is counted apart. It only ever grows.
struct CountedNames: Sendable, Equatable {
    /// There were so many different names in this process that the tables are full.
    struct Full: Error, CustomStringConvertible {
        var description: String {
            "more locations, issuers and legacy audiences have come and gone than are counted apart; restart the proxy"
        }
    }

    struct Audience: Sendable, Equatable {
        var issuer: String
        var audience: String
        /// What it is called; the last word counts.
        var name: String
    }

    /// A few times what one configuration may have.
    static let routesMax = 16_384
    static let issuersMax = 1_024
    static let audiencesMax = 262_144

    /// The first is what lies in no location.
    fileprivate(set) var routes = [MetricsPage.mainRoute]
    /// The first is nobody: what no issuer's rules have decided.
    fileprivate(set) var issuers = [""]
    fileprivate(set) var audiences: [Audience] = []
}

/// The places of one configuration among the names.
struct Places: Sendable {
    static let mainRoute = 0
    static let noIssuer = 0

    let names: CountedNames
    /// In the order of the locations.
    let locations: [Int]
    /// In the order of the issuers.
    let issuers: [Int]
    /// By issuer, and for each by legacy audience.
    let audiences: [[Int]]

    /// - Parameter names: those of the configuration before.
    init(of settings: ProxyConfiguration, after names: CountedNames = CountedNames()) throws(CountedNames.Full) {
        var names = names
        var routes = Index(names.routes.map { [$0] })
        locations = settings.locations.map { location in
            let path = location.path.description
            return routes.place(of: [path]) { names.routes.append(path) }
        }
        var issuers = Index(names.issuers.map { [$0] })
        self.issuers = settings.admission.issuers.map { issuer in
            issuers.place(of: [issuer.identifier]) { names.issuers.append(issuer.identifier) }
        }
        var audiences = Index(names.audiences.map { [$0.issuer, $0.audience] })
        self.audiences = settings.admission.issuers.map { issuer in
            issuer.legacyAudiences.map { legacy in
                let audience = CountedNames.Audience(
                    issuer: issuer.identifier, audience: legacy.audience, name: legacy.name)
                let place = audiences.place(of: [audience.issuer, audience.audience]) { names.audiences.append(audience) }
                names.audiences[place].name = legacy.name
                return place
            }
        }
        guard names.routes.count <= CountedNames.routesMax, names.issuers.count <= CountedNames.issuersMax,
            names.audiences.count <= CountedNames.audiencesMax
        else { throw CountedNames.Full() }
        self.names = names
    }

    /// The place of the legacy audience that a token was admitted for, if it was one.
    func audience(of identity: Identity) -> Int? {
        identity.legacyIndex.map { audiences[identity.issuerIndex][$0] }
    }
}

/// Names by their bytes, as tokens are compared with them.
private struct Index {
    private var places: [[[UInt8]]: Int] = [:]

    init(_ names: [[String]]) {
        for (place, name) in names.enumerated() { places[Self.key(name)] = place }
    }

    /// Its place; a new name gets the next one, and `append` is called.
    mutating func place(of name: [String], append: () -> Void) -> Int {
        let key = Self.key(name)
        if let place = places[key] { return place }
        let place = places.count
        places[key] = place
        append()
        return place
    }

    private static func key(_ name: [String]) -> [[UInt8]] { name.map { Array($0.utf8) } }
}
