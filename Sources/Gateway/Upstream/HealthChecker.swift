// Asks one server again and again whether it is up.

import Configuration
import Observability
import OpenSSLKit
import Reactor

/// Lives on the control loop. One check at a time, one each interval.
final class HealthChecker: TimerHandler {
    /// A check is over by then: as long as the interval, within these bounds.
    private static let timeoutsMilliseconds: ClosedRange<Int64> = 1_000...5_000

    /// Told when the server has changed sides; set before `start`.
    var publish: ((_ isHealthy: Bool) -> Void)?
    private let policy: UpstreamPolicy.HealthCheck
    private let server: UpstreamPolicy.Server
    private let sessions = TLSSessionSlot()
    private let resolver: UpstreamResolver
    private let loop: EventLoop
    private let log: EventLog
    private var tally: HealthTally
    private var hasPassed = false
    private var connection: HealthCheckConnection?
    private var addressesTried = 0
    private var startedAt: Int64 = 0
    private var timer: TimerID?

    init(
        _ policy: UpstreamPolicy.HealthCheck, of server: UpstreamPolicy.Server, at resolver: UpstreamResolver,
        loop: EventLoop, log: EventLog, after former: HealthChecker? = nil
    ) {
        self.policy = policy
        self.server = server
        self.resolver = resolver
        self.loop = loop
        self.log = log
        tally = former?.tally ?? HealthTally(policy)
        hasPassed = former?.hasPassed ?? false
    }

    /// Checks have shown it to be up. Without one yet it gets requests, but nobody can promise an answer to them.
    var isShownUp: Bool { hasPassed && tally.isHealthy }

    /// On the loop. The first check is due after `delay`.
    func start(afterMilliseconds delay: Int64) {
        let timer = loop.addTimer(self)
        self.timer = timer
        loop.schedule(timer, at: loop.now + delay * 1_000_000)
    }

    func stop() {
        connection?.close()
        connection = nil
        if let timer { loop.removeTimer(timer) }
        timer = nil
    }

    /// The next check is due, or the one under way has taken too long.
    func timerFired(_ timer: TimerID) {
        if let late = connection {
            late.close()
            finish(failure: "timed out")
            return
        }
        startedAt = loop.now
        addressesTried = 0
        let bounds = HealthChecker.timeoutsMilliseconds
        let timeout = min(max(policy.intervalMilliseconds, bounds.lowerBound), bounds.upperBound)
        loop.schedule(timer, at: startedAt + timeout * 1_000_000)
        connect(after: "its name has no address yet")
    }

    /// To the next address: one that answers is enough.
    private func connect(after failure: String) {
        connection = nil
        var failure = failure
        while addressesTried < resolver.addresses.count {
            let address = resolver.addresses[addressesTried]
            addressesTried += 1
            do throws(SystemError) {
                connection = try HealthCheckConnection(
                    to: address, of: server, sessions: sessions, target: policy.target, loop: loop
                ) { [unowned self] outcome in
                    switch outcome {
                    case .passed: finish(failure: nil)
                    case .failed(let reason): finish(failure: reason)
                    case .unreachable(let reason): connect(after: reason)
                    }
                }
                return
            } catch {
                failure = error.reason
            }
        }
        finish(failure: failure)
    }

    private func finish(failure: String?) {
        connection = nil
        if failure == nil { hasPassed = true }
        if tally.note(passed: failure == nil) {
            if let failure {
                log.log(.warn, "upstream \(server.endpoint): health checks fail: \(failure); gets no more requests")
            } else {
                log.log(.notice, "upstream \(server.endpoint): health checks pass again")
            }
            publish?(tally.isHealthy)
        }
        if let timer { loop.schedule(timer, at: max(loop.now, startedAt + policy.intervalMilliseconds * 1_000_000)) }
    }
}
