// Idle connections to a group's servers, of each server the one used last on top: those that are not needed reach
// their time below it, and go.
//
// The bound is on all of them together. Where it is reached, the server that holds the most gives up its oldest.

import Reactor

final class UpstreamPool {
    private let loop: EventLoop
    private var idleMax: Int
    private var idleCount = 0
    /// A stack a server.
    private var idle: [[UpstreamConnection]]

    init(loop: EventLoop, idleMax: Int, serverCount: Int) {
        self.loop = loop
        self.idleMax = idleMax
        idle = Array(repeating: [], count: serverCount)
    }

    /// An idle connection that may be used, or nil.
    ///
    /// Not one that the backend has closed, or sent anything by: bytes that nobody asked for would be taken for the
    /// response. The events of the batch that brought this request tell. What came after them the kernel knows, but
    /// asking costs half a microsecond.
    ///
    /// - Parameter asking: ask the kernel too, since the request could not be sent again where the connection has ended.
    func take(of server: UpstreamServer, asking: Bool) -> UpstreamConnection? {
        while let connection = idle[server.index].popLast() {
            idleCount -= 1
            if connection.reusableUntil > loop.now, connection.isQuiet, !asking || !connection.hasUnreadInput {
                connection.isReused = true
                return connection
            }
            connection.close()
        }
        return nil
    }

    func idleConnections(to server: UpstreamServer) -> Int { idle[server.index].count }

    func give(back connection: UpstreamConnection) {
        let index = connection.server.index
        while let oldest = idle[index].first, oldest.reusableUntil <= loop.now { drop(oldest) }
        guard !connection.peerHasClosed, connection.isToCurrentAddress, makeRoom(forServerAt: index) else {
            connection.close()
            return
        }
        idle[index].append(connection)
        idleCount += 1
    }

    /// An idle connection has ended, or said something.
    func drop(_ connection: UpstreamConnection) {
        let index = connection.server.index
        if let place = idle[index].firstIndex(where: { $0 === connection }) {
            idle[index].remove(at: place)
            idleCount -= 1
        }
        connection.close()
    }

    /// Closes what leads to where the server no longer is: whoever has the address next must not get its requests.
    func dropConnectionsElsewhere(of server: UpstreamServer) {
        for connection in idle[server.index] where !connection.isToCurrentAddress { drop(connection) }
    }

    /// Keeps none from now on.
    func retire() {
        closeAll()
        idleMax = 0
    }

    func closeAll() {
        for connection in idle.joined() { connection.close() }
        for index in idle.indices { idle[index].removeAll() }
        idleCount = 0
    }

    private func makeRoom(forServerAt index: Int) -> Bool {
        if idleCount < idleMax { return true }
        var fullest = index
        for other in idle.indices where idle[other].count > idle[fullest].count { fullest = other }
        // A server that holds the most itself, as the only one always does, gains nothing by the exchange.
        guard fullest != index, let oldest = idle[fullest].first else { return false }
        drop(oldest)
        return true
    }
}
