// A bounded table with the eviction of S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for
// cache eviction", SOSP 2023).
//
// Newcomers wait in a small queue, a tenth of the entries; who was hit twice by the time the queue pushes it out
// moves to the main queue, the rest leave and are remembered by fingerprint alone, so that one who comes back goes
// straight to the main queue. A burst of tokens that are each used once therefore passes through the small queue
// and displaces nothing that is in use, as it would with LRU or CLOCK; a hit writes one byte and moves nothing.
//
// Everything is in three arrays: the slots, an open-addressing index over them (linear probing, at most half full,
// deletion by shifting back, so no tombstones), and the fingerprints. Each entry has its own 64-bit hash: whoever
// looks up compares the value in full, and an insertion replaces an entry of the same hash.

internal import Bytes

struct S3FIFO<Value>: ~Copyable {
    private enum Queue: UInt8 { case none, small, main }

    private struct Slot {
        var hash: UInt64
        var value: Value?
        var cost: UInt32
        /// Towards the head of the queue, where newcomers enter; -1: this is the head.
        var newer: Int32
        /// Towards the tail, where entries leave; -1: this is the tail. In a free slot: the next free one.
        var older: Int32
        var frequency: UInt8
        var queue: Queue
    }

    /// One FIFO queue, linked through the slots.
    private struct Ends {
        var head: Int32 = -1
        var tail: Int32 = -1
        var count = 0

        mutating func enqueue(_ slot: Int, _ slots: inout [Slot]) {
            slots[slot].newer = -1
            slots[slot].older = head
            if head >= 0 { slots[Int(head)].newer = Int32(slot) } else { tail = Int32(slot) }
            head = Int32(slot)
            count += 1
        }

        mutating func dequeue(_ slot: Int, _ slots: inout [Slot]) {
            let newer = slots[slot].newer
            let older = slots[slot].older
            if newer >= 0 { slots[Int(newer)].older = older } else { head = older }
            if older >= 0 { slots[Int(older)].newer = newer } else { tail = newer }
            count -= 1
        }
    }

    let entriesMax: Int
    let costMax: Int
    private(set) var count = 0
    /// The sum of the entries' costs.
    private(set) var cost = 0
    /// Entries that left to make room.
    private(set) var evictions: UInt64 = 0

    private var slots: [Slot] = []
    private var firstFree: Int32 = -1
    private var small = Ends()
    private var main = Ends()
    /// Slot number + 1; 0: vacant.
    private var index: ZeroedArray<Int32>
    /// Fingerprints of those that left the small queue. Direct-mapped, so that old ones go by being overwritten: an
    /// approximation of the paper's ghost queue at four bytes an entry and no bookkeeping.
    private var ghosts: ZeroedArray<UInt32>

    /// `costMax` bounds the sum of what `insert` is told; a single entry may have an eighth of it.
    init(entriesMax: Int, costMax: Int) {
        precondition(entriesMax >= 0 && entriesMax <= 1 << 28 && costMax >= 0)
        self.entriesMax = entriesMax
        self.costMax = costMax
        let places = entriesMax == 0 ? 0 : Self.powerOfTwo(atLeast: 2 * entriesMax)
        index = ZeroedArray(count: places)
        ghosts = ZeroedArray(count: places / 2)
        // Reserved, not touched: pages become resident as entries come, and no growth ever copies.
        slots.reserveCapacity(entriesMax)
    }

    /// The slot of the entry with this hash, valid until the next insertion or removal.
    func slot(of hash: UInt64) -> Int? {
        guard count > 0 else { return nil }
        var place = home(of: hash)
        while true {
            let found = Int(index[place]) &- 1
            if found < 0 { return nil }
            if slots[found].hash == hash { return found }
            place = (place &+ 1) & (index.count &- 1)
        }
    }

    subscript(slot: Int) -> Value {
        get { slots[slot].value! }
        set { slots[slot].value = newValue }
    }

    /// Marks the entry as used.
    mutating func touch(_ slot: Int) {
        if slots[slot].frequency < 3 { slots[slot].frequency &+= 1 }
    }

    /// Takes the entry in, evicting as many as it needs room for; one that costs too much is not taken.
    mutating func insert(_ hash: UInt64, _ value: Value, cost entryCost: Int) {
        guard entriesMax > 0, entryCost <= costMax / 8 else { return }
        if let present = slot(of: hash) { remove(present) }
        while count >= entriesMax || cost + entryCost > costMax { evict() }

        let slot = takeSlot(
            Slot(
                hash: hash, value: value, cost: UInt32(entryCost), newer: -1, older: -1, frequency: 0, queue: .none))
        count += 1
        cost += entryCost
        var place = home(of: hash)
        while index[place] != 0 { place = (place &+ 1) & (index.count &- 1) }
        index[place] = Int32(slot + 1)
        enqueue(slot, in: takeGhost(of: hash) ? .main : .small)
    }

    mutating func remove(_ slot: Int) {
        vacate(slot)
        dequeue(slot)
        count -= 1
        cost -= Int(slots[slot].cost)
        slots[slot].value = nil
        slots[slot].older = firstFree
        firstFree = Int32(slot)
    }

    // MARK: Eviction

    /// A bound on the second chances that one insertion hands out, so that its time has one too.
    private static var secondChancesMax: Int { 64 }

    private mutating func evict() {
        evictions += 1
        if small.count > entriesMax / 10 || main.count == 0 {
            evictFromSmall()
        } else {
            evictFromMain()
        }
    }

    private mutating func evictFromSmall() {
        var chances = Self.secondChancesMax
        while small.count > 0 {
            let oldest = Int(small.tail)
            guard slots[oldest].frequency > 1, chances > 0 else {
                leaveGhost(of: slots[oldest].hash)
                remove(oldest)
                return
            }
            chances -= 1
            slots[oldest].frequency = 0
            dequeue(oldest)
            enqueue(oldest, in: .main)
        }
        evictFromMain()
    }

    private mutating func evictFromMain() {
        var chances = Self.secondChancesMax
        while slots[Int(main.tail)].frequency > 0, chances > 0 {
            let oldest = Int(main.tail)
            chances -= 1
            slots[oldest].frequency -= 1
            dequeue(oldest)
            enqueue(oldest, in: .main)
        }
        remove(Int(main.tail))
    }

    private func ghostPlace(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash &>> 32) & (ghosts.count &- 1)
    }

    private mutating func leaveGhost(of hash: UInt64) {
        ghosts[ghostPlace(of: hash)] = UInt32(truncatingIfNeeded: hash) | 1
    }

    private mutating func takeGhost(of hash: UInt64) -> Bool {
        let place = ghostPlace(of: hash)
        guard ghosts[place] == UInt32(truncatingIfNeeded: hash) | 1 else { return false }
        ghosts[place] = 0
        return true
    }

    // MARK: Queues

    private mutating func enqueue(_ slot: Int, in queue: Queue) {
        switch queue {
        case .small: small.enqueue(slot, &slots)
        case .main: main.enqueue(slot, &slots)
        case .none: return
        }
        slots[slot].queue = queue
    }

    private mutating func dequeue(_ slot: Int) {
        switch slots[slot].queue {
        case .small: small.dequeue(slot, &slots)
        case .main: main.dequeue(slot, &slots)
        case .none: return
        }
        slots[slot].queue = .none
    }

    // MARK: Slots and index

    private mutating func takeSlot(_ slot: Slot) -> Int {
        guard firstFree >= 0 else {
            slots.append(slot)
            return slots.count - 1
        }
        let free = Int(firstFree)
        firstFree = slots[free].older
        slots[free] = slot
        return free
    }

    private func home(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash) & (index.count &- 1)
    }

    /// Takes the slot out of the index, and shifts back those behind it that its place kept from their home.
    private mutating func vacate(_ slot: Int) {
        let mask = index.count &- 1
        var hole = home(of: slots[slot].hash)
        while index[hole] != Int32(slot + 1) { hole = (hole &+ 1) & mask }
        var next = (hole &+ 1) & mask
        while index[next] != 0 {
            let nextHome = home(of: slots[Int(index[next]) &- 1].hash)
            if (next &- nextHome) & mask >= (next &- hole) & mask {
                index[hole] = index[next]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        index[hole] = 0
    }

    private static func powerOfTwo(atLeast value: Int) -> Int {
        var power = 2
        while power < value { power *= 2 }
        return power
    }
}
