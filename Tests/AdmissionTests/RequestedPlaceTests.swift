// `explain --path`: the place is found as the proxy finds it.

import Testing

@testable import Admission

@Suite struct RequestedPlaceTests {
    static let locations: [(path: LocationPath, route: RoutePolicy)] = {
        func path(_ text: String, exact: Bool = false) -> LocationPath { try! LocationPath(parsing: text, isExact: exact) }
        return [
            (path("/admin"), RoutePolicy(methods: ["GET"], rulesIndex: 1)),
            (path("/health", exact: true), RoutePolicy(isPublic: true)),
            (path("/trial"), RoutePolicy(enforcement: .reportOnly, rulesIndex: 2)),
        ]
    }()

    static func place(_ path: String, _ method: String = "GET") -> RequestedPlace {
        RequestedPlace(method: method, path: path, locations: locations, main: RoutePolicy())
    }

    @Test("A path comes to its location and that location's rules", arguments: [
        ("/", nil, 0), ("/admin", "/admin", 1), ("/admin/users?x=/health", "/admin", 1), ("/administrator", nil, 0),
        ("/health", "= /health", 0), ("/healthy", nil, 0), ("/trial/1", "/trial", 2),
    ] as [(String, String?, Int)])
    func found(path: String, location: String?, rulesIndex: Int) {
        let place = Self.place(path)
        #expect(place.location == location)
        #expect(place.rulesIndex == rulesIndex)
        #expect(place.refusal == nil)
        #expect(place.isPublic == (location == "= /health"))
    }

    @Test("What is refused whatever its token is said to be", arguments: [
        ("/ADMIN", "GET", RefusalCode.badRequest), ("/x/../admin", "GET", .badRequest), ("//admin", "GET", .badRequest),
        ("/admin", "DELETE", .methodNotAllowed), ("/admin", "TRACE", .methodNotAllowed), ("no-slash", "GET", .badRequest),
        ("/a b", "GET", .badRequest), ("/a\r\nX: y", "GET", .badRequest), ("/", "GE T", .badRequest),
        ("/" + String(repeating: "a", count: 9000), "GET", .uriTooLong),
    ])
    func refused(path: String, method: String, code: RefusalCode) {
        #expect(Self.place(path, method).refusal?.code == code)
    }

    @Test("The explanation of a token is that of the place")
    func explanations() {
        let refusal = Refusal(.insufficientScope, "The token's scope lacks it.")
        let base = Explanation(
            refusal: refusal, steps: [], signature: .held, kind: nil, remarks: [], claims: [],
            fields: [.init(name: "X-Auth-Subject", value: "alice")])

        let open = base.at(Self.place("/health"))
        #expect(open.isAdmitted)
        #expect(open.fields == [.init(name: "X-Auth-Status", value: "anonymous")])
        #expect(open.text().hasPrefix("admitted\nThe request needs no token.\n\nasked for: GET /health\nwhere: location = /health\n"))

        let shut = base.at(Self.place("/admin", "DELETE"))
        #expect(shut.refusal?.code == .methodNotAllowed)
        #expect(shut.fields.isEmpty)
        #expect(shut.text().contains("note: Refused whatever its token: This path is not served with that method."))

        let trial = base.at(Self.place("/trial"))
        #expect(trial.refusal == refusal, "the token is no better for being let through")
        #expect(trial.text().contains("note: enforce report_only: "))
        #expect(trial.json.contains(#""place":{"method":"GET","path":"/trial","location":"/trial","public":false,"enforce":"report_only""#))

        let elsewhere = base.at(Self.place("/"))
        #expect(elsewhere.text().contains("where: in no location: the rules of the main level\n"))
        #expect(!elsewhere.json.contains("\"location\""))
    }
}
