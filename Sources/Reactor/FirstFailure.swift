// What went wrong first, where several loops do the same.

internal import Synchronization

public final class FirstFailure: Sendable {
    private let noted = Mutex<String?>(nil)

    public init() {}

    /// Nil: nothing has gone wrong so far.
    public var reason: String? { noted.withLock { $0 } }

    /// Any queue may call this.
    public func note(_ reason: String) {
        noted.withLock { $0 = $0 ?? reason }
    }
}
