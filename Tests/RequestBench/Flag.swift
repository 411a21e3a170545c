// A word from one queue to another.

import Synchronization

final class Flag: Sendable {
    private let held = Atomic<Bool>(false)

    var value: Bool {
        get { held.load(ordering: .acquiring) }
        set { held.store(newValue, ordering: .releasing) }
    }
}
