// The whole proxy: workers, the control plane that serves them, and their end.
//
// Calls come from one queue (the main one); everything else is posted to the loops.

public import Configuration
public import Observability
import Reactor
import Synchronization

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
    private let losses: LogLosses
    private let control: EventLoop
    private let keys: KeyService
    private let stateDirectory: StateDirectory?
    private let crew = Crew()
    private let connections: ConnectionCount
    private var loops: [EventLoop] = []
    private var ledger: QueueBound<MigrationLedger>?
    private var plane: QueueBound<ControlPlane>?
    private var admin: QueueBound<AdminServer>?
    private var adminSocket: BoundSocket?

    /// Prepares everything and touches no network yet. `version` is what the admin pages call this program's.
    ///
    /// - Parameter losses: what the logs have lost, over all the files that they were in.
    public init(
        _ configuration: ProxyConfiguration, version: String, log: EventLog, accessLog: LogFile?,
        losses: LogLosses = LogLosses()
    ) throws {
        self.configuration = configuration
        places = try Places(of: configuration)
        self.version = version
        self.log = log
        self.accessLog = accessLog
        self.losses = losses
        SignalSource.ignoreBrokenPipes()
        connections = ConnectionCount(maximum: configuration.limits.connections)
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
    /// - Parameter takesOver: another process serves the same, and keeps the state in `state_dir`. This one does all but
    ///   that and listening, until `join` and `predecessorEnded`.
    /// - Throws: `StartFailure` where an address cannot be bound, or the system has no descriptors left.
    public func start(takesOver: Bool = false) throws -> [Endpoint] {
        do {
            let count = workerCount
            let listeners = try ListenerSet().next(takesOver ? [] : configuration.listeners, workers: count).set
            adminSocket = try configuration.admin.map { try bindAdmin($0, joins: takesOver) }
            let watches = configuration.upstreams.enumerated().map { index, policy in
                ControlPlane.watch(policy, id: index + 1, loop: control, log: log, crew: crew)
            }
            let served = ServedConfiguration(
                number: 1, settings: configuration, places: places, accessLog: accessLog, watches: watches)
            let reference = PlaneReference()
            try startWorkers(serving: served, at: listeners, count, reference)
            let ledger = MigrationLedger(
                configuration.admission.issuers, places, in: stateDirectory, loop: control,
                workers: crew.questions { $0.legacyUse.take() }
            ) { [log] in log.log($0, $1) }
            let plane = ControlPlane(
                served, listeners, loop: control, log: log, crew: crew, keys: keys, ledger: ledger,
                connections: connections)
            let endpoints = listeners.listeners.map(\.endpoint)
            plane.site = try startAdmin(endpoints, ledger, served)
            self.ledger = control.bind(ledger)
            let bound = control.bind(plane)
            self.plane = bound
            reference.set(bound)
            begin(bound, keepsLedger: !takesOver)
            return endpoints
        } catch let error as SystemError {
            throw StartFailure(description: "cannot start: \(error)")
        }
    }

    private func begin(_ plane: QueueBound<ControlPlane>, keepsLedger: Bool) {
        keys.subscribe { [crew] issuerIndex, material in
            let number = plane.unwrapped.served.number
            crew.tell { worker, _ in worker.install(material, forIssuerAt: issuerIndex, ofGeneration: number) }
        }
        control.resume()
        keys.start()
        control.mailbox.post { plane.unwrapped.start(keepsLedger: keepsLedger) }
        for loop in loops { loop.resume() }
    }

    /// Tells, on some queue, whether there are keys, and backends as far as they are watched.
    public func askWhetherReady(_ answer: @escaping @Sendable (Bool) -> Void) {
        if let plane { control.mailbox.post { answer(plane.unwrapped.isReady) } }
    }

    /// Listens beside the process that this one takes over from, and accepts.
    public func join(completion: @escaping @Sendable (ReloadOutcome) -> Void) {
        if let plane { control.mailbox.post { plane.unwrapped.join(completion: completion) } }
    }

    /// The process that this one takes over from is gone: its state is this one's.
    public func predecessorEnded() {
        if let plane { control.mailbox.post { plane.unwrapped.keepLedger() } }
    }

    /// Serves this configuration from now on, or goes on as before where that cannot be; `completion` is told what became
    /// of it, on some queue. Not while another reload is under way, nor once the proxy drains.
    public func reload(
        _ configuration: ProxyConfiguration, accessLog: LogFile?, completion: @escaping @Sendable (ReloadOutcome) -> Void
    ) {
        guard let plane else { return completion(.refused(reason: "the proxy has not started")) }
        control.mailbox.post { plane.unwrapped.reload(configuration, accessLog: accessLog, completion: completion) }
    }

    /// A reload went no further than the configuration, which did not hold.
    public func noteRefusedReload() {
        if let plane { control.mailbox.post { plane.unwrapped.noteRefusal() } }
    }

    /// Stops accepting, lets requests in flight finish, and calls `completion` on some queue when they have.
    public func drain(completion: @escaping @Sendable () -> Void) {
        if let admin { control.mailbox.post { admin.unwrapped.drain() } }
        let drained = Countdown(crew.count)
        control.mailbox.post { [plane, crew] in
            // Before the workers let go of theirs: with ours open the kernel would go on queueing connections, and nobody
            // would take them.
            plane?.unwrapped.letGoOfListeners()
            crew.tell { worker, _ in worker.drain { drained.arrive() } }
        }
        drained.whenReached(completion)
    }

    /// Closes everything, whatever is in flight, and returns when it is closed.
    public func stop() {
        let closed = Countdown(crew.count + 1)
        let control = control.bind(self.control)
        let controlMailbox = self.control.mailbox
        let workersClosed = Countdown(crew.count)
        crew.tell { [ledger] worker, _ in
            worker.stop()
            let taken = worker.legacyUse.take()
            controlMailbox.post { ledger?.unwrapped.add(taken) }
            workersClosed.arrive()
            closed.arrive()
        }
        crew.dismiss()
        // They post too: what they close is closed before the loop.
        keys.stop()
        if let admin { self.control.mailbox.post { admin.unwrapped.stop() } }
        if let plane { self.control.mailbox.post { plane.unwrapped.stop() } }
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
        adminSocket = nil
    }

    private var workerCount: Int { Self.workerCount(of: configuration) }

    /// How many workers serve a configuration.
    public static func workerCount(of configuration: ProxyConfiguration) -> Int {
        switch configuration.workers {
        case .auto: AvailableCPUs.count
        case .fixed(let count): count
        }
    }

    private func bindAdmin(_ endpoint: Endpoint, joins: Bool) throws -> BoundSocket {
        do throws(SystemError) {
            return try BoundSocket(endpoint: endpoint, joins: joins)
        } catch {
            throw StartFailure(description: "cannot listen on \(endpoint): \(error.reason)")
        }
    }

    /// Before the control loop runs, and after the workers were made.
    private func startAdmin(
        _ listeners: [Endpoint], _ ledger: MigrationLedger, _ served: ServedConfiguration
    ) throws -> AdminSite? {
        guard let endpoint = configuration.admin, let socket = adminSocket else { return nil }
        let now = Clock.wallNanoseconds()
        let facts = ProcessFacts(
            version: version, settings: configuration, names: places.names, listeners: listeners, startedAtWall: now,
            startedAt: Clock.monotonicNanoseconds(), configuredAtWall: now)
        let site = AdminSite(
            facts, loop: control, keys: keys, watches: served.watches, limits: CountedLimit.all(of: served),
            ledger: control.bind(ledger), losses: losses, workers: crew.questions(\.snapshot))
        admin = control.bind(try AdminServer(site, on: socket, loop: control, log: log))
        adminEndpoint = endpoint.bound(to: socket.address)
        return site
    }

    private func startWorkers(
        serving served: ServedConfiguration, at listeners: ListenerSet, _ count: Int, _ reference: PlaneReference
    ) throws {
        let shared = Worker.Shared(log: log, connections: connections) { [mailbox = control.mailbox] number, issuer, keyID in
            mailbox.post {
                reference.plane?.unwrapped.want(ofGeneration: number, issuerIndex: issuer, unknownKeyID: keyID)
            }
        }
        for index in 0..<count {
            let loop = try EventLoop(
                label: "antechamber.worker.\(index)", lingerMilliseconds: EventLoop.workerLingerMilliseconds)
            let worker = Worker(loop: loop, shared: shared, serving: served)
            for listener in listeners.listeners {
                try worker.listen(listener.id, on: listener.sockets[index], as: listener.policy)
            }
            loops.append(loop)
            crew.join(worker, on: loop)
        }
    }
}

/// The control plane, for workers that are there before it.
private final class PlaneReference: Sendable {
    private let held = Mutex<QueueBound<ControlPlane>?>(nil)

    var plane: QueueBound<ControlPlane>? { held.withLock { $0 } }

    func set(_ plane: QueueBound<ControlPlane>) { held.withLock { $0 = plane } }
}
