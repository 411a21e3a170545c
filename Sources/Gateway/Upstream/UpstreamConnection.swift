// A connection to one of a backend's servers: connecting, serving an exchange, or idle in the pool.

import Bytes
import HTTPWire
import Reactor

final class UpstreamConnection: SocketStream {
    let server: UpstreamServer
    /// The server's, which keeps it while it idles, and closes it when it keeps it no longer.
    let group: UpstreamGroup
    /// Whom it serves; nil while it idles.
    private(set) var exchange: Exchange?
    private(set) var isConnecting = true
    /// It has served a request before the one at hand.
    var isReused = false
    /// Monotonic time after which the backend may close it under a request, in nanoseconds.
    private(set) var reusableUntil: Int64 = 0

    /// How long a connection is kept idle where the backend does not say, in seconds.
    private static let idleSeconds: Int64 = 60

    private let address: SocketAddress
    /// The version of the server's addresses that `address` was last found among.
    private var addressesVersion: Int

    /// Starts to connect.
    init(to address: SocketAddress, of server: UpstreamServer, loop: EventLoop) throws(SystemError) {
        self.server = server
        group = server.group
        self.address = address
        addressesVersion = server.addressesVersion
        try super.init(loop: loop, socket: try Socket.connecting(to: address))
    }

    /// From here to `leave` the server has a request under way.
    func serve(_ exchange: Exchange) {
        self.exchange = exchange
        group.requestStarted(at: server)
    }

    /// The exchange has let go of it: it is closed next, or given back.
    func leave() {
        exchange = nil
        group.requestEnded(at: server)
    }

    /// Goes on with connecting, and with TLS behind it. nil: not decided yet.
    func continueConnecting() -> Result<Void, ConnectFailure>? {
        let outcome = continueConnecting(to: server.tls, sessions: server.sessions)
        if case .success = outcome { isConnecting = false }
        return outcome
    }

    /// Whether the server is still where this leads to.
    var isToCurrentAddress: Bool {
        if addressesVersion == server.addressesVersion { return true }
        guard server.isAt(address) else { return false }
        addressesVersion = server.addressesVersion
        return true
    }

    override func ready() {
        if let exchange {
            exchange.advance()
        } else if !isQuiet {
            // Nobody asked: whatever it is, it would be taken for the next request's response.
            group.pool.drop(self)
        }
    }

    /// Takes the backend's word for how long it keeps idle connections: `Keep-Alive: timeout=5` (RFC 2068 §19.7.1.1,
    /// as Node and others still send it). A second is left for the request to get there.
    func noteKeepAlive(_ head: borrowing ResponseHead, in bytes: Span<UInt8>, now: Int64) {
        var seconds = UpstreamConnection.idleSeconds
        if let field = head.first(.keepAlive), let timeout = keepAliveTimeout(bytes.slice(field.value)) {
            seconds = min(seconds, timeout - 1)
        }
        reusableUntil = now + seconds * 1_000_000_000
    }

    /// The number after `timeout=`, or nil where there is none.
    private func keepAliveTimeout(_ value: Span<UInt8>) -> Int64? {
        let name: StaticString = "timeout="
        let nameBytes = name.utf8CodeUnitCount
        guard value.count > nameBytes else { return nil }
        for start in 0..<(value.count - nameBytes)
        where value.extracting(start..<(start + nameBytes)).equalsIgnoringCase(name) {
            var seconds: Int64 = 0
            var position = start + nameBytes
            guard ASCII.isDigit(value[position]) else { return nil }
            while position < value.count, ASCII.isDigit(value[position]), seconds < 100_000 {
                seconds = seconds * 10 + Int64(value[position] - 0x30)
                position += 1
            }
            return seconds
        }
        return nil
    }
}
