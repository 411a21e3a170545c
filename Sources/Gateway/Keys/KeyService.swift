// Every issuer's keys, on the control loop: fetched, refreshed, and handed to the workers as snapshots.
//
// Whoever waits for keys is released by a publication for that issuer. Each `wantKeys` is followed by one: at once
// where no fetch is allowed or needed, else at the end of the attempt under way, which is bounded by `jwks_timeout`.

import Admission
import Observability
import Reactor

/// Fetches keys and keeps them fresh. May be called from anywhere; what it calls, it calls on its loop.
final class KeyService: Sendable {
    /// What key servers see.
    static let userAgent = "antechamber"

    /// The issuers of a configuration, with what keeps their keys: made, and in no use yet.
    typealias Prepared = [IssuerKeys]

    private let mailbox: Mailbox
    private let keeper: QueueBound<KeyKeeper>

    /// Nothing is fetched before `start()`. `log` is given a line at every change in the condition of an issuer's
    /// keys, and of their place in `stateDirectory`.
    ///
    /// - Throws: `KeySourceError` where an issuer's policy leads to no keys whatever answers, `OpenSSLError` where there
    ///   is no memory left.
    init(
        policies: [IssuerPolicy], stateDirectory: StateDirectory? = nil, loop: EventLoop,
        log: @escaping @Sendable (LogLevel, String) -> Void
    ) throws {
        mailbox = loop.mailbox
        let keeper = KeyKeeper(loop: loop, stateDirectory: stateDirectory, log: log)
        keeper.issuers = try keeper.prepare(policies)
        self.keeper = loop.bind(keeper)
    }

    /// Fetches every issuer's keys, and goes on refreshing them until `stop()`.
    func start() {
        let keeper = keeper
        mailbox.post { keeper.unwrapped.start() }
    }

    func stop() {
        let keeper = keeper
        mailbox.post { keeper.unwrapped.stop() }
    }

    /// `subscriber` is told, on the control loop, of every issuer's keys now, and of each publication from then on.
    func subscribe(_ subscriber: @escaping @Sendable (_ issuerIndex: Int, _ keys: KeyMaterial) -> Void) {
        let keeper = keeper
        mailbox.post { keeper.unwrapped.subscribe(subscriber) }
    }

    /// Every issuer's keys at present, in the order of the policies. On the loop only.
    var statuses: [IssuerStatus] { keeper.unwrapped.statuses }

    // MARK: Another configuration, on the loop

    /// What these policies need. Issuers that stay keep what they have, and nothing is fetched or forgotten yet.
    func prepare(_ policies: [IssuerPolicy]) throws -> Prepared { try keeper.unwrapped.prepare(policies) }

    /// Goes on with these issuers alone, and returns what is known of their keys, in their order.
    func become(_ prepared: Prepared) -> [KeyMaterial] { keeper.unwrapped.become(prepared) }

    /// `wantKeys` from the loop itself.
    func want(issuerIndex: Int, unknownKeyID: KeyIDHash?) {
        keeper.unwrapped.want(issuerIndex, unknownKeyID: unknownKeyID)
    }

    /// Asks for the keys of an issuer: the first ones, or, with `unknownKeyID`, newer ones than are known. A
    /// publication for that issuer follows.
    func wantKeys(issuerIndex: Int, unknownKeyID: KeyIDHash?) {
        let keeper = keeper
        mailbox.post { keeper.unwrapped.want(issuerIndex, unknownKeyID: unknownKeyID) }
    }
}

/// What lives on the loop.
final class KeyKeeper {
    private let loop: EventLoop
    private let fetcher: KeyFetcher
    private let stateDirectory: StateDirectory?
    private let log: @Sendable (LogLevel, String) -> Void
    /// In the order of the configuration.
    fileprivate(set) var issuers: [IssuerKeys] = [] {
        didSet {
            for issuer in oldValue { issuer.index = nil }
            for (index, issuer) in issuers.enumerated() { issuer.index = index }
        }
    }
    private var subscribers: [@Sendable (Int, KeyMaterial) -> Void] = []

    init(
        loop: EventLoop, stateDirectory: StateDirectory? = nil,
        log: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) {
        self.loop = loop
        self.stateDirectory = stateDirectory
        self.log = log
        fetcher = KeyFetcher(loop: loop, userAgent: KeyService.userAgent)
    }

    fileprivate func prepare(_ policies: [IssuerPolicy]) throws -> [IssuerKeys] {
        try policies.map { policy in
            if let same = issuers.first(where: { $0.keepsKeys(for: policy) }) { return same }
            var store: KeyStore?
            if let stateDirectory, policy.keys.source.isFetched {
                store = KeyStore(policy, in: stateDirectory, loop: loop, log: log)
            }
            return try IssuerKeys(
                policy, loop: loop, fetcher: fetcher, store: store, after: issuers.first { $0.isOf(policy) }
            ) { [weak self, log] keys, material, news in
                if let line = news.note?.logLine(of: policy) { log(line.level, line.message) }
                if let index = keys.index { self?.publish(index, material) }
            }
        }
    }

    fileprivate func become(_ prepared: [IssuerKeys]) -> [KeyMaterial] {
        let former = issuers
        issuers = prepared
        for issuer in former where issuer.index == nil { issuer.stop() }
        for issuer in issuers {
            if former.contains(where: { $0 === issuer }) { issuer.lookAgain() } else { issuer.start() }
        }
        return issuers.map(\.material)
    }

    func add(
        _ policy: IssuerPolicy, store: KeyStore? = nil, publish: @escaping (KeyMaterial, KeyNews) -> Void
    ) throws(KeySourceError) {
        issuers.append(
            try IssuerKeys(policy, loop: loop, fetcher: fetcher, store: store) { publish($1, $2) })
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

    var statuses: [IssuerStatus] { issuers.map(\.status) }

    private func publish(_ index: Int, _ material: KeyMaterial) {
        for subscriber in subscribers { subscriber(index, material) }
    }

    func want(_ index: Int, unknownKeyID: KeyIDHash?) {
        // After `stop` there is nobody to answer, and nobody who waits.
        guard issuers.indices.contains(index) else { return }
        issuers[index].want(unknownKeyID: unknownKeyID)
    }
}
