// Who still uses the legacy audiences, over all workers: on the control loop.
//
// Workers count for themselves and are asked once a second. A crash loses what they have counted since, and what was not
// written yet: a few seconds.

import Admission
import Bytes
import JOSE
import Migration
import Observability
import OpenSSLKit
import Reactor

final class MigrationLedger: TimerHandler {
    /// How often workers are asked.
    static let pauseNanoseconds: Int64 = 1_000_000_000
    /// How long the last write may take.
    static let finishNanosecondsMax: Int64 = 2_000_000_000

    /// In the order of the policy: issuer by issuer, and within one as they are written.
    private let records: [LegacyRecord]
    private let routeNames: [String]
    private let loop: EventLoop
    private let workers: [RollCall<LegacyTallies.Taken>.Question]
    private var timer: TimerID?
    private var onFinished: (() -> Void)?

    /// - Parameter workers: each has one worker hand over what it has counted.
    init(
        _ issuers: [IssuerPolicy], routeNames: [String], in directory: StateDirectory?, loop: EventLoop,
        workers: [RollCall<LegacyTallies.Taken>.Question], log: @escaping (LogLevel, String) -> Void
    ) throws(OpenSSLError) {
        var records: [LegacyRecord] = []
        for issuer in issuers {
            for legacy in issuer.legacyAudiences {
                records.append(
                    try LegacyRecord(issuer: issuer.identifier, legacy, in: directory, loop: loop, log: log))
            }
        }
        self.records = records
        self.routeNames = routeNames
        self.loop = loop
        self.workers = workers
    }

    /// On the loop, like everything that follows.
    func start() {
        if records.isEmpty { return }
        for record in records { record.start() }
        let timer = loop.addTimer(self)
        self.timer = timer
        loop.schedule(timer, at: loop.now + Self.pauseNanoseconds)
    }

    /// Counts what a worker has seen, by the legacy audiences' places in the policy.
    func add(_ tallies: LegacyTallies.Taken) {
        for (index, tally) in tallies { records[index].add(tally, routeNames: routeNames) }
    }

    /// Writes what is left, and calls `completion` on the loop when that is done, or takes too long: a disk that hangs
    /// does not keep the process.
    func finish(_ completion: @escaping () -> Void) {
        guard let timer else { return completion() }
        onFinished = completion
        loop.schedule(timer, at: loop.now + Self.finishNanosecondsMax)
        var left = records.count
        for record in records {
            record.finish { [self] in
                left -= 1
                if left == 0 { finished() }
            }
        }
    }

    func timerFired(_ timer: TimerID) {
        if onFinished != nil { return finished() }
        let ledger = loop.bind(self)
        let mailbox = loop.mailbox
        for ask in workers { ask { taken in mailbox.post { ledger.unwrapped.add(taken) } } }
        for record in records { record.writeIfDue() }
        loop.schedule(timer, at: loop.now + Self.pauseNanoseconds)
    }

    private func finished() {
        if let timer { loop.removeTimer(timer) }
        timer = nil
        let completion = onFinished
        onFinished = nil
        completion?()
    }

    /// The body of `/migration`: a JSON object.
    func write(into json: inout JSONWriter) {
        json.beginObject()
        json.member("version", 1)
        json.member("time", RFC3339.text(loop.unixSeconds))
        json.name("legacy_audiences")
        json.beginArray()
        for record in records {
            json.beginObject()
            json.member("issuer", record.issuerName)
            json.member("name", record.policy.name)
            json.member("audience", record.policy.audience)
            record.policy.writeState(at: loop.unixSeconds, into: &json)
            record.use.writeMembers(into: &json)
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }
}
