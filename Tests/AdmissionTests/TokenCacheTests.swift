// Remembered tokens: what makes them faster must not make them different.

import Bytes
import JOSE
import Testing

@testable import Admission

@Suite struct TokenCacheTests {
    @Test func `A token is verified once and remembered, with the very same identity`() throws {
        let authenticator = Fixture.authenticator()
        let token = Fixture.token()
        let first = try #require(authenticator.decide(token).identity)
        let second = try #require(authenticator.decide(token).identity)
        #expect(first === second)
        #expect(
            authenticator.counters
                == .init(cacheHits: 1, cacheMisses: 1, cacheEvictions: 0, verifications: [.es256: 1]))
    }

    @Test func `A cache of no entries remembers nothing`() {
        let authenticator = Fixture.authenticator(cacheEntries: 0)
        let token = Fixture.token()
        for _ in 0..<3 { #expect(authenticator.decide(token).identity != nil) }
        #expect(authenticator.counters.cacheHits == 0)
        #expect(authenticator.counters.verifications == [.es256: 3])
        #expect(authenticator.rememberedTokens == 0)
    }

    @Test func `A refused token is not remembered`() {
        let authenticator = Fixture.authenticator()
        for changes: KeyValuePairs in [["aud": "\"other\""], ["exp": "1"], ["sub": "1"]] {
            #expect(authenticator.decide(Fixture.token(changes)).identity == nil)
        }
        #expect(authenticator.rememberedTokens == 0)
    }

    @Test func `A remembered token is refused from the second it expires, and forgotten`() {
        let authenticator = Fixture.authenticator()
        let token = Fixture.token(["exp": "\(Fixture.now + 10)"])
        #expect(authenticator.decide(token).identity != nil)
        #expect(authenticator.decide(token, at: Fixture.instant(Fixture.now + 39)).identity != nil)
        let refusal = authenticator.decide(token, at: Fixture.instant(Fixture.now + 40)).refusal
        #expect(refusal?.code == .tokenExpired)
        #expect(authenticator.rememberedTokens == 0)
    }

    @Test func `A remembered token is refused while the clock stands before its time`() {
        let authenticator = Fixture.authenticator()
        let token = Fixture.token(["nbf": "\(Fixture.now)"])
        #expect(authenticator.decide(token).identity != nil)
        let back = authenticator.decide(token, at: Fixture.instant(Fixture.now - 31)).refusal
        #expect(back?.code == .tokenNotYetValid)
        #expect(authenticator.decide(token).identity != nil)
    }

    @Test func `A remembered token is refused once its key has left the set`() {
        let authenticator = Fixture.authenticator()
        let token = Fixture.token()
        #expect(authenticator.decide(token).identity != nil)
        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.rsa)), forIssuerAt: 0)
        #expect(authenticator.decide(token, mayAwaitKeys: false).refusal?.code == .unknownKey)
        #expect(authenticator.rememberedTokens == 0)
    }

    @Test func `A remembered token is refused once its key ID names another key`() {
        let authenticator = Fixture.authenticator()
        let token = Fixture.token()
        #expect(authenticator.decide(token).identity != nil)
        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.impostor)), forIssuerAt: 0)
        #expect(authenticator.decide(token).refusal?.code == .badSignature)
    }

    @Test func `A remembered token gets 503 while its issuer has no keys, and is good again after`() {
        let authenticator = Fixture.authenticator()
        let token = Fixture.token()
        let set = Fixture.keySet(Fixture.ec)
        authenticator.install(Fixture.keys(set), forIssuerAt: 0)
        #expect(authenticator.decide(token).identity != nil)
        authenticator.install(
            KeyMaterial(state: .unavailable(retryAfterSeconds: 5), forcedRefreshAllowedAt: 0), forIssuerAt: 0)
        #expect(authenticator.decide(token).refusal?.code == .keysUnavailable)
        authenticator.install(Fixture.keys(set), forIssuerAt: 0)
        #expect(authenticator.decide(token).identity != nil)
    }

    @Test func `A refresh that still has the key costs no second verification`() {
        let authenticator = Fixture.authenticator()
        let token = Fixture.token()
        for _ in 0..<3 {
            #expect(authenticator.decide(token).identity != nil)
            authenticator.install(Fixture.keys(Fixture.keySet(Fixture.otherEC, Fixture.ec)), forIssuerAt: 0)
        }
        #expect(authenticator.counters.verifications == [.es256: 1])
    }

    @Test func `A remembered token is not admitted where more is required of it`() {
        let authenticator = Fixture.authenticator(rules: [
            AccessRules(), AccessRules(requirements: Requirements(scopes: ["read:x", "admin"])),
        ])
        let reader = Fixture.token()
        let admin = Fixture.token(["scope": "\"admin read:x\""])
        for _ in 0..<2 {
            #expect(authenticator.decide(reader).identity != nil)
            #expect(authenticator.decide(reader, rulesIndex: 1).refusal?.code == .insufficientScope)
            #expect(authenticator.decide(admin, rulesIndex: 1).identity != nil)
            #expect(authenticator.decide(admin).identity != nil)
        }
        #expect(authenticator.counters.cacheHits == 3)
        // The refused one is verified each time, the admitted ones once for each place.
        #expect(authenticator.counters.verifications == [.es256: 5])
        #expect(authenticator.rememberedTokens == 3)
    }

    @Test func `A token that is remembered for two places leaves both with its key`() {
        let authenticator = Fixture.authenticator(rules: [
            AccessRules(), AccessRules(requirements: Requirements(scopes: ["read:x"])),
        ])
        let token = Fixture.token()
        for index in 0..<2 { #expect(authenticator.decide(token, rulesIndex: index).identity != nil) }
        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.rsa)), forIssuerAt: 0)
        for index in 0..<2 {
            let refusal = authenticator.decide(token, rulesIndex: index, mayAwaitKeys: false).refusal
            #expect(refusal?.code == .unknownKey)
        }
        #expect(authenticator.rememberedTokens == 0)
    }

    @Test func `A change of one issuer's keys leaves another's tokens remembered`() {
        let second = IssuerPolicy(identifier: "https://second.example/", audiences: ["b"])
        let authenticator = Authenticator(policy: AdmissionPolicy(issuers: [Fixture.policy(), second]))
        let first = Fixture.token()
        let other = Fixture.token(["iss": "\"https://second.example/\"", "aud": "\"b\""], signer: Fixture.otherEC)
        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.ec)), forIssuerAt: 0)
        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.otherEC)), forIssuerAt: 1)
        #expect(authenticator.decide(first).identity?.issuerIndex == 0)
        #expect(authenticator.decide(other).identity?.issuerIndex == 1)

        authenticator.install(Fixture.keys(Fixture.keySet(Fixture.rsa)), forIssuerAt: 1)
        #expect(authenticator.decide(first).identity?.issuerIndex == 0)
        #expect(authenticator.decide(other, mayAwaitKeys: false).refusal?.code == .unknownKey)
        #expect(authenticator.counters.cacheHits == 1)
    }

    @Test func `Whatever happens, a remembered token fares as one that is not`() throws {
        let tokens = [
            Fixture.token(), Fixture.token(["sub": "\"two\""], signer: Fixture.rsa),
            Fixture.token(["exp": "\(Fixture.now + 100)"]), Fixture.token(["nbf": "\(Fixture.now + 200)"]),
            Fixture.token(["exp": "\(Fixture.now + 300)", "iat": "\(Fixture.now + 50)"], signer: Fixture.otherEC),
            Fixture.token(["aud": "\"other\""]), Fixture.token(signer: Fixture.impostor),
            Fixture.token(["scope": "\"admin\""]),
            try Fixture.ec.sign(header: "{\"alg\":\"ES256\"}", claims: Fixture.claims(["sub": "\"no kid\""])),
        ]
        let sets = [
            Fixture.keySet(Fixture.ec, Fixture.rsa), Fixture.keySet(Fixture.ec), Fixture.keySet(Fixture.otherEC),
            Fixture.keySet(Fixture.impostor, Fixture.rsa), Fixture.keySet(Fixture.ec, Fixture.otherEC),
        ]
        var random = SplitMix(state: 42)
        let rules = [AccessRules(), AccessRules(requirements: Requirements(scopes: ["admin"]))]
        let remembering = Fixture.authenticator(rules: rules, cacheEntries: 3)
        let forgetting = Fixture.authenticator(rules: rules, cacheEntries: 0)
        var monotonicSeconds: Int64 = 0
        for step in 0..<3_000 {
            if random.next(below: 10) == 0 {
                let choice = random.next(below: sets.count + 2)
                let keys: KeyMaterial =
                    choice < sets.count
                    ? Fixture.keys(sets[choice], forcedRefreshAllowedAtSeconds: monotonicSeconds + 3)
                    : KeyMaterial(
                        state: choice == sets.count ? .pending : .unavailable(retryAfterSeconds: 9),
                        forcedRefreshAllowedAt: 0)
                remembering.install(keys, forIssuerAt: 0)
                forgetting.install(keys, forIssuerAt: 0)
            }
            monotonicSeconds += 1
            let now = Fixture.instant(
                Fixture.now - 100 + Int64(random.next(below: 500)), monotonicSeconds: monotonicSeconds)
            let token = tokens[random.next(below: tokens.count)]
            let mayAwait = random.next(below: 2) == 0
            let place = random.next(below: rules.count)
            let with = remembering.decide(token, rulesIndex: place, at: now, mayAwaitKeys: mayAwait, isExplained: false).outcome
            let without = forgetting.decide(token, rulesIndex: place, at: now, mayAwaitKeys: mayAwait, isExplained: false).outcome
            try #require(with == without, "step \(step)")
        }
        #expect(remembering.counters.cacheHits > 100)
        #expect(remembering.counters.cacheEvictions > 30)
    }

    @Test(arguments: [1, 2, 3])
    func `Even a small cache remembers as many tokens as it may`(entries: Int) {
        let authenticator = Fixture.authenticator(cacheEntries: entries)
        for number in 0..<10 {
            #expect(authenticator.decide(Fixture.token(["jti": "\"\(number)\""])).identity != nil)
        }
        #expect(authenticator.rememberedTokens == entries)
    }

    @Test func `No more tokens are remembered than allowed`() {
        let authenticator = Fixture.authenticator(cacheEntries: 10)
        for number in 0..<40 {
            #expect(authenticator.decide(Fixture.token(["jti": "\"\(number)\""])).identity != nil)
            #expect(authenticator.rememberedTokens <= 10)
        }
        #expect(authenticator.counters.cacheEvictions == 30)
    }

    @Test func `A scan of tokens that are used once leaves those in use remembered`() {
        let authenticator = Fixture.authenticator(cacheEntries: 50)
        let inUse = (0..<20).map { Fixture.token(["jti": "\"in use \($0)\""]) }
        for _ in 0..<3 {
            for token in inUse { #expect(authenticator.decide(token).identity != nil) }
        }
        for number in 0..<200 {
            #expect(authenticator.decide(Fixture.token(["jti": "\"\(number)\""])).identity != nil)
        }
        let before = authenticator.counters
        for token in inUse { #expect(authenticator.decide(token).identity != nil) }
        #expect(authenticator.counters.cacheHits == before.cacheHits + 20)
        #expect(authenticator.counters.verifications == before.verifications)
    }

    @Test func `The bytes that are remembered stay within their bound, to the byte`() throws {
        let authenticator = Fixture.authenticator()
        let identity = try #require(authenticator.decide(Fixture.token()).identity)
        let cost = identity.storageBytes + TokenCache.overheadBytes
        // An entry may take an eighth of the bound and no more; where entries alone would leave room for many.
        for (bytesMax, expected) in [(8 * cost - 1, 0), (8 * cost, 8), (9 * cost - 1, 8), (9 * cost, 9)] {
            var cache = TokenCache(entriesMax: 1000, bytesMax: bytesMax)
            for number in 0..<30 {
                let digest = TokenDigest(of: Array("\(number)".utf8).span)
                cache.insert(.init(name: .init(digest, 0), identity: identity, keyGeneration: 0))
                #expect(cache.bytes <= bytesMax)
            }
            #expect(cache.count == expected, "\(bytesMax) bytes, \(cost) each")
        }
    }

    @Test func `Identities count by their bytes, and tokens do not`() {
        // 40 identities of some 4 KB would be 40 entries, but twice the bytes and more.
        let large = Fixture.authenticator(cacheEntries: 48)
        let longSubject = String(repeating: "x", count: 3_600)
        for number in 0..<40 {
            #expect(large.decide(Fixture.token(["sub": "\"\(number)\(longSubject)\""])).identity != nil)
        }
        #expect(large.rememberedTokens > 8)
        #expect(large.rememberedTokens < 20)

        // What the backend is not told takes no room.
        let padded = Fixture.authenticator(cacheEntries: 48)
        for number in 0..<40 {
            #expect(
                padded.decide(Fixture.token(["jti": "\"\(number)\"", "pad": "\"\(longSubject)\""])).identity != nil)
        }
        #expect(padded.rememberedTokens == 40)
    }
}

/// A small generator with a fixed seed, so that a failure repeats.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }

    mutating func next(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
