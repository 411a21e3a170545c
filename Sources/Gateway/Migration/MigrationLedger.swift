// Who still uses the legacy audiences, over all workers: on the control loop.
//
// Workers count for themselves and are asked once a second. A crash loses what they have counted since, and what was not
// written yet: a few seconds.

import Admission
import Bytes
import JOSE
import Migration
import Observability
import Reactor

final class MigrationLedger: TimerHandler {
    /// How often workers are asked.
    static let pauseNanoseconds: Int64 = 1_000_000_000
    /// How long the last write may take.
    static let finishNanosecondsMax: Int64 = 2_000_000_000

    /// What the legacy audiences of a configuration need, by their places: made, and in no use yet.
    typealias Prepared = [(place: Int, policy: LegacyAudience, record: LegacyRecord)]

    /// By place. Those that no configuration has any more stay, for what workers have yet to hand over, and in case that
    /// they come back.
    private var records: [LegacyRecord] = []
    /// Places of those that are configured, in the order of the policy: issuer by issuer, and as they are written.
    private var current: [Int] = []
    private var routeNames: [String] = []
    private let directory: StateDirectory?
    private let loop: EventLoop
    private let workers: [RollCall<LegacyTallies.Taken>.Question]
    private let log: (LogLevel, String) -> Void
    private var isKept = false
    private var timer: TimerID?
    private var onFinished: (() -> Void)?

    /// - Parameter workers: each has one worker hand over what it has counted.
    init(
        _ issuers: [IssuerPolicy], _ places: Places, in directory: StateDirectory?, loop: EventLoop,
        workers: [RollCall<LegacyTallies.Taken>.Question], log: @escaping (LogLevel, String) -> Void
    ) {
        self.directory = directory
        self.loop = loop
        self.workers = workers
        self.log = log
        take(prepare(issuers, places), places)
    }

    /// What the legacy audiences of another configuration need. Those that are known go on with what they have.
    func prepare(_ issuers: [IssuerPolicy], _ places: Places) -> Prepared {
        var prepared: Prepared = []
        for (issuer, audiences) in zip(issuers, places.audiences) {
            for (legacy, place) in zip(issuer.legacyAudiences, audiences) {
                let record =
                    records.indices.contains(place)
                    ? records[place]
                    : LegacyRecord(issuer: issuer.identifier, legacy, in: directory, loop: loop, log: log)
                prepared.append((place: place, policy: legacy, record: record))
            }
        }
        return prepared
    }

    private func take(_ prepared: Prepared, _ places: Places) {
        // New places follow upon each other, in the order of the policy.
        for (place, policy, record) in prepared {
            record.policy = policy
            if place == records.count { records.append(record) }
            precondition(records[place] === record, "a legacy audience has a place of its own")
        }
        current = prepared.map(\.place)
        routeNames = places.names.routes
    }

    /// On the loop, like everything that follows: goes on with these legacy audiences.
    func become(_ prepared: Prepared, _ places: Places) {
        let known = records.count
        take(prepared, places)
        guard isKept else { return }
        if timer == nil { return start() }
        for record in records[known...] { record.start() }
    }

    /// What is kept is read, and written from now on.
    func start() {
        isKept = true
        if records.isEmpty { return }
        for record in records { record.start() }
        let timer = loop.addTimer(self)
        self.timer = timer
        loop.schedule(timer, at: loop.now + Self.pauseNanoseconds)
    }

    /// Counts what a worker has seen.
    func add(_ tallies: LegacyTallies.Taken) {
        for (place, tally) in tallies { records[place].add(tally, routeNames: routeNames) }
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
        for ask in handOvers { ask {} }
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

    /// Each has one worker hand over what it has counted, and answers when that has been counted here.
    private var handOvers: [RollCall<Void>.Question] {
        let ledger = loop.bind(self)
        let mailbox = loop.mailbox
        return workers.map { ask in
            { answer in
                ask { taken in
                    mailbox.post { ledger.unwrapped.add(taken) }
                    answer(())
                }
            }
        }
    }

    // MARK: Telling

    /// Why nothing can be told yet, or any more.
    enum Silence: Equatable {
        /// What `state_dir` knows is still being read.
        case reading
        /// So many workers have not handed over what they have counted.
        case workers(Int)
    }

    /// Has every worker hand over what it has counted, and calls `completion` once, on the loop: with nil when all that
    /// is known up to now is here.
    func catchUp(withinMilliseconds milliseconds: Int64, completion: @escaping (Silence?) -> Void) {
        if records.isEmpty { return completion(nil) }
        RollCall.take(on: loop, handOvers, withinMilliseconds: milliseconds) { [records] answers in
            let silent = answers.count { $0 == nil }
            if silent > 0 { return completion(.workers(silent)) }
            completion(records.allSatisfy(\.isRead) ? nil : .reading)
        }
    }

    /// Writes the members `time` and `legacy_audiences` of `/migration`.
    ///
    /// - Parameter withSketches: false: for whoever only looks, and does not merge.
    func writeMembers(into json: inout JSONWriter, withSketches: Bool) {
        json.member("time", RFC3339.text(loop.unixSeconds))
        json.name("legacy_audiences")
        json.array(current.map { records[$0] }) { json, record in
            json.object { json in
                json.member("issuer", record.issuerName)
                json.member("name", record.policy.name)
                json.member("audience", record.policy.audience)
                record.policy.writeState(at: loop.unixSeconds, into: &json)
                json.member("counted_since", RFC3339.text(record.countedSince))
                if withSketches {
                    record.use.writeMembers(into: &json)
                } else {
                    record.use.writeMembers(into: &json, daysSince: 0)
                }
            }
        }
    }
}
