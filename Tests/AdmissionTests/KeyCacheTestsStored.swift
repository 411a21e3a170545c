// What was stored before a restart, as transcripts of the key cache. Jitter is off.

@testable import Admission

private let url = "https://k.example/jwks"

extension KeyTranscript {
    static let stored: [KeyTranscript] = [
        .restoring("stored keys serve from the start, and the first fetch follows at once, with nobody waiting", [
            (.start, "read what is stored"),
            (.want, "-"),
            (.stored("a", age: 100), "publish a; log stored 100 s ago"),
            (.want, "publish a"),
            (.at(0), "fetch keys \(url)"),
            (.want, "-"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.at(600), "fetch keys \(url)"),
        ]),
        .restoring("where nothing is stored, who wants keys waits for the fetch as ever", [
            (.start, "read what is stored"),
            (.want, "-"),
            (.fail("nothing is stored"), "fetch keys \(url)"),
            (.want, "-"),
            (.keys("a"), "publish a; log serving from \(url)"),
        ]),
        .restoring("a disk that does not answer holds the first fetch up for a second, and what it says later is nothing", [
            (.start, "read what is stored"),
            (.at(0.9), "-"),
            (.at(1), "fetch keys \(url)"),
            (.olderStored("a"), "-"),
            (.fail("down"), "publish none for 1 s; log unavailable: \(url): down"),
        ]),
        .restoring("stored keys serve while the issuer is down, for what is left of jwks_max_stale", .testing(maxStale: 620), [
            (.start, "read what is stored"),
            (.stored("a", age: 600), "publish a; log stored 600 s ago"),
            (.at(0), "fetch keys \(url)"),
            (.fail("down", retryAfter: 100), "publish a; log stale: \(url): down"),
            (.at(19.9), "-"),
            (.at(20), "publish none for 80 s; log unavailable: \(url): down"),
            (.want, "publish none for 80 s"),
        ]),
        .restoring("stored keys of jwks_max_stale are not taken", .testing(maxStale: 620), [
            (.start, "read what is stored"),
            (.stored("a", age: 620), "fetch keys \(url)"),
            (.fail("down"), "publish none for 1 s; log unavailable: \(url): down"),
        ]),
        .restoring("a clock that was set back a little makes stored keys no better than fresh", .testing(maxStale: 620), [
            (.start, "read what is stored"),
            (.stored("a", age: -30), "publish a; log stored 0 s ago"),
            (.at(0), "fetch keys \(url)"),
            (.fail("down", retryAfter: 300), "publish a; log stale: \(url): down"),
            (.at(300), "fetch keys \(url)"),
            (.fail("down", retryAfter: 300), "publish a"),
            (.at(600), "fetch keys \(url)"),
            (.fail("down", retryAfter: 300), "publish a"),
            (.at(620), "publish none for 280 s; log unavailable: \(url): down"),
        ]),
        .restoring("the order of last resort: memory, what is stored, the pinned file, nothing",
            .testing(file: "/p", maxStale: 620), [
                (.start, "read what is stored"),
                (.stored("a", age: 600), "publish a; log stored 600 s ago"),
                (.at(0), "fetch keys \(url)"),
                (.fail("down", retryAfter: 100), "publish a; log stale: \(url): down"),
                (.at(20), "read /p"),
                (.keys("b"), "publish b; log pinned: \(url): down"),
            ]),
        .restoring("what the issuer says displaces stored keys, and one that was removed meanwhile stops", [
            (.start, "read what is stored"),
            (.stored("ab", age: 1), "publish ab; log stored 1 s ago"),
            (.at(0), "fetch keys \(url)"),
            (.keys("b"), "publish b; log serving from \(url)"),
        ]),
        .restoring("a new kid works at its first use, also where the stored keys are from before it", [
            (.start, "read what is stored"),
            (.stored("a", age: 1), "publish a; log stored 1 s ago"),
            (.wantUnknown, "fetch keys \(url)"),
            (.keys("ab"), "publish ab; log serving from \(url)"),
        ]),
        .restoring("discovery comes after stored keys too", .testing(source: .discovery), [
            (.start, "read what is stored"),
            (.stored("a", age: 1), "publish a; log stored 1 s ago"),
            (.at(0), "fetch metadata https://issuer.example/tenant/.well-known/openid-configuration"),
            (.fail("refused"),
                "publish a; log stale: https://issuer.example/tenant/.well-known/openid-configuration: refused"),
        ]),
    ]
}
