// What is served, on the control loop: the configuration, and what keeps its keys, backends and listeners; and how the next
// configuration takes its place.
//
// A reload has three steps, each of which is over before the next one begins:
//
//   prepare   everything that can fail: listeners are bound, issuers' keys and ledgers made. Nothing is in use yet
//   open      each worker registers the new listeners, and accepts nothing there yet. Where one cannot, all forget them
//   become    keys, ledger and admin pages go over; then each worker, with all that it needs, in one message
//
// So it is all or nothing, and a worker never has rules without the keys that go with them.

import Admission
public import Configuration
import Observability
import Reactor

/// What became of a reload.
public enum ReloadOutcome: Sendable {
    /// The new configuration is served. `opened` and `closed` are addresses that are listened at now, and that are not any
    /// more; `kept` are directives whose new word needs a restart.
    case adopted(opened: [Endpoint], closed: [Endpoint], kept: [String])
    /// Nothing has changed, and why.
    case refused(reason: String)
}

final class ControlPlane {
    typealias Completion = @Sendable (ReloadOutcome) -> Void

    /// The next configuration, prepared.
    private struct Preparation {
        let settings: ProxyConfiguration
        let places: Places
        let accessLog: LogFile?
        let issuers: KeyService.Prepared
        let records: MigrationLedger.Prepared
        let listeners: ListenerSet
        let added: [BoundListener]
        /// False: the same configuration, at its addresses.
        let isReload: Bool
        let completion: Completion
    }

    private(set) var served: ServedConfiguration
    private(set) var listeners: ListenerSet
    /// Nil: nobody looks.
    var site: AdminSite?
    private let loop: EventLoop
    private let log: EventLog
    private let crew: Crew
    private let keys: KeyService
    private let ledger: MigrationLedger
    private let connections: ConnectionCount
    private var preparation: Preparation?
    private var lastWatchID: Int

    init(
        _ served: ServedConfiguration, _ listeners: ListenerSet, loop: EventLoop, log: EventLog, crew: Crew,
        keys: KeyService, ledger: MigrationLedger, connections: ConnectionCount
    ) {
        self.served = served
        self.listeners = listeners
        self.loop = loop
        self.log = log
        self.crew = crew
        self.keys = keys
        self.ledger = ledger
        self.connections = connections
        lastWatchID = served.watches.map(\.id).max() ?? 0
    }

    /// A watch over a backend, whose news go to all workers.
    static func watch(
        _ policy: UpstreamPolicy, id: Int, loop: EventLoop, log: EventLog, crew: Crew, after former: [UpstreamWatch] = []
    ) -> WatchLease {
        let watch = UpstreamWatch(policy, loop: loop, log: log, after: former) { news, serverIndex in
            crew.tell { worker, _ in worker.install(news, ofWatch: id, forServerAt: serverIndex) }
        }
        return WatchLease(watch, id: id, on: loop)
    }

    /// - Parameter keepsLedger: false: another process does still, and `keepLedger` will tell when it has ended.
    func start(keepsLedger: Bool) {
        for lease in served.watches { lease.watch.unwrapped.start() }
        if keepsLedger { keepLedger() }
    }

    /// The record of legacy audiences is read and written from now on.
    func keepLedger() { ledger.start() }

    /// Workers listen on duplicates: with these open the kernel would go on queueing connections.
    func letGoOfListeners() { listeners = ListenerSet() }

    func stop() {
        for lease in served.watches { lease.watch.unwrapped.stop() }
        letGoOfListeners()
    }

    /// Keys are there, and backends as far as they are watched.
    var isReady: Bool {
        let upstreams = served.watches.map(\.watch.unwrapped).map {
            UpstreamHealth(policy: $0.policy, serversShownUp: $0.serversShownUp)
        }
        return Readiness(issuers: keys.statuses, upstreams: upstreams, isDraining: false).isReady
    }

    /// A worker wants keys for a request.
    func want(ofGeneration number: Int, issuerIndex: Int, unknownKeyID: KeyIDHash?) {
        // In between the worker has got another generation, and asks anew.
        if number == served.number { keys.want(issuerIndex: issuerIndex, unknownKeyID: unknownKeyID) }
    }

    // MARK: Reload

    /// The next configuration did not even hold.
    func noteRefusal() { site?.reloads.refused += 1 }

    /// Serves `settings` from now on, or goes on as before; `completion` is told, on some queue. One at a time.
    func reload(_ settings: ProxyConfiguration, accessLog: LogFile?, completion: @escaping Completion) {
        prepare(settings, accessLog: accessLog, isReload: true, completion)
    }

    /// Listens where another process does that it takes over from.
    func join(completion: @escaping Completion) {
        prepare(served.settings, accessLog: served.accessLog, isReload: false, completion)
    }

    private func prepare(
        _ settings: ProxyConfiguration, accessLog: LogFile?, isReload: Bool, _ completion: @escaping Completion
    ) {
        precondition(preparation == nil, "a reload is under way")
        do {
            let places = try Places(of: settings, after: served.places.names)
            let (next, added) = try listeners.next(settings.listeners, workers: crew.count, joins: !isReload)
            preparation = Preparation(
                settings: settings, places: places, accessLog: accessLog,
                issuers: try keys.prepare(settings.admission.issuers),
                records: ledger.prepare(settings.admission.issuers, places), listeners: next, added: added,
                isReload: isReload, completion: completion)
        } catch {
            return refuse("\(error)", completion)
        }
        open()
    }

    private func open() {
        guard let added = preparation?.added, !added.isEmpty else { return become() }
        let opened = Countdown(crew.count)
        let failure = FirstFailure()
        crew.tell { worker, index in
            for listener in added {
                do throws(SystemError) {
                    try worker.listen(listener.id, on: listener.sockets[index], as: listener.policy, accepts: false)
                } catch {
                    failure.note("cannot listen on \(listener.policy.endpoint): \(error)")
                }
            }
            opened.arrive()
        }
        let plane = loop.bind(self)
        opened.whenReached { [mailbox = loop.mailbox] in
            mailbox.post {
                if let reason = failure.reason { plane.unwrapped.rollBack(reason) } else { plane.unwrapped.become() }
            }
        }
    }

    private func rollBack(_ reason: String) {
        guard let failed = preparation else { return }
        preparation = nil
        let ids = Set(failed.added.map(\.id))
        crew.tell { worker, _ in worker.forgetEntrances(ids) }
        refuse(reason, failed.completion)
    }

    private func refuse(_ reason: String, _ completion: Completion) {
        noteRefusal()
        completion(.refused(reason: reason))
    }

    private func become() {
        guard let next = preparation else { return }
        preparation = nil
        let former = served
        let closed = listeners.listeners.filter { next.listeners.policies[$0.id] == nil }.map(\.endpoint)
        let (watches, new) = watches(of: next.settings)
        served = ServedConfiguration(
            number: former.number + 1, settings: next.settings, places: next.places, accessLog: next.accessLog,
            watches: watches, after: former)
        listeners = next.listeners
        connections.maximum = next.settings.limits.connections
        let material = keys.become(next.issuers)
        ledger.become(next.records, next.places)
        site?.become(served, listeners.listeners.map(\.endpoint), isReload: next.isReload)

        let told = Countdown(crew.count)
        crew.tell { [served, ledger = loop.bind(ledger), mailbox = loop.mailbox, policies = listeners.policies] worker, _ in
            // What was counted by the former configuration is told before its successor's.
            let taken = worker.legacyUse.take()
            mailbox.post { ledger.unwrapped.add(taken) }
            worker.become(served, keys: material, listeners: policies)
            told.arrive()
        }
        // After the workers have been told: they know the new watches by then.
        for lease in new { lease.watch.unwrapped.start() }
        let opened = next.added.map(\.endpoint)
        let kept = Self.kept(former.settings, next.settings)
        told.whenReached { [completion = next.completion] in completion(.adopted(opened: opened, closed: closed, kept: kept)) }
    }

    /// Watches over the backends of a configuration, and which of them are new.
    private func watches(of settings: ProxyConfiguration) -> ([WatchLease], new: [WatchLease]) {
        let former = served.watches
        var new: [WatchLease] = []
        let all = settings.upstreams.map { policy in
            if let same = former.first(where: { $0.watch.unwrapped.policy == policy }) { return same }
            lastWatchID += 1
            let lease = Self.watch(
                policy, id: lastWatchID, loop: loop, log: log, crew: crew, after: former.map(\.watch.unwrapped))
            new.append(lease)
            return lease
        }
        return (all, new)
    }

    /// What a running process cannot change, where the next configuration wants it otherwise.
    private static func kept(_ former: ProxyConfiguration, _ next: ProxyConfiguration) -> [String] {
        var kept: [String] = []
        if former.workers != next.workers { kept.append("workers") }
        if former.stateDirectory != next.stateDirectory { kept.append("state_dir") }
        if former.admin != next.admin { kept.append("admin") }
        return kept
    }
}
