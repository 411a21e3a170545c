// Waiting for conditions. Nothing in a scenario waits for a duration and hopes; what has not come true
// by the deadline fails the test. The deadline is far beyond what a loaded machine needs.

import Foundation

/// A point in time by which something has to have happened.
struct Deadline: Sendable {
    static let standardSeconds: Double = 40
    private let instant: ContinuousClock.Instant

    init(seconds: Double = Deadline.standardSeconds) {
        instant = .now + .seconds(seconds)
    }

    var hasPassed: Bool { ContinuousClock.now >= instant }

    /// Milliseconds left, never below 0.
    var millisecondsLeft: Int32 {
        let left = ContinuousClock.now.duration(to: instant)
        return max(0, Int32(clamping: left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000))
    }
}

/// Why a scenario cannot go on.
struct ScenarioError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Polls until `condition` gives a value, or throws.
func eventually<Value>(
    _ what: String, within seconds: Double = Deadline.standardSeconds, _ condition: () throws -> Value?
) throws -> Value {
    let deadline = Deadline(seconds: seconds)
    while true {
        if let value = try condition() { return value }
        if deadline.hasPassed { throw ScenarioError("did not come true within \(seconds) s: \(what)") }
        Thread.sleep(forTimeInterval: 0.005)
    }
}

/// Polls until `condition` holds, or throws.
func eventually(
    _ what: String, within seconds: Double = Deadline.standardSeconds, holds condition: () throws -> Bool
) throws {
    let _: Void = try eventually(what, within: seconds) { try condition() ? () : nil }
}
