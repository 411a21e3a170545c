// A client's connection: between requests only this, while one is served with an exchange.

import Bytes
import Reactor

final class ClientConnection: SocketStream, TimerHandler {
    private enum Phase {
        /// Accepted, and nothing has come yet.
        case fresh
        case idle
        case serving
        /// The response is out and our side is shut: what the client still sends is thrown away for a while, since
        /// closing on unread bytes would send a reset, which can destroy the response on its way.
        case lingering
    }

    /// For how long a client may go on sending what nobody will read: most have to send all of a body before they
    /// look at the response.
    private static let lingerNanoseconds: Int64 = 5_000_000_000

    private unowned let worker: Worker
    /// The address for the log.
    let addressText: [UInt8]
    /// The address for `X-Forwarded-For`: empty for a Unix socket.
    let forwardedAddress: [UInt8]
    /// Place in the worker's table.
    let index: Int
    var exchange: Exchange?
    private var phase = Phase.fresh
    private var timer: TimerID?

    init(worker: Worker, socket: consuming Socket, from peer: SocketAddress, index: Int) throws(SystemError) {
        self.worker = worker
        self.index = index
        let address = peer.ip?.description
        addressText = Array((address ?? "unix").utf8)
        forwardedAddress = Array((address ?? "").utf8)
        try super.init(loop: worker.loop, socket: socket)
        timer = loop.addTimer(self)
        schedule(at: loop.now + worker.settings.timeouts.clientHeader * 1_000_000)
    }

    var isBetweenRequests: Bool {
        switch phase {
        case .fresh, .idle: true
        case .serving, .lingering: false
        }
    }

    override func ready() {
        switch phase {
        case .fresh, .idle:
            if canRead {
                phase = .serving
                exchange = worker.beginExchange(for: self)
                exchange?.advance()
            } else if hasFailed {
                close()
            }
        case .serving:
            exchange?.advance()
        case .lingering:
            linger()
        }
    }

    func timerFired(_ timer: TimerID) {
        switch phase {
        case .fresh, .idle, .lingering: close()
        case .serving: exchange?.timedOut()
        }
    }

    func schedule(at deadline: Int64) {
        if let timer { loop.schedule(timer, at: deadline) }
    }

    /// The exchange is over and has let go: wait for the next request.
    func idle() {
        if worker.closesAfterResponse {
            close()
            return
        }
        phase = .idle
        schedule(at: loop.now + worker.settings.timeouts.keepalive * 1_000_000)
    }

    /// The exchange is over and has let go: close, once the client has what was sent.
    func closeAfterResponse(lingers: Bool) {
        if !lingers && !canRead {
            close()
            return
        }
        finishWriting()
        phase = .lingering
        schedule(at: loop.now + ClientConnection.lingerNanoseconds)
        linger()
    }

    private func linger() {
        let discarded = worker.discarded
        for _ in 0..<Exchange.turnsMax {
            discarded.removeAll()
            discarded.reserve(1)
            switch fill(discarded) {
            case .moved:
                continue
            case .blocked:
                if hasFailed { close() }
                return
            case .ended, .failed:
                close()
                return
            }
        }
        // There is more: after the others have had their turn.
        let continued = loop.bind(self)
        loop.mailbox.post { continued.unwrapped.ready() }
    }

    override func close(reset: Bool = false) {
        guard isOpen else { return }
        if let held = timer {
            timer = nil
            loop.removeTimer(held)
        }
        super.close(reset: reset)
        worker.clientClosed(self)
    }
}
