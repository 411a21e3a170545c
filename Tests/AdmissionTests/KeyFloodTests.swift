// A worker and an issuer's key cache together, under a flood of tokens with key IDs that somebody makes up.

import JOSE
import Testing

@testable import Admission

@Suite struct KeyFloodTests {
    @Test func `10,000 made-up key IDs in an hour cause a fetch a cooldown at most, and cost known tokens nothing`() throws {
        let world = try World()
        let known = Fixture.token()
        #expect(world.decide(known).identity != nil)
        let claims = Fixture.claims()
        for number in 0..<10_000 {
            world.advance(milliseconds: 360)
            let header = "{\"alg\":\"ES256\",\"kid\":\"made up \(number)\"}"
            let madeUp = try Fixture.impostor.sign(header: header, claims: claims)
            #expect(world.decide(madeUp).refusal?.code == .unknownKey)
            if number % 100 == 0 { #expect(world.decide(known).identity != nil) }
        }
        #expect((100...121).contains(world.forcedFetches))
        #expect(world.authenticator.counters.verifications.values.reduce(0, +) == 1)
        #expect(world.authenticator.rememberedTokens == 1)
        #expect(world.cache.material(at: world.now).missing.count <= MissingKeyIDs.countMax)
    }

    @Test func `A client that goes on with a key that is gone leaves the forced fetches to a new one`() throws {
        let world = try World()
        let gone = try Fixture.impostor.sign(
            header: "{\"alg\":\"ES256\",\"kid\":\"gone\"}", claims: Fixture.claims())
        #expect(world.decide(gone).refusal?.code == .unknownKey)
        var refused = 0
        for _ in 0..<1000 {
            world.advance(milliseconds: 100)
            if world.decide(gone).refusal?.code == .unknownKey { refused += 1 }
        }
        #expect(refused == 1000)
        #expect(world.forcedFetches == 1)
        // A hundred seconds on, the cooldown is over, and nobody has begun another.
        world.set = Fixture.keySet(Fixture.ec, Fixture.otherEC)
        #expect(world.decide(Fixture.token(signer: Fixture.otherEC)).identity != nil)
        #expect(world.forcedFetches == 2)
    }
}

/// One issuer, its key cache, and one worker, which hears of every publication at once.
private final class World {
    let authenticator = Fixture.authenticator()
    var cache: KeyCache
    /// What the issuer has.
    var set = Fixture.keySet(Fixture.ec)
    /// Monotonic nanoseconds.
    var now: Int64 = 1_000_000_000_000
    var forcedFetches = 0

    init() throws {
        cache = try KeyCache(issuer: Fixture.issuer, policy: KeyPolicy(source: .uri("https://issuer.example/jwks")))
        perform(cache.start(at: now, jitter: 0))
    }

    func advance(milliseconds: Int64) {
        now += milliseconds * 1_000_000
        if now >= cache.deadline { perform(cache.timeReached(at: now, jitter: 0)) }
    }

    /// As an exchange does it: a request that may wait does, and is judged again.
    func decide(_ token: String) -> Decision {
        let instant = Instant(monotonicNanoseconds: now, unixSeconds: Fixture.now)
        let decision = authenticator.decide(token, at: instant)
        guard case .awaitKeys(_, let keyID?) = decision else { return decision }
        let action = cache.wanted(unknownKeyID: KeyIDHash(keyID), at: now, jitter: 0)
        if case .fetch = action { forcedFetches += 1 }
        perform(action)
        return authenticator.decide(token, at: instant, mayAwaitKeys: false)
    }

    private func perform(_ action: KeyAction) {
        switch action {
        case .none: break
        case .publish: authenticator.install(cache.material(at: now), forIssuerAt: 0)
        case .fetch(let fetch): perform(cache.fetched(fetch.id, .keys(set, maxAgeSeconds: nil), at: now, jitter: 0))
        }
    }
}
