// The ledger of one legacy audience on the control loop: what was read at the start, what workers have handed over since,
// and when it is written.
//
// The loop never waits for the disk: one write is under way at most, and what comes meanwhile goes with the next one.
// Until the file has been read nothing is written, so that a slow disk at the start costs no history; a file of a newer
// version is never written over, so that going back a version costs none either.

import Admission
import Migration
import Observability
import Reactor

final class LegacyRecord {
    /// The least time between two writes: what a crash may lose.
    static let writePauseNanoseconds: Int64 = 3_000_000_000

    private enum Storage {
        /// No state_dir, or nothing that may be written over.
        case none
        case reading
        case idle
        case writing
    }

    let issuerName: String
    /// Its dates and its name may change.
    var policy: LegacyAudience
    private(set) var use = LegacyUse()
    /// Since when all of its use is counted, in Unix seconds: the ledger knows of nothing before.
    private(set) var countedSince: Int64

    private let file: LedgerFile
    private let directory: StateDirectory?
    private let loop: EventLoop
    private let log: (LogLevel, String) -> Void
    private var storage: Storage
    private var isChanged = false
    private var writtenAt = Int64.min / 2
    private var problem: String?
    private var onIdle: (() -> Void)?

    init(
        issuer: String, _ policy: LegacyAudience, in directory: StateDirectory?, loop: EventLoop,
        log: @escaping (LogLevel, String) -> Void
    ) {
        issuerName = issuer
        self.policy = policy
        self.directory = directory
        self.loop = loop
        self.log = log
        file = LedgerFile(issuer: issuer, policy)
        storage = directory == nil ? .none : .reading
        countedSince = Clock.wallNanoseconds() / 1_000_000_000
    }

    /// Whether it knows all that it can know. Before, it would say of an audience that is in use that it is not.
    var isRead: Bool {
        if case .reading = storage { false } else { true }
    }

    /// Reads what lies in `state_dir`.
    func start() {
        guard let directory else { return }
        let record = loop.bind(self)
        directory.read(file.name, bytesMax: LedgerFile.bytesMax) { [mailbox = loop.mailbox] outcome in
            mailbox.post { record.unwrapped.take(outcome) }
        }
    }

    /// Counts what a worker has seen.
    func add(_ tally: LegacyTally, routeNames: [String]) {
        use.add(tally, routeNames: routeNames)
        isChanged = true
    }

    /// Writes what has changed, where it is time.
    func writeIfDue() {
        if loop.now - writtenAt >= Self.writePauseNanoseconds { write() }
    }

    /// Writes what has changed, whatever the time, and calls `completion` on the loop when that is done or has failed.
    func finish(_ completion: @escaping () -> Void) {
        onIdle = completion
        write()
        if case .writing = storage { return }
        becomeIdle()
    }

    private func take(_ outcome: Result<[UInt8]?, StateFileError>) {
        storage = .idle
        switch outcome {
        // Also what was not used is written down: since when.
        case .success(nil): isChanged = true
        case .success(let bytes?):
            do throws(LedgerFileProblem) {
                let stored = try file.contents(parsing: bytes)
                use.merge(stored.use)
                countedSince = min(countedSince, stored.countedSince)
                isChanged = true
            } catch {
                if case .sealed(.ofAnotherVersion) = error { storage = .none }
                ignore(error.reason)
            }
        case .failure(let error): ignore(error.reason)
        }
    }

    private func ignore(_ reason: String) {
        let fate = if case .none = storage { "and nothing is written there" } else { "and it begins anew" }
        log(.warn, "\(title): what state_dir says of its use (\(file.name)) is ignored, \(fate): \(reason)")
    }

    private func write() {
        guard let directory, case .idle = storage, isChanged else { return }
        isChanged = false
        writtenAt = loop.now
        storage = .writing
        let record = loop.bind(self)
        directory.replace(file.name, with: file.encoded(.init(use: use, countedSince: countedSince))) { [mailbox = loop.mailbox] error in
            mailbox.post { record.unwrapped.written(error) }
        }
    }

    private func written(_ error: SystemError?) {
        storage = .idle
        if error != nil { isChanged = true }
        report(error?.reason)
        becomeIdle()
    }

    private func becomeIdle() {
        let completion = onIdle
        onIdle = nil
        completion?()
    }

    /// One line for each change: a disk that is full stays so for many writes.
    private func report(_ reason: String?) {
        if reason == problem { return }
        problem = reason
        if let reason {
            log(.error, "\(title): its use cannot be written to state_dir, so that a restart forgets it: \(reason)")
        } else {
            log(.info, "\(title): its use is written to state_dir again")
        }
    }

    private var title: String { "issuer \(issuerName): legacy audience \(policy.name)" }
}
