// A server's name, looked up again and again: containers move, and a proxy that remembers an address for ever
// sends requests to whoever has it next.

import Configuration
import Observability
import Reactor

/// Lives on the control loop.
final class UpstreamResolver: TimerHandler {
    typealias LookUp = @Sendable (
        _ host: String, _ port: UInt16, _ completion: @escaping @Sendable (NameResolver.Outcome) -> Void
    ) -> Void

    /// Addresses of one name that are used, at most.
    static let addressesMax = 64
    private static let retryNanoseconds: Int64 = 1_000_000_000

    /// Told of every look-up's outcome; set before `start`.
    var publish: ((UpstreamAddresses) -> Void)?
    /// The addresses found last; empty where none ever was.
    private(set) var addresses: [SocketAddress]
    private let endpoint: Endpoint
    private let refreshNanoseconds: Int64
    private let loop: EventLoop
    private let log: EventLog
    private let resolve: LookUp
    private var timer: TimerID?
    private var isFailing = false

    init(
        _ endpoint: Endpoint, refreshMilliseconds: Int64, loop: EventLoop, log: EventLog, after former: UpstreamResolver? = nil,
        resolve: @escaping LookUp = NameResolver.resolve
    ) {
        self.endpoint = endpoint
        self.loop = loop
        self.log = log
        self.resolve = resolve
        refreshNanoseconds = refreshMilliseconds * 1_000_000
        addresses = endpoint.address.map { [$0] } ?? former?.addresses ?? []
    }

    /// On the loop. Numeric addresses and socket files need no name server, and never move: nothing is told of them.
    func start() {
        if endpoint.address == nil { lookUp() }
    }

    func stop() {
        publish = nil
        if let timer { loop.removeTimer(timer) }
        timer = nil
    }

    func timerFired(_ timer: TimerID) {
        lookUp()
    }

    private func lookUp() {
        guard case .tcp(let host, let port) = endpoint else { return }
        let resolver = loop.bind(self)
        let mailbox = loop.mailbox
        resolve(host, port) { outcome in
            mailbox.post { resolver.unwrapped.finished(outcome) }
        }
    }

    private func finished(_ outcome: NameResolver.Outcome) {
        guard let publish else { return }
        let delay: Int64
        switch outcome {
        case .success(let found):
            if isFailing { log.log(.notice, "upstream \(endpoint): the name resolves again") }
            isFailing = false
            addresses = Array(found.prefix(UpstreamResolver.addressesMax))
            publish(.known(addresses))
            delay = refreshNanoseconds
        case .failure(let failure):
            if !isFailing {
                let rest = addresses.isEmpty ? "" : "; the addresses it had serve on"
                log.log(.error, "upstream \(endpoint): the name cannot be resolved: \(failure.reason)\(rest)")
            }
            isFailing = true
            publish(.unknown(reason: failure.reason))
            delay = min(UpstreamResolver.retryNanoseconds, refreshNanoseconds)
        }
        let timer = timer ?? loop.addTimer(self)
        self.timer = timer
        loop.schedule(timer, at: loop.now + delay)
    }
}
