// Keys got once, as the proxy gets them, without a proxy around it: for `antechamber check --fetch` and `explain`.

public import Admission
import JOSE
import Reactor
import Synchronization

public enum KeyCheck {
    /// What one attempt to get an issuer's keys came to.
    public struct Outcome: Sendable, Equatable {
        /// Keys came, from where the policy says first: a pinned file that stands in for an issuer does not count.
        public var isUsable: Bool
        /// How many and from where, and which are skipped, or why there are none.
        public var description: String
    }

    /// Fetches the keys of every issuer, all at once, and returns the outcomes in their order. Blocks for as long as
    /// the longest `jwks_timeout`.
    ///
    /// - Throws: `KeySourceError` where a policy leads to no keys whatever answers, `SystemError` where the system
    ///   has no descriptors left.
    public static func run(_ issuers: [IssuerPolicy]) throws -> [Outcome] {
        try attempt(issuers).map { Outcome($0.end) }
    }

    /// Gets the keys of one issuer, and says what a proxy that started now would verify its tokens with. Blocks for as
    /// long as its `jwks_timeout`, throws as `run` does, and writes nothing.
    ///
    /// - Parameter stateDirectory: where the keys of an earlier fetch may lie.
    public static func report(on issuer: IssuerPolicy, stateDirectory: String? = nil) throws -> KeyReport {
        let ended = try attempt([issuer], stateDirectory: stateDirectory)[0]
        switch ended.end {
        case .succeeded(_, let source): return KeyReport(state: ended.material.state, source: source.description)
        case .failed(let reason):
            guard case .usable = ended.material.state else {
                return KeyReport(
                    state: ended.material.state, failure: [reason, ended.complaint].compactMap(\.self).joined(separator: "; "))
            }
            let source = ended.storedAgeSeconds.map { "state_dir, fetched \($0) s ago" } ?? issuer.keys.file
            return KeyReport(
                state: ended.material.state, source: source,
                failure: "the issuer's own could not be fetched: \(reason)")
        }
    }

    /// One attempt for each, with what was known at its end.
    private static func attempt(_ issuers: [IssuerPolicy], stateDirectory: String? = nil) throws -> [Ended] {
        let loop = try EventLoop(label: "antechamber.check", lingerMilliseconds: 0)
        let keeper = KeyKeeper(loop: loop)
        let ends = Ends(issuers.count)
        for (index, policy) in issuers.enumerated() {
            var storedAgeSeconds: Int64?
            var complaint: String?
            var store: KeyStore?
            if let stateDirectory, policy.keys.source.isFetched {
                store = KeyStore(policy, in: StateDirectory(stateDirectory), loop: loop, isReadOnly: true) {
                    complaint = $1
                }
            }
            try keeper.add(policy, store: store) { material, news in
                if case .servingStored(_, let age) = news.note { storedAgeSeconds = age }
                guard let end = news.attempt else { return }
                ends.record(
                    Ended(material: material, end: end, storedAgeSeconds: storedAgeSeconds, complaint: complaint), at: index)
            }
        }
        let bound = loop.bind((keeper: keeper, loop: loop))
        loop.mailbox.post { bound.unwrapped.keeper.start() }
        loop.resume()
        ends.reached.wait()
        loop.mailbox.post {
            bound.unwrapped.keeper.stop()
            bound.unwrapped.loop.close()
        }
        return ends.all
    }

    private struct Ended {
        let material: KeyMaterial
        let end: KeyAttemptEnd
        /// Of the keys that were stored, and served until the attempt had ended; nil: there were none.
        let storedAgeSeconds: Int64?
        /// What was wrong with what is stored.
        let complaint: String?
    }

    /// The first end of an attempt of each issuer.
    private final class Ends: Sendable {
        let reached: Countdown
        private let ends: Mutex<[Ended?]>

        init(_ count: Int) {
            reached = Countdown(count)
            ends = Mutex(Array(repeating: nil, count: count))
        }

        var all: [Ended] { ends.withLock { $0.compactMap { $0 } } }

        func record(_ end: Ended, at index: Int) {
            let isFirst = ends.withLock { ends in
                defer { ends[index] = ends[index] ?? end }
                return ends[index] == nil
            }
            if isFirst { reached.arrive() }
        }
    }
}

extension KeyCheck.Outcome {
    init(_ end: KeyAttemptEnd) {
        switch end {
        case .failed(let reason): self.init(isUsable: false, description: reason)
        case .succeeded(let keys, let source):
            self.init(isUsable: true, description: keys.countText(from: source))
        }
    }
}
