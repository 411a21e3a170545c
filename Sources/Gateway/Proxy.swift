// The whole proxy: workers, the control plane that serves them, and their end.
//
// Calls come from one queue (the main one); everything else is posted to the loops.

public import Configuration
public import Observability
import Reactor

public final class Proxy {
    /// Why the proxy does not run.
    public struct StartFailure: Error, CustomStringConvertible {
        public let description: String
    }

    /// Where the admin listener listens, once the proxy has started; nil: nowhere.
    public private(set) var adminEndpoint: Endpoint?
    private let configuration: ProxyConfiguration
    private let places: Places
    private let version: String
    private let log: EventLog
    private let accessLog: LogFile?
    private let control: EventLoop
    private let keys: KeyService
    private let stateDirectory: StateDirectory?
    private var ledger: QueueBound<MigrationLedger>?
    private var upstreamWatches: [QueueBound<UpstreamWatch>] = []
    private var admin: QueueBound<AdminServer>?
    private var adminSocket: BoundSocket?
    private var loops: [EventLoop] = []
    private var workers: [QueueBound<Worker>] = []
    private var bound: [BoundSocket] = []

    /// Prepares everything and touches no network yet. `version` is what the admin pages call this program's.
    public init(_ configuration: ProxyConfiguration, version: String, log: EventLog, accessLog: LogFile?) throws {
        self.configuration = configuration
        places = try Places(of: configuration)
        self.version = version
        self.log = log
        self.accessLog = accessLog
        SignalSource.ignoreBrokenPipes()
        control = try EventLoop(label: "antechamber.control", lingerMilliseconds: 0)
        stateDirectory = configuration.stateDirectory.map { StateDirectory($0) }
        keys = try KeyService(
            policies: configuration.admission.issuers, stateDirectory: stateDirectory, loop: control
        ) { level, message in
            log.log(level, message)
        }
    }

    /// Binds the listeners, starts the workers, and begins to fetch keys. Returns where it listens.
    ///
    /// - Throws: `StartFailure` where an address cannot be bound, or the system has no descriptors left.
    public func start() throws -> [Endpoint] {
        let count = workerCount
        do {
            let sockets = try configuration.listeners.map { try bind($0.endpoint, count) }
            adminSocket = try configuration.admin.map { try bindAlone($0) }
            try startWorkers(sockets, count)
        } catch let error as SystemError {
            throw StartFailure(description: "cannot start: \(error)")
        }
        let installers = Array(zip(workers, loops.map(\.mailbox)))
        keys.subscribe { issuerIndex, material in
            for (worker, mailbox) in installers {
                mailbox.post { worker.unwrapped.install(material, forIssuerAt: issuerIndex) }
            }
        }
        for (index, upstream) in configuration.upstreams.enumerated() {
            let watch = UpstreamWatch(upstream, loop: control, log: log) { news, serverIndex in
                for (worker, mailbox) in installers {
                    mailbox.post { worker.unwrapped.generation.upstreams[index].install(news, forServerAt: serverIndex) }
                }
            }
            upstreamWatches.append(control.bind(watch))
        }
        let ledger = try makeLedger()
        self.ledger = ledger
        let endpoints = zip(configuration.listeners, bound).map { $0.endpoint.bound(to: $1.address) }
        do {
            try startAdmin(endpoints, ledger)
        } catch let error as SystemError {
            throw StartFailure(description: "cannot start: \(error)")
        }
        control.resume()
        keys.start()
        for watch in upstreamWatches { control.mailbox.post { watch.unwrapped.start() } }
        control.mailbox.post { ledger.unwrapped.start() }
        for loop in loops { loop.resume() }
        return endpoints
    }

    /// Stops accepting, lets requests in flight finish, and calls `completion` on some queue when they have.
    public func drain(completion: @escaping @Sendable () -> Void) {
        if let admin { control.mailbox.post { admin.unwrapped.drain() } }
        let drained = Countdown(workers.count)
        for (worker, loop) in zip(workers, loops) {
            loop.mailbox.post { worker.unwrapped.drain { drained.arrive() } }
        }
        // The workers listen on duplicates: with ours open the kernel would go on queueing connections.
        bound = []
        drained.whenReached(completion)
    }

    /// Closes everything, whatever is in flight, and returns when it is closed.
    public func stop() {
        let closed = Countdown(workers.count + 1)
        let control = control.bind(self.control)
        let controlMailbox = self.control.mailbox
        let workersClosed = Countdown(workers.count)
        for (worker, loop) in zip(workers, loops) {
            loop.mailbox.post { [ledger] in
                worker.unwrapped.stop()
                let taken = worker.unwrapped.legacyUse.take()
                controlMailbox.post { ledger?.unwrapped.add(taken) }
                workersClosed.arrive()
                closed.arrive()
            }
        }
        // They post too: what they close is closed before the loop.
        keys.stop()
        if let admin { self.control.mailbox.post { admin.unwrapped.stop() } }
        for watch in upstreamWatches { self.control.mailbox.post { watch.unwrapped.stop() } }
        // What workers have handed over is there by then.
        workersClosed.whenReached { [ledger] in
            controlMailbox.post {
                let close = {
                    control.unwrapped.close()
                    closed.arrive()
                }
                if let ledger { ledger.unwrapped.finish(close) } else { close() }
            }
        }
        closed.wait()
        bound = []
        adminSocket = nil
        accessLog?.flush(timeoutMilliseconds: 2000)
    }

    /// Who still uses the legacy audiences, over all workers.
    private func makeLedger() throws -> QueueBound<MigrationLedger> {
        let questions = zip(workers, loops.map(\.mailbox)).map { worker, mailbox in
            { @Sendable (answer: @escaping @Sendable (LegacyTallies.Taken) -> Void) in
                mailbox.post { answer(worker.unwrapped.legacyUse.take()) }
            }
        }
        return control.bind(
            try MigrationLedger(
                configuration.admission.issuers, places, in: stateDirectory, loop: control, workers: questions
            ) { [log] in log.log($0, $1) })
    }

    private var workerCount: Int {
        switch configuration.workers {
        case .auto: AvailableCPUs.count
        case .fixed(let count): count
        }
    }

    /// One socket for each worker, on one port; a Unix path has one for all.
    private func bind(_ endpoint: Endpoint, _ count: Int) throws -> [BoundSocket] {
        do {
            guard case .tcp = endpoint, count > 1 else {
                let only = try BoundSocket(endpoint: endpoint, sharesPort: false)
                bound.append(only)
                return Array(repeating: only, count: count)
            }
            // A port that is shared can be shared with anyone: a second proxy, started by mistake, would take half of
            // the requests without a word. So it must be free before it is shared.
            _ = try BoundSocket(endpoint: endpoint, sharesPort: false)
            let first = try BoundSocket(endpoint: endpoint, sharesPort: true)
            bound.append(first)
            // The first one may have been given a port by the kernel: the others join it there.
            return try [first] + (1..<count).map { _ in try BoundSocket(first.address, unixPath: nil, sharesPort: true) }
        } catch let error as SystemError {
            throw StartFailure(description: "cannot listen on \(endpoint): \(error.reason)")
        }
    }

    private func bindAlone(_ endpoint: Endpoint) throws -> BoundSocket {
        do {
            return try BoundSocket(endpoint: endpoint, sharesPort: false)
        } catch {
            throw StartFailure(description: "cannot listen on \(endpoint): \(error.reason)")
        }
    }

    /// Before the control loop runs, and after the workers were made.
    private func startAdmin(_ listeners: [Endpoint], _ ledger: QueueBound<MigrationLedger>) throws {
        guard let endpoint = configuration.admin, let socket = adminSocket else { return }
        let facts = ProcessFacts(
            version: version, settings: configuration, names: places.names, listeners: listeners, startedAtWall: Clock.wallNanoseconds(),
            startedAt: Clock.monotonicNanoseconds())
        let questions = zip(workers, loops.map(\.mailbox)).map { worker, mailbox in
            { @Sendable (answer: @escaping @Sendable (WorkerSnapshot) -> Void) in
                mailbox.post { answer(worker.unwrapped.snapshot) }
            }
        }
        let site = AdminSite(
            facts, loop: control, keys: keys, watches: upstreamWatches, ledger: ledger, workers: questions)
        admin = control.bind(try AdminServer(site, on: socket, loop: control, log: log))
        adminEndpoint = endpoint.bound(to: socket.address)
    }

    private func startWorkers(_ sockets: [[BoundSocket]], _ count: Int) throws {
        let keys = keys
        let shared = Worker.Shared(
            settings: configuration, places: places, log: log, accessLog: accessLog,
            connections: ConnectionCount(maximum: configuration.limits.connections)
        ) { issuerIndex, unknownKeyID in
            keys.wantKeys(issuerIndex: issuerIndex, unknownKeyID: unknownKeyID)
        }
        for index in 0..<count {
            let loop = try EventLoop(
                label: "antechamber.worker.\(index)", lingerMilliseconds: EventLoop.workerLingerMilliseconds)
            let worker = Worker(loop: loop, shared: shared)
            for (policy, group) in zip(configuration.listeners, sockets) { try worker.listen(on: group[index], as: policy) }
            loops.append(loop)
            workers.append(loop.bind(worker))
        }
    }
}
