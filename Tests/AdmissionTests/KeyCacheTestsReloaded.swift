// What becomes of keys when the configuration is loaded anew, as transcripts of the key cache. Jitter is off.

@testable import Admission

private let url = "https://k.example/jwks"

extension KeyTranscript {
    static let reloaded: [KeyTranscript] = [
        KeyTranscript("fetched keys stay as fresh as they are, however often the operator asks", [
            (.start, "fetch keys \(url)"),
            (.lookAgain, "-"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.lookAgain, "-"),
            (.at(100), "-"),
            (.lookAgain, "-"),
            (.at(600), "fetch keys \(url)"),
        ]),
        KeyTranscript("where there are none they are asked for at once", [
            (.start, "fetch keys \(url)"),
            (.fail("down", retryAfter: 100), "publish none for 100 s; log unavailable: \(url): down"),
            (.at(5), "-"),
            (.lookAgain, "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
        ]),
        KeyTranscript("a file is read again, and one that holds no key takes none away", .testing(source: .fileOnly, file: "/k"), [
            (.start, "read /k"),
            (.keys("a"), "publish a; log serving from /k"),
            (.lookAgain, "read /k"),
            (.keys("b"), "publish b; log serving from /k"),
            (.lookAgain, "read /k"),
            (.fail("no key"), "publish b; log stale: /k: no key"),
        ]),
        KeyTranscript("keys serve on under another policy, which is asked to confirm them", [
            (.start, "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.at(50), "-"),
            (.become(.testing(refresh: 60)), "fetch keys \(url)"),
            (.want, "-"),
            (.fail("down"), "publish a; log stale: \(url): down"),
            (.at(51), "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.at(111), "fetch keys \(url)"),
        ]),
        KeyTranscript("for as long as that one says, from when they were fetched", [
            (.start, "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.at(50), "-"),
            (.become(.testing(refresh: 60, maxStale: 100)), "fetch keys \(url)"),
            (.fail("down", retryAfter: 300), "publish a; log stale: \(url): down"),
            (.at(99.9), "-"),
            (.at(100), "publish none for 250 s; log unavailable: \(url): down"),
        ]),
        KeyTranscript("keys that are older than that are gone", [
            (.start, "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.at(500), "-"),
            (.become(.testing(maxStale: 400)), "fetch keys \(url)"),
            (.fail("down"), "publish none for 1 s; log unavailable: \(url): down"),
        ]),
        KeyTranscript("unknown key IDs are no more often asked for than before", [
            (.start, "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.at(1), "-"),
            (.wantUnknown, "fetch keys \(url)"),
            (.keys("a"), "publish a"),
            (.become(.testing()), "fetch keys \(url)"),
            (.keys("a"), "publish a"),
            (.at(2), "-"),
            (.wantUnknown, "publish a"),
            (.at(31), "-"),
            (.wantUnknown, "fetch keys \(url)"),
        ]),
    ]
}
