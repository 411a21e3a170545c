// Idle connections to the backend, the one used last on top: the others may run out of their time and go.

import Reactor

final class UpstreamPool {
    private let loop: EventLoop
    private let idleMax: Int
    private var idle: [UpstreamConnection] = []

    init(loop: EventLoop, idleMax: Int) {
        self.loop = loop
        self.idleMax = idleMax
    }

    /// An idle connection that may be used, or nil.
    ///
    /// - Parameter checked: ask the kernel whether the backend has closed it meanwhile.
    func take(checked: Bool) -> UpstreamConnection? {
        while let connection = idle.popLast() {
            // What may have come to an idle connection is nobody's response.
            let mustAsk = checked || connection.canRead
            if connection.reusableUntil > loop.now, !(mustAsk && connection.hasUnreadInput) {
                connection.isReused = true
                return connection
            }
            connection.close()
        }
        return nil
    }

    func give(back connection: UpstreamConnection) {
        if idle.count < idleMax, !connection.peerHasClosed {
            idle.append(connection)
        } else {
            connection.close()
        }
    }

    /// An idle connection has ended, or said something.
    func drop(_ connection: UpstreamConnection) {
        if let place = idle.firstIndex(where: { $0 === connection }) { idle.remove(at: place) }
        connection.close()
    }

    func closeAll() {
        for connection in idle { connection.close() }
        idle.removeAll()
    }
}
