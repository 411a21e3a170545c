// What one worker has seen of all legacy audiences since it last handed that over. Confined to its loop.

import Admission
import Bytes
import HTTPWire
import Migration
import OpenSSLKit

struct LegacyTallies {
    /// What a worker hands over: tallies by the legacy audiences' places.
    typealias Taken = [(place: Int, tally: LegacyTally)]

    private let places: Places
    private var tallies: [LegacyTally]

    init(_ places: Places) {
        self.places = places
        let count = places.names.audiences.count
        tallies = Array(repeating: LegacyTally(routeCount: places.names.routes.count), count: count)
    }

    /// Counts a request that was admitted, if it was for a legacy audience.
    ///
    /// - Parameters:
    ///   - route: its place.
    ///   - bytes: those that `head` was parsed from.
    mutating func record(
        _ identity: Identity, at now: Int64, route: Int, _ head: borrowing RequestHead, in bytes: Span<UInt8>
    ) {
        guard let place = places.audience(of: identity) else { return }
        tallies[place].record(
            at: now, subject: subject(of: identity), issuedAt: identity.issuedAt, route: route,
            userAgent: Self.userAgent(head, in: bytes))
    }

    /// All that was counted since the last time.
    mutating func take() -> Taken {
        var taken: Taken = []
        for index in tallies.indices {
            if let tally = tallies[index].take() { taken.append((place: index, tally: tally)) }
        }
        return taken
    }

    /// A number for a subject, from which it cannot be told. As the log has it, cut to a bound: two that differ behind
    /// that count as one.
    private func subject(of identity: Identity) -> UInt64? {
        let subject = identity.subjectJSON
        return subject.isEmpty ? nil : SHA256Digest(of: subject).prefix
    }

    @_lifetime(copy bytes)
    private static func userAgent(_ head: borrowing RequestHead, in bytes: Span<UInt8>) -> Span<UInt8> {
        for index in head.fields.indices {
            let field = head.fields[index]
            if field.kind == .other, bytes.slice(field.name).equalsIgnoringCase("user-agent") {
                return bytes.slice(field.value)
            }
        }
        return bytes.extracting(first: 0)
    }
}
