// One issuer's place in `state_dir`: what lies there at the start, and what is put there after each good fetch.
//
// On the control loop, which never waits for the disk: at most one write is under way, and of what is fetched meanwhile
// only the newest waits for it, however long the disk takes.

import Admission
import Observability
import Reactor

final class KeyStore {
    private let policy: IssuerPolicy
    private let directory: StateDirectory
    private let fileName: String
    private let loop: EventLoop
    private let isReadOnly: Bool
    private let log: (LogLevel, String) -> Void
    private var isWriting = false
    private var next: StoredKeys?
    /// What was logged of the last write; nil: it went well.
    private var problem: String?

    /// With `isReadOnly` nothing is ever written: for a look at what a proxy has stored.
    init(
        _ policy: IssuerPolicy, in directory: StateDirectory, loop: EventLoop, isReadOnly: Bool = false,
        log: @escaping (LogLevel, String) -> Void
    ) {
        self.policy = policy
        self.directory = directory
        self.loop = loop
        self.isReadOnly = isReadOnly
        self.log = log
        fileName = StoredKeys.fileName(ofIssuer: policy.identifier)
    }

    /// Calls `completion` on the loop, with keys that are still good or a failure. That there are no keys is no news;
    /// that there are some and none of use is logged.
    func read(_ completion: @escaping (KeyFetchResult) -> Void) {
        let waiting = loop.bind((store: self, completion: completion))
        directory.read(fileName, bytesMax: StoredKeys.bytesMax) { [mailbox = loop.mailbox] outcome in
            mailbox.post { waiting.unwrapped.completion(waiting.unwrapped.store.result(outcome)) }
        }
    }

    private func result(_ outcome: Result<[UInt8]?, StateFileError>) -> KeyFetchResult {
        let reason: String
        switch outcome {
        case .success(nil): return .failed(KeyFetchFailure(reason: "nothing is stored"))
        case .failure(let error): reason = error.reason
        case .success(let bytes?):
            do throws(StoredKeysProblem) {
                // The clock and not the loop's time of the batch: at the start that may be from before the disk answered.
                let now = Clock.wallNanoseconds() / 1_000_000_000
                let (keys, age) = try StoredKeys(parsing: bytes).keys(for: policy, at: now)
                return .stored(keys, ageSeconds: age)
            } catch {
                reason = error.reason
            }
        }
        log(.warn, "issuer \(policy.identifier): the keys in state_dir (\(fileName)) are ignored: \(reason)")
        return .failed(KeyFetchFailure(reason: reason))
    }

    /// Takes what was fetched just now from `source`.
    func write(_ document: [UInt8], from source: String) {
        if isReadOnly { return }
        let keys = StoredKeys(
            issuer: policy.identifier, configuredURL: policy.keys.configuredURL, source: source,
            fetchedAt: loop.unixSeconds, document: document)
        if isWriting { next = keys } else { begin(keys) }
    }

    private func begin(_ keys: StoredKeys) {
        isWriting = true
        let store = loop.bind(self)
        directory.replace(fileName, with: keys.encoded()) { [mailbox = loop.mailbox] error in
            mailbox.post { store.unwrapped.written(error) }
        }
    }

    private func written(_ error: SystemError?) {
        isWriting = false
        report(error?.reason)
        guard let keys = next else { return }
        next = nil
        begin(keys)
    }

    /// One line for each change: a disk that is full stays so for many fetches.
    private func report(_ reason: String?) {
        if reason == problem { return }
        problem = reason
        let issuer = "issuer \(policy.identifier): "
        if let reason {
            log(.error, issuer + "its keys cannot be written to state_dir, so that a restart finds older ones: \(reason)")
        } else {
            log(.info, issuer + "its keys are written to state_dir again")
        }
    }
}
