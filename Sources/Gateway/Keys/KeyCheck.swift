// `antechamber check --fetch`: every issuer's keys, fetched once, without a proxy around it.

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
        let loop = try EventLoop(label: "antechamber.check", lingerMilliseconds: 0)
        let keeper = KeyKeeper(loop: loop)
        let outcomes = Outcomes(issuers.count)
        for (index, policy) in issuers.enumerated() {
            try keeper.add(policy) { _, news in
                if let end = news.attempt { outcomes.record(Outcome(end), at: index) }
            }
        }
        let bound = loop.bind((keeper: keeper, loop: loop))
        loop.mailbox.post { bound.unwrapped.keeper.start() }
        loop.resume()
        outcomes.reached.wait()
        loop.mailbox.post {
            bound.unwrapped.keeper.stop()
            bound.unwrapped.loop.close()
        }
        return outcomes.all
    }

    /// The first outcome of each issuer.
    private final class Outcomes: Sendable {
        let reached: Countdown
        private let outcomes: Mutex<[Outcome?]>

        init(_ count: Int) {
            reached = Countdown(count)
            outcomes = Mutex(Array(repeating: nil, count: count))
        }

        var all: [Outcome] { outcomes.withLock { $0.compactMap { $0 } } }

        func record(_ outcome: Outcome, at index: Int) {
            let isFirst = outcomes.withLock { outcomes in
                defer { outcomes[index] = outcomes[index] ?? outcome }
                return outcomes[index] == nil
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
