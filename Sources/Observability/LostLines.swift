// Lines that logs have lost, counted for as long as the process lives: a log may change its file, or get another one.

import Synchronization

/// Lines of one log that were not written.
public final class LostLines: Sendable {
    private let lines = Atomic<UInt64>(0)

    public init() {}

    public var count: UInt64 { lines.load(ordering: .relaxed) }

    func add(_ lost: Int) { lines.add(UInt64(lost), ordering: .relaxed) }
}

/// Those of the process's two logs.
public struct LogLosses: Sendable {
    public let access = LostLines()
    public let error = LostLines()

    public init() {}
}
