// One worker: an event loop and everything that lives on it. Nothing here is shared, so nothing is locked.

import Admission
import Bytes
import Configuration
import HTTPWire
import Observability
import Reactor
import Synchronization

/// The lines that a worker has not handed over yet.
final class AccessLogBatch {
    let batch = ByteBuffer(capacity: 16 * 1024)
    var lines = 0
    let file: LogFile

    init(_ file: LogFile) {
        self.file = file
    }

    func flush() {
        if lines == 0 { return }
        let held = batch
        file.write(held.readable.copied(), lines: lines)
        batch.removeAll()
        lines = 0
    }
}

final class Worker {
    /// What the workers of a process have in common.
    struct Shared: Sendable {
        let settings: ProxyConfiguration
        let places: Places
        let log: EventLog
        let accessLog: LogFile?
        /// Client connections of all workers, for `max_connections`.
        let connections: ConnectionCount
        /// Asks for an issuer's keys; answered by `install`.
        let wantKeys: @Sendable (_ issuerIndex: Int, _ unknownKeyID: KeyIDHash?) -> Void
    }

    /// Node sends up to 16 KiB by default; a backend may be more generous than we are with clients.
    static let responseHeadBytesMax = 64 * 1024
    /// Exchanges kept for the next requests, with their buffers.
    private static let spareExchangesMax = 64

    let loop: EventLoop
    let log: EventLog
    let accessLog: AccessLogBatch?
    let authenticator: Authenticator
    /// What requests are served by that begin now.
    let generation: Generation
    /// Room for bytes that nobody wants.
    let discarded = ByteBuffer(capacity: 16 * 1024)
    /// Room for the address of a log line.
    let addressText = ByteBuffer(capacity: IPAddress.textBytesMax)
    var requestIDs = RequestIDGenerator()
    var metrics: WorkerMetrics
    var legacyUse: LegacyTallies
    private(set) var isDraining = false
    /// No connection serves another request after the one at hand.
    var closesAfterResponse: Bool { isDraining || generation.settings.timeouts.keepalive == 0 }

    private let shared: Shared
    private var entrances: [Entrance] = []
    private var listeners: [Listener] = []
    private var clients: [ClientConnection?] = []
    private var freeClients: [Int] = []
    private var spareExchanges: [Exchange] = []
    private var exchangesInUse = 0
    // Exchanges leave this table when they are released: one from the pool may serve another client by the time
    // that keys arrive, and one that nobody waits for any more need not be kept.
    private var awaitingKeys: [[ObjectIdentifier: Exchange]]
    private var onDrained: (() -> Void)?

    init(loop: EventLoop, shared: Shared) {
        self.loop = loop
        self.shared = shared
        let settings = shared.settings
        log = shared.log
        accessLog = shared.accessLog.map(AccessLogBatch.init)
        authenticator = Authenticator(policy: settings.admission)
        generation = Generation(settings, at: shared.places, loop: loop, log: log)
        metrics = WorkerMetrics(shared.places.names)
        legacyUse = LegacyTallies(shared.places)
        awaitingKeys = Array(repeating: [:], count: settings.admission.issuers.count)
        if let accessLog {
            loop.afterBatch = { accessLog.flush() }
        }
    }

    // MARK: Clients

    func listen(on bound: BoundSocket, as policy: ListenerPolicy) throws(SystemError) {
        let entrance = Entrance(worker: self, policy: policy)
        entrances.append(entrance)
        listeners.append(try Listener(on: loop, bound: bound, handler: entrance))
    }

    var mayAccept: Bool { shared.connections.hasRoom }

    func accepted(_ socket: consuming Socket, from peer: SocketAddress, by policy: ListenerPolicy) {
        if policy.takesProxyHeader, !generation.settings.trustedProxies.contains(peer: peer.ip) {
            // What it would say is not believed, and without it nobody knows for whom it speaks.
            log.log(.info, "client \(peer.ip?.description ?? "unix"): refused: it is none of the trusted_proxies")
            return
        }
        let index = freeClients.popLast() ?? clients.count
        if index == clients.count { clients.append(nil) }
        do throws(SystemError) {
            clients[index] = try ClientConnection(
                worker: self, socket: socket, from: peer.ip, awaitsProxyHeader: policy.takesProxyHeader, index: index)
            shared.connections.add()
        } catch {
            freeClients.append(index)
            log.log(.error, "cannot serve a new connection: \(error)")
        }
    }

    func clientClosed(_ client: ClientConnection) {
        clients[client.index] = nil
        freeClients.append(client.index)
        shared.connections.remove()
        if isDraining { reportIfDrained() }
    }

    func beginExchange(for client: ClientConnection) -> Exchange {
        let exchange = spareExchanges.popLast() ?? Exchange(worker: self)
        exchangesInUse += 1
        exchange.begin(for: client)
        return exchange
    }

    func exchangeEnded(_ exchange: Exchange) {
        exchangesInUse -= 1
        if spareExchanges.count < Worker.spareExchangesMax {
            spareExchanges.append(exchange)
        }
    }

    var snapshot: WorkerSnapshot {
        let figures = generation.upstreams.map(\.figures)
        let servers = figures.joined()
        let connections = ConnectionFigures(
            clientActive: exchangesInUse,
            clientIdle: clients.count - freeClients.count - exchangesInUse,
            upstreamActive: servers.reduce(0) { $0 + $1.requestsUnderWay },
            upstreamIdle: servers.reduce(0) { $0 + $1.idleConnections })
        return WorkerSnapshot(
            metrics: metrics, tokens: authenticator.counters, rememberedTokens: authenticator.rememberedTokens,
            connections: connections, upstreams: figures)
    }

    // MARK: Keys

    func install(_ keys: KeyMaterial, forIssuerAt index: Int) {
        authenticator.install(keys, forIssuerAt: index)
        for exchange in awaitingKeys[index].values {
            exchange.decide()
            exchange.advance()
        }
    }

    func awaitKeys(_ exchange: Exchange, issuerIndex: Int, unknownKeyID: KeyIDHash?) {
        exchange.awaitedIssuer = issuerIndex
        awaitingKeys[issuerIndex][ObjectIdentifier(exchange)] = exchange
        shared.wantKeys(issuerIndex, unknownKeyID)
    }

    /// The exchange waits for nothing of the worker's any more.
    func forgetWaiting(_ exchange: Exchange) {
        if let issuerIndex = exchange.awaitedIssuer {
            exchange.awaitedIssuer = nil
            awaitingKeys[issuerIndex][ObjectIdentifier(exchange)] = nil
        }
        if exchange.awaitsAddresses {
            exchange.awaitsAddresses = false
            exchange.server?.group.forgetWaiting(exchange)
        }
    }

    // MARK: The end

    /// Stops accepting, closes what idles, lets what is in flight or about to come finish, and calls `completion` when
    /// all is done.
    func drain(_ completion: @escaping () -> Void) {
        isDraining = true
        onDrained = completion
        // Connections that the kernel has queued would be reset with the socket: they are served as the last ones.
        for listener in listeners {
            listener.acceptQueued()
            listener.stop()
        }
        listeners = []
        for client in clients.compactMap({ $0 }) { client.drain() }
        reportIfDrained()
    }

    /// Closes everything, whatever it is doing.
    func stop() {
        for client in clients.compactMap({ $0 }) {
            // Nobody's fault but ours: the log has no status for a response that was never sent.
            if let exchange = client.exchange { exchange.abandon(status: 0) } else { client.close() }
        }
        for group in generation.upstreams { group.pool.closeAll() }
        accessLog?.flush()
        loop.close()
    }

    private func reportIfDrained() {
        guard clients.count == freeClients.count, let completion = onDrained else { return }
        onDrained = nil
        completion()
    }
}

/// Client connections at once, over all workers.
final class ConnectionCount: Sendable {
    private let count = Atomic<Int>(0)
    /// 0 sets no bound.
    private let maximum: Int

    init(maximum: Int) {
        self.maximum = maximum
    }

    var hasRoom: Bool { maximum == 0 || count.load(ordering: .relaxed) < maximum }

    func add() { count.add(1, ordering: .relaxed) }
    func remove() { count.subtract(1, ordering: .relaxed) }
}
