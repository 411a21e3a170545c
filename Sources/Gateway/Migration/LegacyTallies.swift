// What one worker has seen of all legacy audiences since it last handed that over. Confined to its loop.

import Admission
import Bytes
import HTTPWire
import Migration
import OpenSSLKit

struct LegacyTallies {
    /// What a worker hands over: tallies by the legacy audiences' places in the policy, issuer by issuer.
    typealias Taken = [(index: Int, tally: LegacyTally)]

    private var tallies: [LegacyTally]
    /// Of each issuer, the place of its first legacy audience.
    private let firstIndices: [Int]
    private let hasher: SHA256?

    init(_ issuers: [IssuerPolicy], routeCount: Int) {
        var firstIndices: [Int] = []
        var count = 0
        for issuer in issuers {
            firstIndices.append(count)
            count += issuer.legacyAudiences.count
        }
        self.firstIndices = firstIndices
        tallies = Array(repeating: LegacyTally(routeCount: routeCount), count: count)
        // Fails only where OpenSSL lacks memory: then subjects are not counted.
        hasher = count == 0 ? nil : try? SHA256()
    }

    /// Counts a request that was admitted, if it was for a legacy audience.
    ///
    /// - Parameter bytes: those that `head` was parsed from.
    mutating func record(
        _ identity: Identity, at now: Int64, route: Int, _ head: borrowing RequestHead, in bytes: Span<UInt8>
    ) {
        guard let legacyIndex = identity.legacyIndex else { return }
        tallies[firstIndices[identity.issuerIndex] + legacyIndex].record(
            at: now, subject: subject(of: identity), issuedAt: identity.issuedAt, route: route,
            userAgent: Self.userAgent(head, in: bytes))
    }

    /// All that was counted since the last time.
    mutating func take() -> Taken {
        var taken: Taken = []
        for index in tallies.indices {
            if let tally = tallies[index].take() { taken.append((index, tally)) }
        }
        return taken
    }

    /// A number for a subject, from which it cannot be told. As the log has it, cut to a bound: two that differ behind
    /// that count as one.
    private func subject(of identity: Identity) -> UInt64? {
        let subject = identity.subjectJSON
        if subject.isEmpty { return nil }
        return try? hasher?.digest(of: subject).prefix
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
