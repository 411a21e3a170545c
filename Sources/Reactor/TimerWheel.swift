// Deadlines of connections: set on every request, almost never reached.
//
// A hashed wheel with lazy moves: putting a deadline off (what each request does) only stores the new
// time, and the entry is moved when the wheel comes to its old slot. So arming costs a store, there is one
// entry a connection, and no system call. A deadline fires at the first tick after it: up to
// `tickNanoseconds` late, never early.

/// Told when a deadline has passed.
public protocol TimerHandler: AnyObject {
    func timerFired(_ timer: TimerID)
}

/// A timer of one event loop. Belongs to whoever made it, until given back.
public struct TimerID: Sendable, Equatable {
    let index: Int32
    /// Tells this timer from a later one that got the same place.
    let generation: UInt32
}

struct TimerWheel {
    /// 2^24 ns: 16.8 ms.
    static let tickShift: Int64 = 24
    static let tickNanoseconds: Int64 = 1 << tickShift
    private static let slotCount = 512
    private static let none: Int32 = -1
    private static let unset = Int64.max

    private struct Entry {
        var handler: (any TimerHandler)?
        var generation: UInt32 = 0
        var deadline = TimerWheel.unset
        /// The tick of the slot it hangs in, where it does.
        var tick: Int64 = 0
        var slot: Int32 = TimerWheel.none
        var next: Int32 = TimerWheel.none
        var previous: Int32 = TimerWheel.none
    }

    private var entries: [Entry] = []
    private var freeEntries: [Int32] = []
    private var heads = [Int32](repeating: TimerWheel.none, count: TimerWheel.slotCount)
    /// A bit a slot that has entries, so that empty stretches are skipped 64 slots at a time.
    private var occupied = [UInt64](repeating: 0, count: TimerWheel.slotCount / 64)
    /// Every slot up to this tick has been visited.
    private var visitedTick: Int64

    init(now: Int64) {
        visitedTick = now >> TimerWheel.tickShift
    }

    mutating func add(_ handler: any TimerHandler) -> TimerID {
        let index: Int32
        if let free = freeEntries.popLast() {
            index = free
        } else {
            index = Int32(entries.count)
            entries.append(Entry())
        }
        entries[Int(index)].handler = handler
        return TimerID(index: index, generation: entries[Int(index)].generation)
    }

    mutating func remove(_ timer: TimerID) {
        unlink(timer.index)
        entries[Int(timer.index)].handler = nil
        entries[Int(timer.index)].generation &+= 1
        entries[Int(timer.index)].deadline = TimerWheel.unset
        freeEntries.append(timer.index)
    }

    mutating func schedule(_ timer: TimerID, at deadline: Int64) {
        let index = Int(timer.index)
        entries[index].deadline = deadline
        if entries[index].slot != TimerWheel.none, tickAfter(deadline) >= entries[index].tick { return }
        unlink(timer.index)
        link(timer.index)
    }

    /// Forgets the deadline. The entry leaves its slot when the wheel comes by.
    mutating func cancel(_ timer: TimerID) {
        entries[Int(timer.index)].deadline = TimerWheel.unset
    }

    /// When the wheel next has something to look at, or nil when no entry hangs in it.
    var nextVisit: Int64? {
        let start = Int((visitedTick + 1) & Int64(TimerWheel.slotCount - 1))
        var examined = 0
        while examined < TimerWheel.slotCount {
            let slot = (start + examined) & (TimerWheel.slotCount - 1)
            let word = occupied[slot >> 6] >> UInt64(slot & 63)
            if word != 0 {
                return (visitedTick + 1 + Int64(examined + word.trailingZeroBitCount)) << TimerWheel.tickShift
            }
            examined += 64 - (slot & 63)
        }
        return nil
    }

    /// Collects the timers whose deadline has passed; each is to be asked for with `fire`, one after the other.
    mutating func takeExpired(now: Int64, into expired: inout [TimerID]) {
        let currentTick = now >> TimerWheel.tickShift
        if currentTick <= visitedTick { return }
        let ticks = min(currentTick - visitedTick, Int64(TimerWheel.slotCount))
        let first = currentTick - ticks + 1
        visitedTick = currentTick
        for tick in first...currentTick {
            let slot = Int(tick & Int64(TimerWheel.slotCount - 1))
            if occupied[slot >> 6] & (1 << UInt64(slot & 63)) == 0 { continue }
            var index = heads[slot]
            while index != TimerWheel.none {
                let next = entries[Int(index)].next
                let deadline = entries[Int(index)].deadline
                unlink(index)
                if deadline <= now {
                    expired.append(TimerID(index: index, generation: entries[Int(index)].generation))
                } else if deadline != TimerWheel.unset {
                    link(index)
                }
                index = next
            }
        }
    }

    /// The handler to tell, or nil where one told before it has given this timer back, cancelled it or put it off.
    mutating func fire(_ timer: TimerID, now: Int64) -> (any TimerHandler)? {
        let entry = entries[Int(timer.index)]
        guard entry.generation == timer.generation, entry.deadline <= now else { return nil }
        entries[Int(timer.index)].deadline = TimerWheel.unset
        return entry.handler
    }

    private func tickAfter(_ deadline: Int64) -> Int64 {
        (deadline >> TimerWheel.tickShift) + 1
    }

    /// Hangs an entry into the slot of its deadline, or, where that is further than a turn of the wheel, into
    /// the furthest slot, from where it is moved on.
    private mutating func link(_ index: Int32) {
        let wanted = tickAfter(entries[Int(index)].deadline)
        let tick = min(max(wanted, visitedTick + 1), visitedTick + Int64(TimerWheel.slotCount) - 1)
        let slot = Int(tick & Int64(TimerWheel.slotCount - 1))
        entries[Int(index)].tick = tick
        entries[Int(index)].slot = Int32(slot)
        entries[Int(index)].previous = TimerWheel.none
        entries[Int(index)].next = heads[slot]
        if heads[slot] != TimerWheel.none { entries[Int(heads[slot])].previous = index }
        heads[slot] = index
        occupied[slot >> 6] |= 1 << UInt64(slot & 63)
    }

    private mutating func unlink(_ index: Int32) {
        let entry = entries[Int(index)]
        if entry.slot == TimerWheel.none { return }
        if entry.previous != TimerWheel.none {
            entries[Int(entry.previous)].next = entry.next
        } else {
            heads[Int(entry.slot)] = entry.next
            if entry.next == TimerWheel.none {
                occupied[Int(entry.slot) >> 6] &= ~(1 << UInt64(Int(entry.slot) & 63))
            }
        }
        if entry.next != TimerWheel.none { entries[Int(entry.next)].previous = entry.previous }
        entries[Int(index)].slot = TimerWheel.none
    }
}
