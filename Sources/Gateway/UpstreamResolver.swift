// The backend's name, looked up again and again: containers move, and a proxy that remembers an address for ever
// sends requests to whoever has it next.

import Configuration
import Reactor

/// Lives on the control loop.
final class UpstreamResolver: TimerHandler {
    private static let refreshNanoseconds: Int64 = 10_000_000_000
    private static let retryNanoseconds: Int64 = 1_000_000_000

    private let endpoint: Endpoint
    private let loop: EventLoop
    private var publish: (@Sendable (UpstreamAddresses) -> Void)?
    private var timer: TimerID?

    init(_ endpoint: Endpoint, loop: EventLoop) {
        self.endpoint = endpoint
        self.loop = loop
    }

    /// Set before `start`: told of every look-up's outcome.
    func subscribe(_ publish: @escaping @Sendable (UpstreamAddresses) -> Void) {
        self.publish = publish
    }

    func start() {
        if let address = endpoint.address {
            publish?(.known([address]))
            return
        }
        let resolver = loop.bind(self)
        loop.mailbox.post { resolver.unwrapped.lookUp() }
    }

    func timerFired(_ timer: TimerID) {
        lookUp()
    }

    private func lookUp() {
        guard case .tcp(let host, let port) = endpoint else { return }
        let resolver = loop.bind(self)
        let mailbox = loop.mailbox
        NameResolver.resolve(host: host, port: port) { result in
            mailbox.post { resolver.unwrapped.finished(result) }
        }
    }

    private func finished(_ result: Result<[SocketAddress], NameResolver.Failure>) {
        let delay: Int64
        switch result {
        case .success(let addresses):
            publish?(.known(addresses))
            delay = UpstreamResolver.refreshNanoseconds
        case .failure(let failure):
            publish?(.unknown(reason: failure.reason))
            delay = UpstreamResolver.retryNanoseconds
        }
        let timer = timer ?? loop.addTimer(self)
        self.timer = timer
        loop.schedule(timer, at: loop.now + delay)
    }
}
