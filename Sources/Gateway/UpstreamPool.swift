// Idle connections to the backend, the one used last on top: those that are not needed reach their time below it,
// and go.

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
    /// The kernel is asked whether the backend has closed it, or sent anything: its event may be later in the very
    /// batch that brought this request, and bytes that nobody asked for would be taken for the response.
    func take() -> UpstreamConnection? {
        while let connection = idle.popLast() {
            if connection.reusableUntil > loop.now, !connection.hasUnreadInput {
                connection.isReused = true
                return connection
            }
            connection.close()
        }
        return nil
    }

    func give(back connection: UpstreamConnection) {
        while let oldest = idle.first, oldest.reusableUntil <= loop.now { drop(oldest) }
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
