// How anyone outside a loop reaches it: a list under a lock, and an eventfd in the loop's epoll set.
//
// `DispatchQueue.async` would wait until a lingering loop gives its queue back; the eventfd wakes it at once.

internal import CLinux
import Glibc
import Synchronization

/// Messages to one event loop, run there in the order in which they were posted.
public final class Mailbox: Sendable {
    private let pending = Mutex<[@Sendable () -> Void]>([])
    let descriptor: Int32

    init() throws(SystemError) {
        descriptor = clinux_eventfd()
        if descriptor < 0 { throw SystemError("eventfd") }
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// Runs `message` on the loop, soon. Never blocks for longer than the list is locked.
    public func post(_ message: @escaping @Sendable () -> Void) {
        let wasEmpty = pending.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        if wasEmpty {
            var one: UInt64 = 1
            _ = unsafe write(descriptor, &one, 8)
        }
    }

    /// Takes what has been posted, to be run by the loop.
    func takeAll() -> [@Sendable () -> Void] {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
        return pending.withLock { messages in
            let taken = messages
            messages.removeAll(keepingCapacity: true)
            return taken
        }
    }
}
