// Transcripts of the key cache: what happens, and what the cache has done about it. Times are seconds.

import Bytes
import JOSE
import Testing

@testable import Admission

@Suite struct KeyCacheTests {
    @Test("survives bad days by the rules", arguments: KeyTranscript.all)
    func transcript(_ transcript: KeyTranscript) throws {
        let script = try KeyScript(transcript.policy, restoresKeys: transcript.restoresKeys)
        for (number, (event, expected)) in transcript.steps.enumerated() {
            #expect(script.tell(event) == expected, "step \(number + 1), \(event), at \(script.now) s")
        }
    }

    @Test("the pause after a failure is between half of it and the whole", arguments: [0, 0.25, 0.5, 0.999])
    func backoffJitter(_ jitter: Double) throws {
        let script = try KeyScript(.testing())
        script.jitter = jitter
        _ = script.tell(.start)
        for pause in [1.0, 2, 4, 8, 16, 32, 60, 60] {
            _ = script.tell(.fail("down"))
            let actual = Double(script.cache.deadline) / 1e9 - script.now
            #expect(abs(actual - pause * (1 - jitter / 2)) < 0.001)
            _ = script.tell(.at(script.now + actual + 0.001))
        }
    }

    @Test("a refresh is up to a tenth early, but never within a minute of the last for a max-age")
    func refreshJitter() throws {
        let script = try KeyScript(.testing())
        script.jitter = 0.5
        _ = script.tell(.start)
        _ = script.tell(.keys("a"))
        #expect(script.cache.deadline == 570_000_000_000)
        _ = script.tell(.at(570))
        _ = script.tell(.keys("a", maxAge: 60))
        #expect(script.cache.deadline == 630_000_000_000)
    }

    @Test("the cooldown of the material is what the cache itself goes by")
    func cooldownInMaterial() throws {
        let script = try KeyScript(.testing())
        _ = script.tell(.start)
        _ = script.tell(.keys("a"))
        #expect(script.cache.material(at: 0).forcedRefreshAllowedAt == .min)
        _ = script.tell(.at(10))
        #expect(script.tell(.wantUnknown).hasPrefix("fetch"))
        #expect(script.cache.material(at: 10_000_000_000).forcedRefreshAllowedAt == 40_000_000_000)
    }

    @Test("the same keys anew are the same set to the workers, others are not")
    func identity() throws {
        let script = try KeyScript(.testing())
        _ = script.tell(.start)
        _ = script.tell(.keys("a"))
        let first = try #require(script.keySet)
        _ = script.tell(.at(600))
        _ = script.tell(.keys("a"))
        #expect(script.keySet === first)
        _ = script.tell(.at(1200))
        _ = script.tell(.keys("ab"))
        #expect(script.keySet !== first)
    }

    @Test("a key file beside a secret is refused: it could be meant as the last resort")
    func secretWithFile() throws {
        #expect(throws: KeySourceError.self) {
            _ = try KeyCache(issuer: "a", policy: .testing(source: .secretFile("/s"), file: "/p"))
        }
        _ = try KeyCache(issuer: "a", policy: .testing(source: .secretFile("/s")))
    }

    @Test("a policy that leads to no keys is refused", arguments: [
        ("https://issuer.example/", KeySource.fileOnly),
        ("https://issuer.example/", .uri("ftp://issuer.example/jwks")),
        ("https://issuer.example/", .uri("http://issuer.example/jwks")),
        ("https://issuer.example/?a=b", .discovery),
        ("http://issuer.example/", .discovery),
        ("my issuer", .discovery),
    ])
    func impossible(_ issuer: String, _ source: KeySource) {
        var thrown: KeySourceError?
        do throws(KeySourceError) {
            _ = try KeyCache(issuer: issuer, policy: .testing(source: source))
        } catch {
            thrown = error
        }
        #expect(thrown?.reason.isEmpty == false)
    }
}

/// A row of events, each with what the cache does about it.
struct KeyTranscript: Sendable, CustomTestStringConvertible {
    var title: String
    var policy: KeyPolicy
    var steps: [(KeyScript.Event, String)]
    var restoresKeys = false

    init(_ title: String, _ policy: KeyPolicy, _ steps: [(KeyScript.Event, String)]) {
        self.title = title
        self.policy = policy
        self.steps = steps
    }

    init(_ title: String, _ steps: [(KeyScript.Event, String)]) {
        self.init(title, .testing(), steps)
    }

    var testDescription: String { title }

    /// One that begins with a look at what is stored.
    static func restoring(_ title: String, _ steps: [(KeyScript.Event, String)]) -> KeyTranscript {
        restoring(title, .testing(), steps)
    }

    static func restoring(
        _ title: String, _ policy: KeyPolicy, _ steps: [(KeyScript.Event, String)]
    ) -> KeyTranscript {
        var transcript = KeyTranscript(title, policy, steps)
        transcript.restoresKeys = true
        return transcript
    }

    static let all = fetching + failing + forced + files + discovery + stored + missing + reloaded
}

extension KeyPolicy {
    static func testing(
        source: KeySource = .uri("https://k.example/jwks"), file: String? = nil, refresh: Int64 = 600,
        maxStale: Int64 = 86_400, cooldown: Int64 = 30
    ) -> KeyPolicy {
        KeyPolicy(
            source: source, file: file, refreshSeconds: refresh, maxStaleSeconds: maxStale, cooldownSeconds: cooldown)
    }
}

/// Plays events to a cache and renders its actions.
final class KeyScript {
    enum Event: Sendable {
        case start
        /// The clock shows so many seconds, and the timer looks.
        case at(Double)
        /// The last fetch is answered with the keys named by these letters.
        case keys(String, maxAge: Int64? = nil)
        /// What was stored is those keys, fetched so many seconds ago.
        case stored(String, age: Int64)
        case metadata(String)
        case fail(String, elsewhere: Bool = false, retryAfter: Int64? = nil)
        /// The fetch before the last is answered after all.
        case olderKeys(String)
        case olderStored(String)
        case want
        /// For a key ID that nobody has asked for before.
        case wantUnknown
        case wantKey(String)
        case lookAgain
        /// Another policy takes the place of the one at hand, and its cache starts.
        case become(KeyPolicy)
    }

    private static let issuer = "https://issuer.example/tenant/"

    var cache: KeyCache
    var now = 0.0
    var jitter = 0.0
    private var fetchIDs: [UInt64] = []
    private var unknownCount = 0

    init(_ policy: KeyPolicy, restoresKeys: Bool = false) throws {
        cache = try KeyCache(
            issuer: Self.issuer, policy: policy, restoresKeys: restoresKeys)
    }

    var keySet: KeySet? {
        guard case .usable(let keys) = cache.material(at: nanoseconds).state else { return nil }
        return keys
    }

    func tell(_ event: Event) -> String {
        render(action(event))
    }

    private var nanoseconds: Int64 { Int64((now * 1e9).rounded()) }

    private func action(_ event: Event) -> KeyAction {
        switch event {
        case .start: return cache.start(at: nanoseconds, jitter: jitter)
        case .at(let seconds):
            now = seconds
            return cache.timeReached(at: nanoseconds, jitter: jitter)
        case .keys(let names, let maxAge): return answer(.keys(Self.keySet(names), maxAgeSeconds: maxAge))
        case .stored(let names, let age): return answer(.stored(Self.keySet(names), ageSeconds: age))
        case .metadata(let url): return answer(.metadata(keysURL: try! HTTPURL(parsing: url)))
        case .fail(let reason, let elsewhere, let retryAfter):
            return answer(
                .failed(KeyFetchFailure(reason: reason, mayBeElsewhere: elsewhere, retryAfterSeconds: retryAfter)))
        case .olderKeys(let names): return answerOlder(.keys(Self.keySet(names), maxAgeSeconds: nil))
        case .olderStored(let names): return answerOlder(.stored(Self.keySet(names), ageSeconds: 0))
        case .want: return cache.wanted(unknownKeyID: nil, at: nanoseconds, jitter: jitter)
        case .wantUnknown:
            unknownCount += 1
            return action(.wantKey("unknown \(unknownCount)"))
        case .wantKey(let keyID):
            return cache.wanted(unknownKeyID: KeyIDHash(keyID), at: nanoseconds, jitter: jitter)
        case .lookAgain: return cache.lookAgain(at: nanoseconds, jitter: jitter)
        case .become(let policy):
            cache = try! KeyCache(issuer: Self.issuer, policy: policy, continuing: cache, at: nanoseconds)
            return cache.start(at: nanoseconds, jitter: jitter)
        }
    }

    private func answer(_ result: KeyFetchResult) -> KeyAction {
        cache.fetched(fetchIDs.last!, result, at: nanoseconds, jitter: jitter)
    }

    private func answerOlder(_ result: KeyFetchResult) -> KeyAction {
        cache.fetched(fetchIDs[fetchIDs.count - 2], result, at: nanoseconds, jitter: jitter)
    }

    private func render(_ action: KeyAction) -> String {
        switch action {
        case .none: return "-"
        case .fetch(let fetch):
            fetchIDs.append(fetch.id)
            switch fetch.source {
            case .metadata(let url): return "fetch metadata \(url)"
            case .keys(let url): return "fetch keys \(url)"
            case .file(let path): return "read \(path)"
            case .stored: return "read what is stored"
            case .secret(let path): return "read secret \(path)"
            }
        case .publish(let news):
            let state =
                switch cache.material(at: nanoseconds).state {
                case .pending: "pending"
                case .usable(let keys): keys.keys.map { $0.keyID ?? "-" }.joined()
                case .unavailable(let seconds): "none for \(seconds) s"
                }
            return "publish \(state)" + (news.note.map { "; log " + render($0) } ?? "")
        }
    }

    private func render(_ note: KeyNote) -> String {
        switch note {
        case .serving(_, let source): "serving from \(source)"
        case .servingStored(_, let age): "stored \(age) s ago"
        case .servingStale(_, let reason): "stale: \(reason)"
        case .servingPinned(_, let reason): "pinned: \(reason)"
        case .unavailable(let reason): "unavailable: \(reason)"
        }
    }

    /// A set with a key for each letter, of "a" and "b".
    static func keySet(_ names: String) -> KeySet {
        let keys = names.map { PublicKeys.jwk[String($0)]! }
        return try! KeySet(parsing: Array("{\"keys\":[\(keys.joined(separator: ","))]}".utf8).span)
    }
}

/// Public keys that Node made.
enum PublicKeys {
    static let jwk = [
        "a": """
        {"kty":"EC","x":"6qqNg7-ZfCVynIgUfrzAH0ErlwPYG4RsHYB7gjFGnPY",\
        "y":"nwumuF62KLM0b8EKmt-f4Dpu73JrpqFRU6MTSoIG1dQ","crv":"P-256","kid":"a"}
        """,
        "b": """
        {"kty":"EC","x":"b3spvAjawZR56dpu-5SLjnVBC2jz0o90LDCXgVoHGRQ",\
        "y":"MyyfZIKC5Dc-iphOl9ax4TlHYRYBg_VJujjzjB1NwHw","crv":"P-256","kid":"b"}
        """,
    ]
    /// An RSA key of 1024 bits.
    static let short = """
        {"kty":"RSA","n":"ziKWiFKSFdfdHHkFOW8h6dzX4YVbZGCnstiMP7sRvMruoQSm9mG-hdo1Z5ChIrjtrJBKUPFnXBdu5X9jgS_9XdT8HmdV\
        o9L4yBnk3j50xy0FqQBTWl7JUrLuCd5817K-fdMOr91zYVjzqygZ4Vaa_7RjQG_m88tq02_bvHrmO0c","e":"AQAB","kid":"short"}
        """
}
