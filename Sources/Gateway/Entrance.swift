// One of a worker's listeners, and what the connections that come in by it have in common.

import Configuration
import Reactor

final class Entrance: ListenerHandler {
    /// The same in all workers.
    let id: Int
    /// How connections are served that come from now on.
    var policy: ListenerPolicy
    /// It takes no more connections, and those that came by it serve no request after the one at hand.
    private(set) var isClosed = false
    private unowned let worker: Worker
    private var listener: Listener?

    /// - Parameter accepts: false: connections wait in the kernel's queue until `open()`.
    init(worker: Worker, _ id: Int, on bound: BoundSocket, as policy: ListenerPolicy, accepts: Bool) throws(SystemError) {
        self.id = id
        self.worker = worker
        self.policy = policy
        listener = try Listener(on: worker.loop, bound: bound, handler: self, accepts: accepts)
    }

    func open() { listener?.resume() }

    /// Connections that the kernel has queued would be reset with the socket: they are served as the last ones.
    func close() {
        listener?.acceptQueued()
        isClosed = true
        discard()
    }

    /// Goes without having been open.
    func discard() {
        listener?.stop()
        listener = nil
    }

    var mayAccept: Bool { worker.mayAccept }

    func accepted(_ socket: consuming Socket, from peer: SocketAddress) {
        worker.accepted(socket, from: peer, by: self)
    }

    func cannotAccept(_ error: SystemError) {
        worker.log.log(.error, "connections are not accepted and wait: \(error)")
    }
}
