// What the admin pages are about: the whole process, at one moment.

import Configuration
import Observability
import Reactor

/// The sources of what is shown. Confined to the control loop.
final class AdminSite {
    let workers: [RollCall<WorkerSnapshot>.Question]
    var isDraining = false
    private let process: ProcessFacts
    private let loop: EventLoop
    private let keys: KeyService
    /// Of each of the configuration's `upstreams`.
    private let watches: [QueueBound<UpstreamWatch>]
    let ledger: QueueBound<MigrationLedger>

    init(
        _ process: ProcessFacts, loop: EventLoop, keys: KeyService, watches: [QueueBound<UpstreamWatch>],
        ledger: QueueBound<MigrationLedger>, workers: [RollCall<WorkerSnapshot>.Question]
    ) {
        self.process = process
        self.loop = loop
        self.keys = keys
        self.watches = watches
        self.ledger = ledger
        self.workers = workers
    }

    var readiness: Readiness {
        Readiness(issuers: keys.statuses, upstreams: upstreams, isDraining: isDraining)
    }

    private var upstreams: [UpstreamHealth] {
        zip(process.settings.upstreams, watches).map { policy, watch in
            UpstreamHealth(policy: policy, serversShownUp: watch.unwrapped.serversShownUp)
        }
    }

    /// Who still uses the legacy audiences, as far as the ledger knows.
    var migration: AdminResponse {
        .json(.ok) { json in
            json.object { json in
                json.member("version", 1)
                json.member("instance", process.instance)
                ledger.unwrapped.writeMembers(into: &json)
            }
        }
    }

    /// - Parameter workers: every worker's figures.
    func status(_ workers: [WorkerSnapshot]) -> ProcessStatus {
        ProcessStatus(
            process: process, usage: .current, isDraining: isDraining, now: loop.now, issuers: keys.statuses,
            upstreams: upstreams, workers: workers, total: .merged(workers))
    }
}

/// A backend, and what its health checks have shown.
struct UpstreamHealth {
    var policy: UpstreamPolicy
    /// Of each server; nil: there are no checks.
    var serversShownUp: [Bool]?
}

/// What does not change while the process runs.
struct ProcessFacts: Sendable {
    var version: String
    var settings: ProxyConfiguration
    /// What is counted apart.
    var names: CountedNames
    /// Where it listens, with the ports that the system chose.
    var listeners: [Endpoint]
    /// Of the wall clock, in nanoseconds since 1970.
    var startedAtWall: Int64
    /// Monotonic nanoseconds.
    var startedAt: Int64
    /// What no other process is called: whoever reaches it by two names can tell that it is one.
    var instance = String(UInt64.random(in: .min ... .max), radix: 16)
}

/// The process at one moment: what `/metrics` and `/status` are made of.
struct ProcessStatus {
    var process: ProcessFacts
    var usage: ProcessUsage
    var isDraining: Bool
    /// Monotonic nanoseconds.
    var now: Int64
    var issuers: [IssuerStatus]
    /// In the order of the configuration's.
    var upstreams: [UpstreamHealth]
    var workers: [WorkerSnapshot]
    /// All workers as one.
    var total: WorkerSnapshot
}
