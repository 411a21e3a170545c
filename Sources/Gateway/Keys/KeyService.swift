// Every issuer's keys, on the control loop: fetched, refreshed, and handed to the workers as snapshots.
//
// Whoever waits for keys is released by a publication for that issuer. Each `wantKeys` is followed by one: at once
// where no fetch is allowed or needed, else at the end of the attempt under way, which is bounded by `jwks_timeout`.

public import Admission
import CurlKit
public import Reactor

/// Fetches keys and keeps them fresh. May be called from anywhere; what it calls, it calls on its loop.
public final class KeyService: Sendable {
    private let mailbox: Mailbox
    private let keeper: QueueBound<KeyKeeper>

    /// Nothing is fetched before `start()`. `userAgent` is what key servers see; `report` is told of every change in
    /// the condition of an issuer's keys. Throws where an issuer's policy leads to no keys whatever answers.
    public init(
        issuers: [IssuerPolicy], loop: EventLoop, userAgent: String,
        report: @escaping @Sendable (KeyEvent) -> Void
    ) throws(KeySourceError) {
        mailbox = loop.mailbox
        let keeper = KeyKeeper(loop: loop, userAgent: userAgent)
        for (index, policy) in issuers.enumerated() {
            try keeper.add(policy) { [weak keeper] material, news in
                if let note = news.note { report(KeyEvent(issuerIndex: index, policy: policy, note)) }
                keeper?.publish(index, material)
            }
        }
        self.keeper = loop.bind(keeper)
    }

    /// Fetches every issuer's keys, and goes on refreshing them until `stop()`.
    public func start() {
        let keeper = keeper
        mailbox.post { keeper.unwrapped.start() }
    }

    public func stop() {
        let keeper = keeper
        mailbox.post { keeper.unwrapped.stop() }
    }

    /// `subscriber` is told, on the control loop, of every issuer's keys now, and of each publication from then on.
    public func subscribe(_ subscriber: @escaping @Sendable (_ issuerIndex: Int, _ keys: KeyMaterial) -> Void) {
        let keeper = keeper
        mailbox.post { keeper.unwrapped.subscribe(subscriber) }
    }

    /// Asks for the keys of an issuer: the first ones, or, with `unknownKeyID`, newer ones than are known. A
    /// publication for that issuer follows.
    public func wantKeys(issuerIndex: Int, unknownKeyID: Bool) {
        let keeper = keeper
        mailbox.post { keeper.unwrapped.want(issuerIndex, unknownKeyID: unknownKeyID) }
    }
}

/// What one attempt to get an issuer's keys came to.
public enum KeyFetchReport: Sendable, Equatable {
    /// `skipped` says of unusable keys which and why; nil where there are none.
    case fetched(keys: Int, from: String, skipped: String?)
    case failed(String)
}

extension KeyService {
    /// Fetches the keys of every issuer once, and calls `report` once for each, on the loop.
    public static func fetchOnce(
        issuers: [IssuerPolicy], loop: EventLoop, userAgent: String,
        report: @escaping @Sendable (_ issuerIndex: Int, KeyFetchReport) -> Void
    ) throws(KeySourceError) {
        let keeper = KeyKeeper(loop: loop, userAgent: userAgent)
        let progress = FetchOnceProgress(left: issuers.count)
        for (index, policy) in issuers.enumerated() {
            var isReported = false
            try keeper.add(policy) { _, news in
                guard !isReported, let end = news.attempt else { return }
                isReported = true
                report(index, KeyFetchReport(end))
                progress.reported()
            }
        }
        progress.keeper = keeper
        let bound = loop.bind(keeper)
        loop.mailbox.post { bound.unwrapped.start() }
    }
}

/// Keeps the keeper for as long as an issuer has not been reported on.
private final class FetchOnceProgress {
    var keeper: KeyKeeper?
    private var left: Int

    init(left: Int) {
        self.left = left
    }

    func reported() {
        left -= 1
        if left > 0 { return }
        keeper?.stop()
        keeper = nil
    }
}

extension KeyFetchReport {
    init(_ end: KeyAttemptEnd) {
        switch end {
        case .failed(let reason): self = .failed(reason)
        case .succeeded(let keys, let source):
            self = .fetched(
                keys: keys.keys.count, from: source.description,
                skipped: keys.skipped.isEmpty ? nil : keys.skipped.summary)
        }
    }
}

/// What lives on the loop.
private final class KeyKeeper {
    private let loop: EventLoop
    private let fetcher: KeyFetcher
    private var issuers: [IssuerKeys] = []
    private var subscribers: [@Sendable (Int, KeyMaterial) -> Void] = []

    init(loop: EventLoop, userAgent: String) {
        self.loop = loop
        fetcher = KeyFetcher(loop: loop, userAgent: userAgent)
    }

    func add(_ policy: IssuerPolicy, publish: @escaping (KeyMaterial, KeyNews) -> Void) throws(KeySourceError) {
        issuers.append(try IssuerKeys(policy, loop: loop, fetcher: fetcher, publish: publish))
    }

    func start() {
        fetcher.start()
        for issuer in issuers { issuer.start() }
    }

    func stop() {
        for issuer in issuers { issuer.stop() }
        issuers = []
        subscribers = []
        fetcher.stop()
    }

    func subscribe(_ subscriber: @escaping @Sendable (Int, KeyMaterial) -> Void) {
        subscribers.append(subscriber)
        for (index, issuer) in issuers.enumerated() { subscriber(index, issuer.material) }
    }

    func publish(_ index: Int, _ material: KeyMaterial) {
        for subscriber in subscribers { subscriber(index, material) }
    }

    func want(_ index: Int, unknownKeyID: Bool) {
        // After `stop` there is nobody to answer, and nobody who waits.
        guard issuers.indices.contains(index) else { return }
        issuers[index].want(unknownKeyID: unknownKeyID)
    }
}
