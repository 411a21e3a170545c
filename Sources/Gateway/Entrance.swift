// One of a worker's listeners, and what the connections that come in by it have in common.

import Configuration
import Reactor

final class Entrance: ListenerHandler {
    private unowned let worker: Worker
    private let policy: ListenerPolicy

    init(worker: Worker, policy: ListenerPolicy) {
        self.worker = worker
        self.policy = policy
    }

    var mayAccept: Bool { worker.mayAccept }

    func accepted(_ socket: consuming Socket, from peer: SocketAddress) {
        worker.accepted(socket, from: peer, by: policy)
    }

    func cannotAccept(_ error: SystemError) {
        worker.log.log(.error, "connections are not accepted and wait: \(error)")
    }
}
