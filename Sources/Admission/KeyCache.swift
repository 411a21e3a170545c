// The keys of one issuer through good and bad days: a state machine without clocks, sockets or files.
//
// Rules, each of which a transcript in the tests holds:
//  - There is one attempt at a time. It has up to three steps: the issuer's metadata (in two places), its keys, and,
//    when those fail and nothing good is held, the pinned file. All of them share one deadline.
//  - Where keys were stored before a restart they serve from the start, and the first attempt follows. They are as good
//    as if they had been held all the time, which is for what is left of `maxStaleSeconds`.
//  - A failed attempt never displaces keys that are still good; they serve on for `maxStaleSeconds`, then the pinned
//    file does, then nothing.
//  - Failed attempts are repeated with an exponential back-off. It counts from the failure, not from the last success.
//  - An unknown key ID forces an attempt at most once a `cooldownSeconds`, counted from the start of the last forced
//    one, however that ended. Wants that come while an attempt is under way join it. A forced attempt that fails while
//    the keys are fresh brings on no retries: else made-up key IDs could cause more fetches than the cooldown allows.
//  - A key ID that a set was found not to have forces none for a few cooldowns, or until the set changes.
//  - An answer to anything but the fetch under way is ignored, so an older one never overwrites a newer one.
//
// Every want is answered by a `.publish`: at once, or at the end of the attempt under way.

internal import Bytes
internal import JOSE

/// One issuer's keys, whole: events go in, and what the shell is to do comes out. Times are monotonic nanoseconds.
public struct KeyCache: ~Copyable {
    /// The shortest and the longest time that a `max-age` may put between two fetches, in seconds.
    public static let maxAgeSecondsRange: ClosedRange<Int64> = 60...86_400
    /// The first and the longest pause after a failure, in seconds; jitter takes up to half of it away.
    public static let backoffSecondsRange: ClosedRange<Int64> = 1...60
    /// The longest pause that a server's Retry-After brings about, in seconds.
    public static let retryAfterSecondsMax: Int64 = 300
    /// How long the metadata's `jwks_uri` is used before it is asked for anew, in seconds.
    public static let metadataSecondsMax: Int64 = 86_400
    /// How long a key ID that was found missing is refused without a fetch: so many cooldowns, or less.
    static let missingCooldowns: Int64 = 4
    /// Where the cooldown is short of it: the most that such a time comes to, in seconds.
    public static let missingSecondsMax: Int64 = 300
    /// How long after its deadline an unanswered fetch is given up for lost, in nanoseconds.
    static let lostAfterNanoseconds: Int64 = 1_000_000_000

    private let policy: KeyPolicy
    private let restoresKeys: Bool
    private let plan: KeyPlan
    /// The pinned file behind another source.
    private let fallbackFile: String?
    private var holding = Holding.nothing
    private var activity = Activity.waiting(until: .max)
    private var metadata: (keysURL: HTTPURL, learnedAt: Int64)?
    private var failuresInARow = 0
    private var lastFailure = "not fetched yet"
    private var forcedAllowedAt = Int64.min
    private var missing = MissingKeyIDs()
    private var lastFetchID: UInt64 = 0
    private var lastNote = NotedCondition.none

    /// Throws where the policy leads to no keys whatever answers: the configuration refuses such a policy.
    ///
    /// - Parameter restoresKeys: ask for stored keys first.
    public init(issuer: String, policy: KeyPolicy, restoresKeys: Bool = false) throws(KeySourceError) {
        self.policy = policy
        self.restoresKeys = restoresKeys
        plan = try KeyPlan(issuer: issuer, policy: policy)
        fallbackFile = policy.source == .fileOnly ? nil : policy.file
    }

    /// A cache with the keys of another one, whose policy named the same source: they serve on for as long as this policy
    /// says, and the first attempt is due, as at any start.
    public init(
        issuer: String, policy: KeyPolicy, continuing other: borrowing KeyCache, at now: Int64
    ) throws(KeySourceError) {
        try self.init(issuer: issuer, policy: policy)
        guard case .fetched(let held) = other.holding else { return }
        let fetchedAt = held.expiresAt - other.policy.maxStaleSeconds.inNanoseconds
        let expiresAt = fetchedAt + policy.maxStaleSeconds.inNanoseconds
        guard now < expiresAt else { return }
        holding = .fetched(Fetched(keys: held.keys, refreshAt: now, expiresAt: expiresAt))
        (forcedAllowedAt, missing, lastNote) = (other.forcedAllowedAt, other.missing, other.lastNote)
    }

    // MARK: What is known

    /// What a worker may know at `now` (monotonic nanoseconds).
    public func material(at now: Int64) -> KeyMaterial {
        let state: KeyMaterial.State =
            switch holding {
            case .fetched(let held): .usable(held.keys)
            case .pinned(let keys): .usable(keys)
            case .nothing where failuresInARow == 0: .pending
            case .nothing: .unavailable(retryAfterSeconds: secondsToNextAttempt(from: now))
            }
        return KeyMaterial(state: state, forcedRefreshAllowedAt: forcedAllowedAt, missing: missing)
    }

    /// When `timeReached` is due, in monotonic nanoseconds.
    public var deadline: Int64 {
        switch activity {
        case .attempting(let attempt): return attempt.fetch.deadline + KeyCache.lostAfterNanoseconds
        case .waiting(let until):
            if case .fetched(let held) = holding { return min(until, held.expiresAt) }
            return until
        }
    }

    // MARK: Events

    /// The first attempt, or the look at what is stored before it. To be called once.
    public mutating func start(at now: Int64, jitter: Double) -> KeyAction {
        guard restoresKeys else { return beginAttempt(at: now, jitter) }
        // A disk answers at once. One that does not holds the first attempt up until the fetch is given up for lost.
        let fetch = nextFetch(.stored, deadline: now)
        activity = .attempting(Attempt(fetch: fetch, step: .restoring, startedAt: now, isForced: false))
        return .fetch(fetch)
    }

    /// `deadline` has passed. `jitter` is a random number in 0 ..< 1, as everywhere.
    public mutating func timeReached(at now: Int64, jitter: Double) -> KeyAction {
        switch activity {
        case .attempting(let attempt):
            guard now >= deadline else { return .none }
            return fail(
                attempt, KeyFetchFailure(reason: "no answer within \(policy.timeoutMilliseconds) ms"), at: now, jitter)
        case .waiting(let until):
            // Where both are due the refresh goes first: it may keep what would be dropped for want of it.
            if case .fetched(let held) = holding, now >= held.expiresAt, held.expiresAt < until {
                return expire(until, at: now)
            }
            return now >= until ? beginAttempt(at: now, jitter) : .none
        }
    }

    /// The operator asks to look again: at what is on disk, and for keys where there are none. Fetched ones stay as fresh
    /// as they are, so that asking often costs the issuer nothing.
    public mutating func lookAgain(at now: Int64, jitter: Double) -> KeyAction {
        guard case .waiting = activity else { return .none }
        switch (plan, holding) {
        case (.file, _), (.secret, _), (_, .pinned), (_, .nothing): return beginAttempt(at: now, jitter)
        case (.discovery, .fetched), (.uri, .fetched): return .none
        }
    }

    /// A request needs keys: the first ones, or, with `unknownKeyID`, newer ones than it found.
    public mutating func wanted(unknownKeyID: KeyIDHash?, at now: Int64, jitter: Double) -> KeyAction {
        switch activity {
        case .attempting(var attempt):
            if let unknownKeyID {
                forcedAllowedAt = max(forcedAllowedAt, attempt.startedAt + policy.cooldownSeconds.inNanoseconds)
                attempt.note(wanted: unknownKeyID)
                activity = .attempting(attempt)
            }
            return .none
        case .waiting:
            if case .nothing = holding { return .publish(KeyNews()) }
            guard let unknownKeyID, now >= forcedAllowedAt, !missing.contains(unknownKeyID, at: now) else {
                return .publish(KeyNews())
            }
            forcedAllowedAt = now + policy.cooldownSeconds.inNanoseconds
            return beginAttempt(forcedBy: unknownKeyID, at: now, jitter)
        }
    }

    /// The fetch `id` has ended.
    public mutating func fetched(_ id: UInt64, _ result: KeyFetchResult, at now: Int64, jitter: Double) -> KeyAction {
        guard case .attempting(let attempt) = activity, attempt.fetch.id == id else { return .none }
        precondition(attempt.step.isAnswered(by: result), "a fetch was answered with what another one asks for")
        switch result {
        case .metadata(let keysURL):
            metadata = (keysURL, now)
            return advance(attempt, to: .keys, .keys(keysURL))
        case .keys(let keys, let maxAge):
            if attempt.step == .lastResort { return serveFromFile(keys, attempt, at: now, jitter) }
            return succeed(keys, attempt, maxAgeSeconds: maxAge, at: now, jitter)
        case .stored(let keys, let age):
            return restore(keys, ageSeconds: max(0, age), at: now, jitter)
        case .failed(let failure):
            if attempt.step == .openIDMetadata, failure.mayBeElsewhere, case .discovery(let locations) = plan {
                var attempt = attempt
                attempt.firstFailure = attempt.describing(failure)
                return advance(attempt, to: .oauthMetadata, .metadata(locations.oauth))
            }
            return fail(attempt, failure, at: now, jitter)
        }
    }

    // MARK: Attempts

    private mutating func beginAttempt(
        forcedBy keyID: KeyIDHash? = nil, at now: Int64, _ jitter: Double
    ) -> KeyAction {
        let step: Attempt.Step
        let source: KeyFetch.Source
        switch plan {
        case .discovery(let locations):
            if let metadata, now - metadata.learnedAt < KeyCache.metadataSecondsMax.inNanoseconds {
                (step, source) = (.keys, .keys(metadata.keysURL))
            } else {
                (step, source) = (.openIDMetadata, .metadata(locations.openIDConnect))
            }
        case .uri(let url): (step, source) = (.keys, .keys(url))
        case .file(let path): (step, source) = (.keys, .file(path))
        case .secret(let path): (step, source) = (.keys, .secret(path))
        }
        let fetch = nextFetch(source, deadline: now + policy.timeoutMilliseconds * 1_000_000)
        activity = .attempting(
            Attempt(fetch: fetch, step: step, startedAt: now, isForced: keyID != nil, wanted: keyID.map { [$0] } ?? []))
        return .fetch(fetch)
    }

    private mutating func advance(
        _ attempt: Attempt, to step: Attempt.Step, _ source: KeyFetch.Source
    ) -> KeyAction {
        var attempt = attempt
        attempt.step = step
        attempt.fetch = nextFetch(source, deadline: attempt.fetch.deadline)
        activity = .attempting(attempt)
        return .fetch(attempt.fetch)
    }

    private mutating func succeed(
        _ keys: KeySet, _ attempt: Attempt, maxAgeSeconds: Int64?, at now: Int64, _ jitter: Double
    ) -> KeyAction {
        var isNew = true
        var keys = keys
        if case .fetched(let held) = holding, held.keys.holdsTheSame(as: keys) {
            // Workers keep what they have prepared for the set they know.
            isNew = false
            keys = held.keys
            // Somebody knows of a key that is not here: the next one to ask finds out whether the set has moved.
            if attempt.isForced { metadata = nil }
        }
        rememberMissing(attempt.wanted, in: keys, isNew: isNew, at: now)
        let refreshAt = now + refreshNanoseconds(maxAgeSeconds: maxAgeSeconds, jitter)
        let expiresAt = now + policy.maxStaleSeconds.inNanoseconds
        holding = .fetched(Fetched(keys: keys, refreshAt: refreshAt, expiresAt: expiresAt))
        activity = .waiting(until: refreshAt)
        failuresInARow = 0
        let note: KeyNote? = isNew || lastNote != .serving ? .serving(keys, from: attempt.fetch.source) : nil
        lastNote = .serving
        return .publish(KeyNews(note: note, attempt: .succeeded(keys, from: attempt.fetch.source)))
    }

    private mutating func rememberMissing(_ wanted: Set<KeyIDHash>, in keys: KeySet, isNew: Bool, at now: Int64) {
        if isNew { missing.removeAll() }
        if wanted.isEmpty { return }
        let present = Set((keys.keys.map(\.keyID) + keys.skipped.map(\.keyID)).compactMap { $0.map(KeyIDHash.init) })
        let several = min(KeyCache.missingCooldowns * policy.cooldownSeconds, KeyCache.missingSecondsMax)
        let lapse = now + max(several, policy.cooldownSeconds).inNanoseconds
        missing.insert(wanted.subtracting(present), until: lapse, at: now)
    }

    private mutating func restore(
        _ keys: KeySet, ageSeconds: Int64, at now: Int64, _ jitter: Double
    ) -> KeyAction {
        guard ageSeconds < policy.maxStaleSeconds else { return beginAttempt(at: now, jitter) }
        // The first attempt is due at once, and nobody has to wait for it.
        let expiresAt = now + (policy.maxStaleSeconds - ageSeconds).inNanoseconds
        holding = .fetched(Fetched(keys: keys, refreshAt: now, expiresAt: expiresAt))
        activity = .waiting(until: now)
        lastNote = .restored
        return .publish(KeyNews(note: .servingStored(keys, ageSeconds: ageSeconds)))
    }

    private mutating func fail(
        _ attempt: Attempt, _ failure: KeyFetchFailure, at now: Int64, _ jitter: Double
    ) -> KeyAction {
        if attempt.step == .restoring { return beginAttempt(at: now, jitter) }
        let reason = attempt.describing(failure)
        if attempt.step != .lastResort {
            lastFailure = reason
            // It may be what the metadata said that was wrong.
            metadata = nil
            if case .fetched(let held) = holding, now < held.expiresAt {
                return keepServing(held, attempt, failure, reason, at: now, jitter)
            }
            if case .fetched = holding { holding = .nothing }
            if let file = fallbackFile {
                var attempt = attempt
                attempt.retryAfterSeconds = failure.retryAfterSeconds
                // The deadline may be what has just passed; a file needs a moment only.
                attempt.fetch.deadline = max(attempt.fetch.deadline, now)
                return advance(attempt, to: .lastResort, .file(file))
            }
        }
        waitAfterFailure(retryAfterSeconds: attempt.retryAfterSeconds ?? failure.retryAfterSeconds, at: now, jitter)
        if attempt.step == .lastResort, case .pinned(let keys) = holding {
            // Read before; what has become of the file since does not displace it.
            return .publish(KeyNews(note: note(.pinned(lastFailure), keys), attempt: .failed(lastFailure)))
        }
        if attempt.step == .lastResort { lastFailure += "; \(reason)" }
        return .publish(KeyNews(note: note(.unavailable(lastFailure), nil), attempt: .failed(lastFailure)))
    }

    /// A failed attempt while good keys are held.
    private mutating func keepServing(
        _ held: Fetched, _ attempt: Attempt, _ failure: KeyFetchFailure, _ reason: String, at now: Int64,
        _ jitter: Double
    ) -> KeyAction {
        if attempt.isForced && now < held.refreshAt {
            activity = .waiting(until: held.refreshAt)
        } else {
            waitAfterFailure(retryAfterSeconds: failure.retryAfterSeconds, at: now, jitter)
        }
        return .publish(KeyNews(note: note(.stale(reason), held.keys), attempt: .failed(reason)))
    }

    private mutating func serveFromFile(
        _ keys: KeySet, _ attempt: Attempt, at now: Int64, _ jitter: Double
    ) -> KeyAction {
        if case .pinned(let held) = holding, held.holdsTheSame(as: keys) {
            // Workers keep what they have prepared.
        } else {
            holding = .pinned(keys)
        }
        waitAfterFailure(retryAfterSeconds: attempt.retryAfterSeconds, at: now, jitter)
        return .publish(KeyNews(note: note(.pinned(lastFailure), keys), attempt: .failed(lastFailure)))
    }

    /// The keys have served for as long as they may, and nothing is under way. The next attempt stays when it was.
    private mutating func expire(_ nextAttemptAt: Int64, at now: Int64) -> KeyAction {
        holding = .nothing
        // With a last resort the step counts as a failed attempt's end; without one the retries go on as they are.
        failuresInARow = max(1, failuresInARow)
        if let file = fallbackFile {
            let fetch = nextFetch(.file(file), deadline: now)
            activity = .attempting(Attempt(fetch: fetch, step: .lastResort, startedAt: now, isForced: false))
            return .fetch(fetch)
        }
        activity = .waiting(until: nextAttemptAt)
        return .publish(KeyNews(note: note(.unavailable(lastFailure), nil)))
    }

    // MARK: Times

    private mutating func waitAfterFailure(retryAfterSeconds: Int64?, at now: Int64, _ jitter: Double) {
        failuresInARow += 1
        let range = KeyCache.backoffSecondsRange
        let doublings = min(failuresInARow - 1, 16)
        let longest = Double(min(range.lowerBound << doublings, range.upperBound).inNanoseconds)
        let pause = Int64(longest - longest / 2 * jitter)
        let asked = min(retryAfterSeconds ?? 0, KeyCache.retryAfterSecondsMax).inNanoseconds
        activity = .waiting(until: now + max(pause, asked))
    }

    /// Up to a tenth earlier than said, so that a fleet that was started at once does not refresh at once.
    private func refreshNanoseconds(maxAgeSeconds: Int64?, _ jitter: Double) -> Int64 {
        let configured = max(1, policy.refreshSeconds)
        guard let maxAgeSeconds else { return Int64(Double(configured.inNanoseconds) * (1 - jitter / 10)) }
        let range = KeyCache.maxAgeSecondsRange
        // Half of the time for which keys may serve is left to retry in.
        let longest = max(configured, policy.maxStaleSeconds / 2)
        let shortest = min(range.lowerBound, longest)
        let seconds = min(max(maxAgeSeconds, shortest), range.upperBound, longest)
        return max(shortest.inNanoseconds, Int64(Double(seconds.inNanoseconds) * (1 - jitter / 10)))
    }

    private func secondsToNextAttempt(from now: Int64) -> Int64 {
        guard case .waiting(let until) = activity, until > now else { return 1 }
        return max(1, (until - now + 999_999_999) / 1_000_000_000)
    }

    private mutating func nextFetch(_ source: KeyFetch.Source, deadline: Int64) -> KeyFetch {
        lastFetchID += 1
        return KeyFetch(id: lastFetchID, source: source, deadline: deadline)
    }

    /// What to log of a condition: nothing where it was logged last.
    private mutating func note(_ condition: NotedCondition, _ keys: KeySet?) -> KeyNote? {
        if condition == lastNote { return nil }
        lastNote = condition
        switch (condition, keys) {
        case (.stale(let reason), let keys?): return .servingStale(keys, reason: reason)
        case (.pinned(let reason), let keys?): return .servingPinned(keys, reason: reason)
        case (.unavailable(let reason), _): return .unavailable(reason: reason)
        default: return nil
        }
    }
}

extension Int64 {
    /// Of seconds; capped where a configured time is beyond what the clock can hold.
    fileprivate var inNanoseconds: Int64 {
        Swift.min(self, 1_000_000_000) * 1_000_000_000
    }
}
