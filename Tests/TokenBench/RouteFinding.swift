// What it costs to find a request's location among few and among many.

import Admission
import Bytes
import HTTPWire

/// A table of locations, and requests to each of them in turn, all of paths of one form.
final class RouteFinding {
    private let table: RouteTable
    private let requests: [Request]
    private var next = 0

    /// - Parameter count: locations, and as many requests.
    init(among count: Int) throws {
        // Of the same length whatever their number.
        let paths = (0..<count).map { "/api/v1/resource-\(1000 + $0)" }
        table = RouteTable(
            try paths.map { .init(try LocationPath(parsing: $0, isExact: false), isPublic: false, asksForNothing: false) })
        requests = try paths.map { try Request(target: "\($0)/items/42?page=1") }
    }

    /// Whether the next request came to its own location.
    func findsNext() -> Bool {
        let index = next
        next = index + 1 == requests.count ? 0 : index + 1
        let request = requests[index]
        return (try? table.place(of: request.head, in: request.bytes.span)) == index
    }
}
