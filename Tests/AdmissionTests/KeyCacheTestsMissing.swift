// Key IDs that were found missing, as transcripts of the key cache and by themselves. Jitter is off.

import Testing

@testable import Admission

private let url = "https://k.example/jwks"

extension KeyTranscript {
    static let missing: [KeyTranscript] = [
        KeyTranscript("a kid that was found missing forces no fetch for four cooldowns, and leaves them to others", [
            (.start, "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.wantKey("x"), "fetch keys \(url)"),
            (.keys("a"), "publish a"),
            (.at(40), "-"),
            (.wantKey("x"), "publish a"),
            (.wantKey("y"), "fetch keys \(url)"),
            (.keys("a"), "publish a"),
            (.at(119), "-"),
            (.wantKey("x"), "publish a"),
            (.wantKey("y"), "publish a"),
            (.at(120), "-"),
            (.wantKey("y"), "publish a"),
            (.wantKey("x"), "fetch keys \(url)"),
        ]),
        KeyTranscript("a kid that was found missing is one to ask for again once the set has changed", [
            (.start, "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.wantKey("x"), "fetch keys \(url)"),
            (.keys("a"), "publish a"),
            (.at(30), "-"),
            (.wantKey("b"), "fetch keys \(url)"),
            (.keys("ab"), "publish ab; log serving from \(url)"),
            (.at(60), "-"),
            (.wantKey("x"), "fetch keys \(url)"),
        ]),
        KeyTranscript("a kid is not missing because the fetch failed", [
            (.start, "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.wantKey("x"), "fetch keys \(url)"),
            (.fail("500"), "publish a; log stale: \(url): 500"),
            (.at(30), "-"),
            (.wantKey("x"), "fetch keys \(url)"),
        ]),
        KeyTranscript("a kid whose token came while the keys were on their way is not missing: they may be older", [
            (.start, "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.wantKey("x"), "fetch keys \(url)"),
            (.wantKey("y"), "-"),
            (.keys("a"), "publish a"),
            (.at(30), "-"),
            (.wantKey("y"), "fetch keys \(url)"),
        ]),
        KeyTranscript("one that came while it was asked where the keys are is", .testing(source: .discovery), [
            (.start, "fetch metadata https://issuer.example/tenant/.well-known/openid-configuration"),
            (.metadata(url), "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.wantKey("x"), "fetch keys \(url)"),
            (.keys("a"), "publish a"),
            (.at(30), "-"),
            (.wantKey("y"), "fetch metadata https://issuer.example/tenant/.well-known/openid-configuration"),
            (.wantKey("z"), "-"),
            (.metadata(url), "fetch keys \(url)"),
            (.keys("a"), "publish a"),
            (.at(60), "-"),
            (.wantKey("z"), "publish a"),
        ]),
        KeyTranscript("with a cooldown of an hour a missing kid has to wait for no more than that", .testing(refresh: 9000, cooldown: 3600), [
            (.start, "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.wantKey("x"), "fetch keys \(url)"),
            (.keys("a"), "publish a"),
            (.at(3599), "-"),
            (.wantKey("x"), "publish a"),
            (.at(3600), "-"),
            (.wantKey("x"), "fetch keys \(url)"),
        ]),
        KeyTranscript("and with one of two minutes, for five", .testing(cooldown: 120), [
            (.start, "fetch keys \(url)"),
            (.keys("a"), "publish a; log serving from \(url)"),
            (.wantKey("x"), "fetch keys \(url)"),
            (.keys("a"), "publish a"),
            (.at(299), "-"),
            (.wantKey("x"), "publish a"),
            (.at(300), "-"),
            (.wantKey("x"), "fetch keys \(url)"),
        ]),
    ]
}

@Suite struct MissingKeyIDsTests {
    @Test func `As many are remembered as there is room for, and none before its time makes room`() {
        var missing = MissingKeyIDs()
        let first = (0..<MissingKeyIDs.countMax).map { KeyIDHash("first \($0)") }
        missing.insert(first, until: 100, at: 0)
        missing.insert([KeyIDHash("late")], until: 100, at: 99)
        #expect(missing.count == MissingKeyIDs.countMax)
        #expect(first.allSatisfy { missing.contains($0, at: 99) })
        #expect(!missing.contains(KeyIDHash("late"), at: 99))
        // Who is in may stay longer.
        missing.insert([first[0]], until: 200, at: 99)
        missing.insert([KeyIDHash("late")], until: 200, at: 100)
        #expect(missing.contains(first[0], at: 199) && missing.contains(KeyIDHash("late"), at: 199))
        #expect(!missing.contains(first[1], at: 100))
        #expect(missing.count == 2)
    }

    @Test func `Key IDs are told apart by their bytes`() {
        // Canonically equivalent, and equal to Swift.
        #expect(KeyIDHash("e\u{301}") != KeyIDHash("\u{E9}"))
        #expect(KeyIDHash("a") == KeyIDHash("a") && KeyIDHash("") != KeyIDHash("\u{0}"))
    }

    @Test func `Those that asked in vain at once are remembered up to the bound`() throws {
        let script = try KeyScript(.testing(source: .discovery))
        _ = script.tell(.start)
        for number in 0..<1000 { _ = script.tell(.wantKey("made up \(number)")) }
        _ = script.tell(.metadata("https://k.example/jwks"))
        _ = script.tell(.keys("a"))
        #expect(script.cache.material(at: 0).missing.count == MissingKeyIDs.countMax)
    }
}
