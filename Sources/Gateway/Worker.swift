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
    let format: AccessLog.Format

    init(_ file: LogFile, _ format: AccessLog.Format) {
        self.file = file
        self.format = format
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
        let log: EventLog
        /// Client connections of all workers, for `max_connections`.
        let connections: ConnectionCount
        /// Asks for the keys of an issuer of the generation with this number; answered by `install`.
        let wantKeys: @Sendable (_ generation: Int, _ issuerIndex: Int, _ unknownKeyID: KeyIDHash?) -> Void
    }

    /// Node sends up to 16 KiB by default; a backend may be more generous than we are with clients.
    static let responseHeadBytesMax = 64 * 1024
    /// Exchanges kept for the next requests, with their buffers.
    private static let spareExchangesMax = 256
    private static let spareStoragesMax = 1024
    /// Handshakes that go on before others get their turn: some milliseconds of work.
    private static let handshakesPerTurn = 4

    let loop: EventLoop
    let log: EventLog
    private(set) var accessLog: AccessLogBatch?
    /// Decides by the newest rules; a request is decided once.
    private(set) var authenticator: Authenticator
    /// What requests are served by that begin now.
    private(set) var generation: Generation
    /// Of the exchanges' buffers.
    let storages = StoragePool(bytes: Exchange.inputBytes, sparesMax: Worker.spareStoragesMax)
    /// Room for bytes that nobody wants.
    let discarded = ByteBuffer(capacity: 16 * 1024)
    /// Room for the address and the user of a log line.
    let addressText = ByteBuffer(capacity: IPAddress.textBytesMax)
    let userText = ByteBuffer(capacity: 256)
    var requestIDs = RequestIDGenerator()
    var metrics: WorkerMetrics
    /// Of clients that came to no request.
    let turnedAway: TurnedAwayLog
    var legacyUse: LegacyTallies
    private(set) var isDraining = false

    private let shared: Shared
    private var entrances: [Entrance] = []
    /// By the number of their watch, as long as anybody has use for them.
    private var groups: [Int: WeakGroup] = [:]
    /// What the authenticators of former generations have counted.
    private var formerTokens = Authenticator.Counters.none
    private var clients: [ClientConnection?] = []
    private var freeClients: [Int] = []
    /// Clients whose handshakes have something to do, in their order.
    private var handshakes: [ClientConnection] = []
    private var handshakesArePosted = false
    private var spareExchanges: [Exchange] = []
    private var exchangesInUse = 0
    // Exchanges leave this table when they are released: one from the pool may serve another client by the time
    // that keys arrive, and one that nobody waits for any more need not be kept.
    private var awaitingKeys: [[ObjectIdentifier: Exchange]]
    private var onDrained: (() -> Void)?

    init(loop: EventLoop, shared: Shared, serving served: ServedConfiguration) {
        self.loop = loop
        self.shared = shared
        log = shared.log
        turnedAway = TurnedAwayLog(shared.log, on: loop)
        authenticator = Authenticator(policy: served.settings.admission)
        generation = Generation(served, loop: loop, log: log)
        metrics = WorkerMetrics(served.places.names)
        legacyUse = LegacyTallies(served.places)
        awaitingKeys = Array(repeating: [:], count: served.settings.admission.issuers.count)
        rememberGroups()
        log(as: served)
    }

    /// A log that has another form is another file's, if perhaps of the same name.
    private func log(as served: ServedConfiguration) {
        let file = served.accessLog
        if accessLog?.file === file { return }
        accessLog?.flush()
        let batch = file.map { AccessLogBatch($0, served.settings.accessLog.format) }
        accessLog = batch
        loop.afterBatch = batch.map { batch in { batch.flush() } }
    }

    private func rememberGroups() {
        groups = groups.filter { $0.value.group != nil }
        for group in generation.upstreams {
            if let id = group.watchID { groups[id] = WeakGroup(group) }
        }
    }

    // MARK: Clients

    /// - Parameter accepts: false: connections wait until the next configuration is served.
    func listen(_ id: Int = 0, on bound: BoundSocket, as policy: ListenerPolicy, accepts: Bool = true) throws(SystemError) {
        entrances.append(try Entrance(worker: self, id, on: bound, as: policy, accepts: accepts))
    }

    /// Gives up what `listen` has made, and that has not accepted anything.
    func forgetEntrances(_ ids: Set<Int>) {
        for entrance in entrances where ids.contains(entrance.id) { entrance.discard() }
        entrances.removeAll { ids.contains($0.id) }
    }

    var mayAccept: Bool { shared.connections.hasRoom }

    func accepted(_ socket: consuming Socket, from peer: SocketAddress, by entrance: Entrance) {
        if entrance.policy.takesProxyHeader, !generation.settings.trustedProxies.contains(peer: peer.ip) {
            // What it would say is not believed, and without it nobody knows for whom it speaks.
            metrics.arrivals.count(.untrustedProxy)
            turnedAway.log("client \(peer.ip?.description ?? "unix"): refused: it is none of the trusted_proxies")
            return
        }
        let index = freeClients.popLast() ?? clients.count
        if index == clients.count { clients.append(nil) }
        do throws(SystemError) {
            clients[index] = try ClientConnection(
                worker: self, socket: socket, from: peer.ip, by: entrance, index: index)
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

    /// Lets a client's handshake go on when it is its turn: each takes as long as a hundred requests, and those who are
    /// through with theirs must not wait for many.
    func shakeHands(with client: ClientConnection) {
        if client.awaitsHandshake { return }
        client.awaitsHandshake = true
        handshakes.append(client)
        continueHandshakesLater()
    }

    private func continueHandshakesLater() {
        if handshakesArePosted || handshakes.isEmpty { return }
        handshakesArePosted = true
        let worker = loop.bind(self)
        loop.mailbox.post { worker.unwrapped.continueHandshakes() }
    }

    private func continueHandshakes() {
        let turn = Array(handshakes.prefix(Worker.handshakesPerTurn))
        handshakes.removeFirst(turn.count)
        for client in turn {
            client.awaitsHandshake = false
            client.continueHandshake()
        }
        handshakesArePosted = false
        continueHandshakesLater()
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
        let handshaking = clients.count { $0?.isShakingHands ?? false }
        let connections = ConnectionFigures(
            clientActive: exchangesInUse,
            clientIdle: clients.count - freeClients.count - exchangesInUse - handshaking,
            clientHandshaking: handshaking,
            upstreamActive: servers.reduce(0) { $0 + $1.requestsUnderWay },
            upstreamIdle: servers.reduce(0) { $0 + $1.idleConnections })
        var tokens = formerTokens
        tokens.merge(authenticator.counters)
        return WorkerSnapshot(
            generation: generation.number, metrics: metrics, tokens: tokens, rememberedTokens: authenticator.rememberedTokens,
            connections: connections, upstreams: figures)
    }

    // MARK: Another configuration

    /// Serves this configuration from now on: the requests that begin, and those that nothing was decided of.
    ///
    /// - Parameters:
    ///   - keys: what is known of the issuers' keys, in their order.
    ///   - listeners: by the entrances' numbers. Entrances that are not among them close.
    func become(_ served: ServedConfiguration, keys: [KeyMaterial], listeners: [Int: ListenerPolicy]) {
        let former = generation
        formerTokens.merge(authenticator.counters)
        authenticator = Authenticator(policy: served.settings.admission)
        for (index, material) in keys.enumerated() { authenticator.install(material, forIssuerAt: index) }
        generation = Generation(served, loop: loop, log: log, after: former)
        former.retire(for: generation)
        rememberGroups()
        metrics.makeRoom(for: served.places.names)
        legacyUse = LegacyTallies(served.places)
        log(as: served)
        // They hold the former generation.
        spareExchanges.removeAll()

        let waiting = awaitingKeys.flatMap(\.values)
        awaitingKeys = Array(repeating: [:], count: served.settings.admission.issuers.count)
        for exchange in waiting { exchange.startOver() }
        becomeEntrances(listeners)
    }

    private func becomeEntrances(_ listeners: [Int: ListenerPolicy]) {
        for entrance in entrances {
            if let policy = listeners[entrance.id] {
                entrance.policy = policy
                entrance.open()
            } else {
                entrance.close()
            }
        }
        entrances.removeAll(where: \.isClosed)
        for client in clients.compactMap({ $0 }) { client.entranceChanged() }
    }

    /// News of a backend, from the watch with this number.
    func install(_ news: UpstreamNews, ofWatch id: Int, forServerAt index: Int) {
        groups[id]?.group?.install(news, forServerAt: index)
    }

    // MARK: Keys

    /// - Parameter number: of the generation whose issuer is meant.
    func install(_ keys: KeyMaterial, forIssuerAt index: Int, ofGeneration number: Int) {
        if number == generation.number { install(keys, forIssuerAt: index) }
    }

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
        shared.wantKeys(generation.number, issuerIndex, unknownKeyID)
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
        for entrance in entrances { entrance.close() }
        entrances = []
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
        // They hold the worker that holds them.
        spareExchanges = []
        accessLog?.flush()
        turnedAway.flush()
        loop.close()
    }

    private func reportIfDrained() {
        guard clients.count == freeClients.count, let completion = onDrained else { return }
        onDrained = nil
        completion()
    }
}

private struct WeakGroup {
    weak var group: UpstreamGroup?

    init(_ group: UpstreamGroup) {
        self.group = group
    }
}

/// Client connections at once, over all workers.
final class ConnectionCount: Sendable {
    private let count = Atomic<Int>(0)
    private let bound: Atomic<Int>

    init(maximum: Int) {
        bound = Atomic(maximum)
    }

    /// 0 sets no bound.
    var maximum: Int {
        get { bound.load(ordering: .relaxed) }
        set { bound.store(newValue, ordering: .relaxed) }
    }

    var hasRoom: Bool {
        let maximum = maximum
        return maximum == 0 || count.load(ordering: .relaxed) < maximum
    }

    func add() { count.add(1, ordering: .relaxed) }
    func remove() { count.subtract(1, ordering: .relaxed) }
}
