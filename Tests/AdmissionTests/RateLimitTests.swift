// Rates, by a clock that the tests turn: what is admitted, what is not, and who is remembered when there are too many.

import Bytes
import Testing

@testable import Admission

@Suite struct RateLimitTests {
    private static let second: Int64 = 1_000_000_000
    /// 10 requests a second, 5 at once.
    private static let limit = RateLimit(.subject, intervalNanoseconds: second / 10, burst: 5, index: 0)
    private static let start: Int64 = 77 * second + 5

    @Test func `As many as the burst come at once, and then one for each interval`() {
        var table = RateTable(callersMax: 8)
        for _ in 0..<5 { #expect(table.take(1, under: Self.limit, at: Self.start) == .admitted) }
        #expect(table.take(1, under: Self.limit, at: Self.start) == .limited(nanoseconds: Self.second / 10))
        let almost = Self.start + Self.second / 10 - 1
        #expect(table.take(1, under: Self.limit, at: almost) == .limited(nanoseconds: 1))
        #expect(table.take(1, under: Self.limit, at: almost + 1) == .admitted)
        #expect(table.take(1, under: Self.limit, at: almost + 1) == .limited(nanoseconds: Self.second / 10))
        // Another caller has a burst of its own.
        #expect(table.take(2, under: Self.limit, at: almost + 1) == .admitted)
    }

    @Test func `Who comes at the rate is never refused, and who comes twice as often every other time`() {
        var (steady, hasty) = (RateTable(callersMax: 8), RateTable(callersMax: 8))
        var refused = 0
        for step in 0..<1000 as Range<Int64> {
            #expect(steady.take(1, under: Self.limit, at: Self.start + step * Self.second / 10) == .admitted)
            if hasty.take(2, under: Self.limit, at: Self.start + step * Self.second / 20) != .admitted { refused += 1 }
        }
        // Of 1000 in 50 s, 500 and the burst.
        #expect(refused == 1000 - 500 - 4)
    }

    @Test func `In no span of time is more admitted than the rate and the burst`() {
        var table = RateTable(callersMax: 8)
        var random = SplitMix(state: 7)
        var now = Self.start
        var admitted: [Int64] = []
        for _ in 0..<20_000 {
            now += Int64(random.next(below: 60_000_000))
            if table.take(1, under: Self.limit, at: now) == .admitted { admitted.append(now) }
        }
        #expect(admitted.count > 4000)
        for first in stride(from: 0, to: admitted.count, by: 7) {
            for last in first..<min(first + 200, admitted.count) {
                let spare = (admitted[last] - admitted[first]) / (Self.second / 10)
                #expect(Int64(last - first + 1) <= 5 + spare)
            }
        }
    }

    @Test func `What is refused counts for nothing: a caller that waits as long as it is told is admitted`() throws {
        var table = RateTable(callersMax: 8)
        for _ in 0..<5 { _ = table.take(1, under: Self.limit, at: Self.start) }
        for _ in 0..<1000 { #expect(table.take(1, under: Self.limit, at: Self.start + 1) != .admitted) }
        guard case .limited(let wait) = table.take(1, under: Self.limit, at: Self.start + 1) else { throw CancellationError() }
        #expect(table.take(1, under: Self.limit, at: Self.start + 1 + wait) == .admitted)
    }

    @Test func `The slowest rate and the largest burst overflow nothing`() {
        let slow = RateLimit(.address, intervalNanoseconds: 60 * Self.second, burst: RateLimit.burstMax, index: 0)
        var table = RateTable(callersMax: 8)
        let late = Int64.max / 4
        for _ in 0..<1000 { #expect(table.take(1, under: slow, at: late) == .admitted) }
    }

    @Test func `A flood of other callers does not make a limited one forgotten, nor the table grow`() {
        var table = RateTable(callersMax: 1024)
        var random = SplitMix(state: 1)
        let limited = (0..<50).map { _ in random.next() }
        for name in limited {
            for _ in 0..<5 { #expect(table.take(name, under: Self.limit, at: Self.start) == .admitted) }
        }
        var evicted = 0
        for step in 0..<200_000 as Range<Int64> {
            // All within the interval, so that each of them has something to make up for.
            #expect(table.take(random.next(), under: Self.limit, at: Self.start + step * 400) == .admitted)
            if step % 1000 == 0 {
                for name in limited where table.take(name, under: Self.limit, at: Self.start + step * 400) == .admitted { evicted += 1 }
            }
        }
        #expect(evicted == 0)
        #expect(table.evictions > 190_000)
    }

    @Test func `Those count as callers who have something to make up for, and refusals as such`() {
        var table = RateTable(callersMax: 64)
        for name in [1, 2, 3] as [UInt64] { _ = table.take(name << 32, under: Self.limit, at: Self.start) }
        for _ in 0..<7 { _ = table.take(1 << 32, under: Self.limit, at: Self.start) }
        #expect(table.refusals == 3)
        #expect(table.callerCount(at: Self.start + Self.second / 10 - 1) == 3)
        #expect(table.callerCount(at: Self.start + Self.second / 10) == 1)
        #expect(table.callerCount(at: Self.start + Self.second / 2) == 0)
    }

    @Test(arguments: [
        (1000, 7, "subject rate=1000000r/s burst=7"), (10_000_000, 100, "subject rate=100r/s burst=100"),
        (333_333_333, 3, "subject rate=3r/s burst=3"), (second, 1, "subject rate=1r/s burst=1"),
        (666_666_666, 2, "subject rate=90r/m burst=2"), (2 * second, 1, "subject rate=30r/m burst=1"),
        (60 * second, 1, "subject rate=1r/m burst=1"),
    ] as [(Int64, Int64, String)])
    func `A limit is called what its line says`(interval: Int64, burst: Int64, text: String) {
        #expect(RateLimit(.subject, intervalNanoseconds: interval, burst: burst, index: 0).description == text)
    }

    @Test func `Callers whose time has passed make room without a loss`() {
        var table = RateTable(callersMax: 64)
        var random = SplitMix(state: 2)
        for round in 0..<100 as Range<Int64> {
            for _ in 0..<4 { _ = table.take(random.next(), under: Self.limit, at: Self.start + round * Self.second) }
        }
        #expect(table.evictions == 0)
    }

    @Test func `An address counts as one of IPv4, or as a site of IPv6`() throws {
        func name(_ text: String) throws -> UInt64 {
            let address: IPAddress = try #require(IPAddress(text))
            return CallerName.of(address)
        }
        #expect(try name("192.0.2.7") == name("::ffff:192.0.2.7"))
        #expect(try name("192.0.2.7") != name("192.0.2.8"))
        #expect(try name("2001:db8:1:2::1") == name("2001:db8:1:2:ffff::2"))
        #expect(try name("2001:db8:1:2::1") != name("2001:db8:1:3::1"))
        #expect(CallerName.of(nil) == CallerName.of(nil))
        #expect(try CallerName.of(nil) != name("192.0.2.7"))
    }

    @Test func `A token counts for its subject or its client, within its issuer, to the byte`() throws {
        func identity(_ changes: KeyValuePairs<String, String>) throws -> Identity {
            try #require(Fixture.authenticator().decide(Fixture.token(changes)).identity)
        }
        let usual = try identity([:])
        #expect(try usual.callerName(by: .subject) == identity(["azp": "\"other\""]).callerName(by: .subject))
        #expect(try usual.callerName(by: .subject) != identity(["sub": "\"auth0|43\""]).callerName(by: .subject))
        #expect(try usual.callerName(by: .client) == identity(["sub": "\"auth0|43\""]).callerName(by: .client))
        #expect(try usual.callerName(by: .client) == identity(["azp": "", "client_id": "\"web\""]).callerName(by: .client))
        #expect(try usual.callerName(by: .client) != identity(["azp": "\"cli\""]).callerName(by: .client))
        // One spelling of a letter is not another.
        #expect(
            try identity(["sub": "\"\u{e9}\""]).callerName(by: .subject) != identity(["sub": "\"e\u{301}\""]).callerName(by: .subject))
        // Of each length, and whichever byte it is that differs.
        let texts = (1...40).flatMap { count in
            (0..<count).map { place in (0..<count).map { $0 == place ? UInt8(ascii: "b") : UInt8(ascii: "a") } }
        }
        let names = texts.flatMap { text in
            [(RateLimit.Key.subject, 0), (.client, 0), (.subject, 1)].map { CallerName.of(text.span, $0, issuerIndex: $1) }
        }
        #expect(Set(names).count == 3 * texts.count)
        // Where the token does not tell, the next best does.
        let anonymous = try identity(["sub": "", "azp": ""])
        #expect(try identity(["sub": ""]).callerName(by: .subject) == usual.callerName(by: .client))
        #expect(try identity(["azp": ""]).callerName(by: .client) == usual.callerName(by: .subject))
        #expect(anonymous.callerName(by: .subject) == nil && anonymous.callerName(by: .client) == nil)
        #expect(usual.callerName(by: .address) == nil)
    }

    @Test func `The refusal says which limit, and when to come back`() {
        let limit = RateLimit(.client, intervalNanoseconds: Self.second / 100, burst: 250, index: 0)
        for (wait, seconds) in [(1, 1), (Self.second, 1), (Self.second + 1, 2), (90 * Self.second, 90)] as [(Int64, Int64)] {
            let refusal = Refusal.rateLimited(limit, nanoseconds: wait)
            let out = ByteBuffer(capacity: 16)
            refusal.writeResponse(
                into: out, at: Fixture.instant(), requestID: Array("id".utf8).span, realm: "api", plainText: false,
                omitBody: true, close: false)
            #expect(out.text.hasPrefix("HTTP/1.1 429 Too Many Requests\r\n"))
            #expect(out.text.contains("\r\nRetry-After: \(seconds)\r\n"))
            #expect(out.text.contains("\r\nRateLimit-Policy: \"client\";q=250;w=3\r\nRateLimit: \"client\";r=0;t=\(seconds)\r\n"))
            #expect(!out.text.contains("WWW-Authenticate"))
        }
    }
}
