// The shell around one issuer's key cache: carries out what the cache says, and tells it what happened.

import Admission
import Bytes
import CurlKit
import JOSE
import Reactor

final class IssuerKeys: TimerHandler {
    let policy: IssuerPolicy
    /// Place in the configuration; nil: it is in none at present.
    var index: Int?
    private var cache: KeyCache
    private let loop: EventLoop
    private let fetcher: KeyFetcher
    /// Where keys outlive the process; nil: nowhere.
    private let store: KeyStore?
    /// Told at every publication, on the loop.
    private let publish: (IssuerKeys, KeyMaterial, KeyNews) -> Void
    private var timer: TimerID?
    private var answerIsDue = false
    private var history = KeyHistory()

    /// - Parameter former: the same issuer's under another policy; its keys go on to serve where they come from the same
    ///   place.
    init(
        _ policy: IssuerPolicy, loop: EventLoop, fetcher: KeyFetcher, store: KeyStore?, after former: IssuerKeys? = nil,
        publish: @escaping (IssuerKeys, KeyMaterial, KeyNews) -> Void
    ) throws(KeySourceError) {
        self.policy = policy
        self.loop = loop
        self.fetcher = fetcher
        self.store = store
        self.publish = publish
        if let former, former.isOf(policy), former.policy.keys.hasSameSource(as: policy.keys) {
            cache = try KeyCache(
                issuer: policy.identifier, policy: policy.keys, continuing: former.cache, at: loop.now)
            history = former.history
        } else {
            cache = try KeyCache(issuer: policy.identifier, policy: policy.keys, restoresKeys: store != nil)
        }
    }

    /// Whether it keeps keys of that issuer, by whatever rules.
    func isOf(_ other: IssuerPolicy) -> Bool { policy.identifier.hasSameBytes(as: other.identifier) }

    /// Whether it keeps that issuer's keys by those very rules.
    func keepsKeys(for other: IssuerPolicy) -> Bool {
        isOf(other) && policy.keys == other.keys && policy.algorithms == other.algorithms
    }

    /// On the loop, like everything that follows.
    func start() {
        timer = loop.addTimer(self)
        perform(cache.start(at: loop.now, jitter: IssuerKeys.jitter()))
    }

    func stop() {
        if let timer { loop.removeTimer(timer) }
        timer = nil
    }

    /// The operator asks to look at files again, and for keys where there are none.
    func lookAgain() {
        perform(cache.lookAgain(at: loop.now, jitter: IssuerKeys.jitter()))
    }

    var material: KeyMaterial { cache.material(at: loop.now) }

    var status: IssuerStatus {
        IssuerStatus(issuer: policy.identifier, material: material, history: history, now: loop.now)
    }

    func want(unknownKeyID: KeyIDHash?) {
        let action = cache.wanted(unknownKeyID: unknownKeyID, at: loop.now, jitter: IssuerKeys.jitter())
        guard case .publish = action else { return perform(action) }
        // One answer does for all who ask in the same batch: a flood of wants is not to become a flood of answers.
        if answerIsDue { return }
        answerIsDue = true
        let keys = loop.bind(self)
        loop.mailbox.post { keys.unwrapped.answer() }
    }

    func timerFired(_ timer: TimerID) {
        perform(cache.timeReached(at: loop.now, jitter: IssuerKeys.jitter()))
    }

    private func answer() {
        answerIsDue = false
        publish(self, material, KeyNews())
    }

    private func perform(_ action: KeyAction) {
        guard let timer else { return }
        loop.schedule(timer, at: cache.deadline)
        switch action {
        case .none: break
        case .publish(let news):
            history.note(news, at: loop.now)
            publish(self, material, news)
        case .fetch(let fetch):
            switch fetch.source {
            case .stored: store?.read { [weak self] result in self?.ended(fetch, result) }
            case .file(let path): ended(fetch, readKeys(path))
            case .secret(let path): ended(fetch, readSecret(path))
            case .metadata(let url): get(url, Discovery.bytesMax, "application/json", for: fetch)
            case .keys(let url):
                get(url, KeySet.bytesMax, "application/jwk-set+json, application/json;q=0.9", for: fetch)
            }
        }
    }

    private func ended(_ fetch: KeyFetch, _ result: KeyFetchResult, document: [UInt8]? = nil) {
        let action = cache.fetched(fetch.id, result, at: loop.now, jitter: IssuerKeys.jitter())
        // Only what the cache has taken is worth keeping: a late answer may be older than what is stored.
        if let document, case .publish(let news) = action, case .succeeded(_, let source) = news.attempt {
            store?.write(document, from: source.description)
        }
        perform(action)
    }

    private func get(_ url: HTTPURL, _ bytesMax: Int, _ accept: String, for fetch: KeyFetch) {
        let request = KeyFetcher.Request(
            url: url,
            deadline: fetch.deadline,
            bodyBytesMax: bytesMax,
            accept: accept,
            certificateAuthorityFile: policy.keys.certificateAuthorityFile)
        fetcher.get(request) { [weak self] result in
            guard let self else { return }
            switch (result, fetch.source) {
            case (.failure(let failure), _): ended(fetch, .failed(failure))
            case (.success(let response), .metadata): ended(fetch, response.asMetadata(ofIssuer: policy.identifier))
            case (.success(let response), _): ended(fetch, response.asKeys(), document: response.body)
            }
        }
    }

    private func readKeys(_ path: String) -> KeyFetchResult {
        read(path, bytesMax: KeySet.bytesMax) { bytes in
            do throws(KeySetError) {
                return .keys(try KeySet(parsingFile: bytes.span), maxAgeSeconds: nil)
            } catch {
                return .failed(KeyFetchFailure(reason: error.reason))
            }
        }
    }

    private func readSecret(_ path: String) -> KeyFetchResult {
        read(path, bytesMax: KeySet.secretFileBytesMax) { bytes in
            do throws(SharedSecretError) {
                return .keys(try KeySet(secretFile: bytes.span, for: policy.algorithms), maxAgeSeconds: nil)
            } catch {
                return .failed(KeyFetchFailure(reason: error.reason))
            }
        }
    }

    private func read(_ path: String, bytesMax: Int, _ understand: ([UInt8]) -> KeyFetchResult) -> KeyFetchResult {
        do throws(KeyFileError) {
            return understand(try KeyFile.read(path, bytesMax: bytesMax))
        } catch {
            return .failed(KeyFetchFailure(reason: error.reason))
        }
    }

    private static func jitter() -> Double {
        Double.random(in: 0..<1)
    }
}
