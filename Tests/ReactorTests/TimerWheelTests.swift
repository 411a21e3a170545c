import Testing

@testable import Reactor

/// Deadlines on a clock that the test moves: every transcript is exact.
@Suite struct TimerWheelTests {
    private final class Owner: TimerHandler {
        func timerFired(_ timer: TimerID) {}
    }

    private static let tick = TimerWheel.tickNanoseconds
    private let owner = Owner()

    /// Moves the clock and returns what fires.
    private func fired(_ wheel: inout TimerWheel, at now: Int64) -> [TimerID] {
        var expired: [TimerID] = []
        wheel.takeExpired(now: now, into: &expired)
        return expired.filter { wheel.fire($0, now: now) != nil }
    }

    @Test("a deadline fires after its time, never before", arguments: [1, 100, 511, 512, 513, 5_000] as [Int64])
    func firesAfterItsTime(ticks: Int64) {
        var wheel = TimerWheel(now: 0)
        let timer = wheel.add(owner)
        let deadline = ticks * Self.tick + 7
        wheel.schedule(timer, at: deadline)
        var now: Int64 = 0
        var firedAt: Int64?
        // As the loop does: sleep until the wheel wants to be visited, however often that is.
        while firedAt == nil, let visit = wheel.nextVisit {
            now = visit
            if fired(&wheel, at: now) == [timer] { firedAt = now }
        }
        #expect(firedAt! >= deadline)
        #expect(firedAt! <= deadline + Self.tick)
        #expect(wheel.nextVisit == nil)
    }

    @Test("putting a deadline off needs no move, and the old time passes silently")
    func deferredDeadline() {
        var wheel = TimerWheel(now: 0)
        let timer = wheel.add(owner)
        wheel.schedule(timer, at: 10 * Self.tick)
        wheel.schedule(timer, at: 30 * Self.tick)
        #expect(fired(&wheel, at: 12 * Self.tick) == [])
        #expect(fired(&wheel, at: 32 * Self.tick) == [timer])
    }

    @Test("a deadline brought forward fires at the earlier time")
    func earlierDeadline() {
        var wheel = TimerWheel(now: 0)
        let timer = wheel.add(owner)
        wheel.schedule(timer, at: 300 * Self.tick)
        wheel.schedule(timer, at: 3 * Self.tick)
        #expect(fired(&wheel, at: 5 * Self.tick) == [timer])
        #expect(fired(&wheel, at: 400 * Self.tick) == [])
    }

    @Test("a cancelled or removed timer does not fire, and its place can be had again")
    func cancelledAndRemoved() {
        var wheel = TimerWheel(now: 0)
        let cancelled = wheel.add(owner)
        let removed = wheel.add(owner)
        wheel.schedule(cancelled, at: Self.tick)
        wheel.schedule(removed, at: Self.tick)
        wheel.cancel(cancelled)
        wheel.remove(removed)
        let reused = wheel.add(owner)
        #expect(fired(&wheel, at: 3 * Self.tick) == [])
        wheel.schedule(reused, at: 5 * Self.tick)
        #expect(fired(&wheel, at: 7 * Self.tick) == [reused])
        #expect(reused != removed)
    }

    @Test("a handler that cancels another timer of the same batch stops it")
    func cancelWithinBatch() {
        var wheel = TimerWheel(now: 0)
        let timers = (0..<3).map { _ in wheel.add(owner) }
        for timer in timers { wheel.schedule(timer, at: Self.tick) }
        var expired: [TimerID] = []
        wheel.takeExpired(now: 3 * Self.tick, into: &expired)
        #expect(expired.count == 3)
        wheel.cancel(expired[1])
        wheel.schedule(expired[2], at: 9 * Self.tick)
        #expect(wheel.fire(expired[0], now: 3 * Self.tick) != nil)
        #expect(wheel.fire(expired[1], now: 3 * Self.tick) == nil)
        #expect(wheel.fire(expired[2], now: 3 * Self.tick) == nil)
    }

    @Test("a clock that jumps over many turns fires everything once")
    func longSleep() {
        var wheel = TimerWheel(now: 0)
        let timers = (0..<2_000).map { index -> TimerID in
            let timer = wheel.add(owner)
            wheel.schedule(timer, at: Int64(index + 1) * Self.tick)
            return timer
        }
        var seen: [TimerID] = []
        var now: Int64 = 0
        while wheel.nextVisit != nil {
            now += 1_000_000 * Self.tick
            seen += fired(&wheel, at: now)
        }
        #expect(seen.count == timers.count)
        #expect(Set(seen.map(\.index)).count == timers.count)
    }

    @Test("random schedules agree with a list that is searched")
    func agreesWithModel() {
        var generator = SplitMix(seed: 11)
        var wheel = TimerWheel(now: 0)
        var deadlines: [Int32: Int64] = [:]
        let timers = (0..<50).map { _ in wheel.add(owner) }
        var now: Int64 = 0
        for _ in 0..<5_000 {
            let timer = timers[Int(generator.next() % 50)]
            switch generator.next() % 4 {
            case 0:
                wheel.cancel(timer)
                deadlines[timer.index] = nil
            case 1, 2:
                let deadline = now + Int64(generator.next() % UInt64(1_500 * Self.tick))
                wheel.schedule(timer, at: deadline)
                deadlines[timer.index] = deadline
            default:
                now += Int64(generator.next() % UInt64(40 * Self.tick))
                for timer in fired(&wheel, at: now) {
                    #expect(deadlines[timer.index]! <= now)
                    deadlines[timer.index] = nil
                }
                // Whatever is still due is so by less than a tick.
                #expect(deadlines.values.allSatisfy { $0 > now - 2 * Self.tick })
            }
        }
    }
}

private struct SplitMix {
    var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
