// A serial queue, an epoll set, and one DispatchSource that watches the set.
//
// The queue hosts everything that belongs to the loop, so none of it needs a lock. When the source fires,
// the handler drains the set and then lingers in epoll_wait for a moment before it gives the queue back:
// under load that saves Dispatch's own wake-up for every batch (measured: 14–16 µs of CPU a relayed request
// against 17 without lingering and 32–35 with a source a connection; a bare thread needs 14.5–15.5).
//
// Nothing may be put on the queue but through `post`: a lingering loop would not hear it.

public import Dispatch
import Glibc

public final class EventLoop {
    /// How long a drained loop waits for more before it gives its queue back, in milliseconds.
    public static let workerLingerMilliseconds: Int32 = 1

    /// Where others post to.
    public let mailbox: Mailbox
    public let queue: DispatchQueue
    /// Monotonic time of the batch at hand, in nanoseconds: one clock reading serves all of its events.
    public private(set) var now: Int64
    /// Wall time of the batch at hand, in seconds since 1970.
    public private(set) var unixSeconds: Int64
    /// Called after every batch, on the loop: the place to flush what a batch has gathered.
    public var afterBatch: (() -> Void)?

    private let poller: Poller
    private let source: any DispatchSourceRead
    private let clockSource: any DispatchSourceTimer
    private let lingerMilliseconds: Int32
    private var timers: TimerWheel
    private var expired: [TimerID] = []
    private var clockArmedFor = Int64.max
    private var isClosed = false

    /// A loop that is not running yet: register what it starts with, then `resume()`.
    public init(label: String, lingerMilliseconds: Int32) throws(SystemError) {
        now = Clock.monotonicNanoseconds()
        unixSeconds = Clock.wallNanoseconds() / 1_000_000_000
        timers = TimerWheel(now: now)
        queue = DispatchQueue(label: label)
        poller = try Poller()
        mailbox = try Mailbox()
        source = DispatchSource.makeReadSource(fileDescriptor: poller.descriptor, queue: queue)
        clockSource = DispatchSource.makeTimerSource(queue: queue)
        self.lingerMilliseconds = lingerMilliseconds
        let bell = MailboxBell(mailbox)
        _ = try poller.addLevel(mailbox.descriptor, .read, bell)
        // The handlers hold the loop: it lives until `close()` cancels them.
        source.setEventHandler { self.drain() }
        clockSource.setEventHandler { self.clockFired() }
        // libdispatch crashes where a descriptor is closed under a live source: only its cancel handler may.
        let epoll = poller.descriptor
        source.setCancelHandler { Glibc.close(epoll) }
    }

    public func resume() {
        source.activate()
        clockSource.activate()
        // A deadline that was set before the start has no batch behind it that would arm the clock.
        mailbox.post {}
    }

    /// Ends the loop, from the loop. What is still registered is forgotten, not closed.
    public func close() {
        dispatchPrecondition(condition: .onQueue(queue))
        if isClosed { return }
        isClosed = true
        afterBatch = nil
        source.setEventHandler(handler: nil)
        clockSource.setEventHandler(handler: nil)
        source.cancel()
        clockSource.cancel()
    }

    /// Carries `value` into messages posted to this loop.
    public func bind<Value>(_ value: Value) -> QueueBound<Value> {
        QueueBound(value, on: queue)
    }

    // MARK: Descriptors

    /// Registers for both directions, edge-triggered: the handler must drain what it is told of.
    public func registerEdge(
        _ descriptor: Int32, _ handler: any DescriptorHandler
    ) throws(SystemError) -> Registration {
        try poller.addEdge(descriptor, handler)
    }

    /// Registers level-triggered: the handler is told again as long as it holds.
    public func registerLevel(
        _ descriptor: Int32, _ interest: Interest, _ handler: any DescriptorHandler
    ) throws(SystemError) -> Registration {
        try poller.addLevel(descriptor, interest, handler)
    }

    public func modify(_ registration: Registration, _ descriptor: Int32, _ interest: Interest) throws(SystemError) {
        try poller.modify(registration, descriptor, interest)
    }

    /// Ends a registration whose descriptor stays open, or is closed by someone else.
    public func deregister(_ registration: Registration, _ descriptor: Int32) {
        poller.remove(registration, descriptor)
    }

    /// Ends a registration whose descriptor its owner closes next.
    public func releaseBeforeClose(_ registration: Registration) {
        poller.release(registration)
    }

    // MARK: Timers

    /// A timer of `handler`, not scheduled. The loop holds the handler until `removeTimer`.
    public func addTimer(_ handler: any TimerHandler) -> TimerID {
        timers.add(handler)
    }

    public func removeTimer(_ timer: TimerID) {
        timers.remove(timer)
    }

    /// Fires once at the monotonic time `deadline` (nanoseconds) or up to 17 ms after it, in place of any earlier wish.
    public func schedule(_ timer: TimerID, at deadline: Int64) {
        timers.schedule(timer, at: deadline)
    }

    public func cancel(_ timer: TimerID) {
        timers.cancel(timer)
    }

    // MARK: The loop

    private func drain() {
        while !isClosed {
            let count = poller.wait(timeoutMilliseconds: lingerTimeout(), beforeDispatch: readClocks)
            if count == 0 { readClocks() }
            let fired = fireTimers()
            if count == 0 && !fired { break }
            afterBatch?()
        }
        armClock()
    }

    private func clockFired() {
        clockArmedFor = .max
        readClocks()
        if fireTimers() { afterBatch?() }
        armClock()
    }

    private func readClocks() {
        now = Clock.monotonicNanoseconds()
        unixSeconds = Clock.wallNanoseconds() / 1_000_000_000
    }

    private func lingerTimeout() -> Int32 {
        guard lingerMilliseconds > 0, let visit = timers.nextVisit else { return lingerMilliseconds }
        return visit <= now ? 0 : lingerMilliseconds
    }

    /// Whether any timer fired.
    private func fireTimers() -> Bool {
        timers.takeExpired(now: now, into: &expired)
        if expired.isEmpty { return false }
        let batch = expired
        expired.removeAll(keepingCapacity: true)
        for timer in batch {
            timers.fire(timer, now: now)?.timerFired(timer)
        }
        return true
    }

    /// Lets Dispatch wake the loop for the next deadline, where it is not set to wake early enough already.
    private func armClock() {
        guard !isClosed, let visit = timers.nextVisit, visit < clockArmedFor else { return }
        clockArmedFor = visit
        let delay = max(0, visit - now)
        clockSource.schedule(deadline: .now() + .nanoseconds(Int(delay)), leeway: .milliseconds(1))
    }
}

/// Runs what was posted.
private final class MailboxBell: DescriptorHandler {
    private let mailbox: Mailbox

    init(_ mailbox: Mailbox) {
        self.mailbox = mailbox
    }

    func descriptorReady(_ events: ReadyEvents) {
        for message in mailbox.takeAll() { message() }
    }
}
