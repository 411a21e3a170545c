// Waiting for several loops to have done something.

internal import Dispatch

public final class Countdown: Sendable {
    private let group = DispatchGroup()

    /// Reached after `count` calls of `arrive`.
    public init(_ count: Int) {
        for _ in 0..<count { group.enter() }
    }

    /// One of them has done it. Any queue may call this.
    public func arrive() {
        group.leave()
    }

    /// Runs `body` on a queue of the system's once all have arrived.
    public func whenReached(_ body: @escaping @Sendable () -> Void) {
        group.notify(queue: .global(), execute: body)
    }

    /// Blocks until all have arrived. Not from a loop that is to arrive.
    public func wait() {
        group.wait()
    }
}
