// One epoll set, and who is to be told of each descriptor in it.
//
// Sockets of the data path are registered once, edge-triggered, for both directions: no system call is
// needed when interest changes, and whoever is told must read or write until the kernel says EAGAIN (or
// gives less than was asked for). Listeners and libcurl's sockets are level-triggered with an explicit
// interest, since their owners do not promise to drain them.
//
// All of a batch's events are noted before the first of them is acted upon: whoever picks a connection among several
// then knows what has come of each, without asking the kernel.
//
// A descriptor closed while its events are still in the batch at hand must not wake whoever reuses its
// number: each registration carries a generation, and an event of an older one is dropped.

internal import CLinux
import Glibc

/// Told when a descriptor can be read or written.
public protocol DescriptorHandler: AnyObject {
    /// It is so; the others of the batch have yet to hear. Nothing may be done about it here but to remember it.
    func noteReady(_ events: ReadyEvents)
    /// All of the batch are noted. Not called where another handler has ended the registration meanwhile.
    func descriptorReady(_ events: ReadyEvents)
}

extension DescriptorHandler {
    public func noteReady(_ events: ReadyEvents) {}
}

/// What a descriptor is ready for.
public struct ReadyEvents: Sendable {
    @usableFromInline let bits: UInt32

    @inlinable init(bits: UInt32) { self.bits = bits }

    /// Something can be read: bytes, an end of stream, or an error.
    public var readable: Bool { bits & (ReadyEvents.input | ReadyEvents.failure | ReadyEvents.peerClosed) != 0 }
    /// Something can be written, or a write would report an error.
    public var writable: Bool { bits & (ReadyEvents.output | ReadyEvents.failure) != 0 }
    /// The peer sends no more: after the bytes at hand there is an end of stream to read.
    public var peerHasClosed: Bool { bits & (ReadyEvents.peerClosed | ReadyEvents.failure) != 0 }
    /// The descriptor has an error or is closed both ways.
    public var failed: Bool { bits & ReadyEvents.failure != 0 }

    static let input = UInt32(CLINUX_IN)
    static let output = UInt32(CLINUX_OUT)
    static let peerClosed = UInt32(CLINUX_RDHUP)
    static let failure = UInt32(CLINUX_ERR | CLINUX_HUP)
}

/// What a level-triggered registration waits for.
public struct Interest: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let read = Interest(rawValue: UInt32(CLINUX_IN))
    public static let write = Interest(rawValue: UInt32(CLINUX_OUT))
}

/// Proof of a registration, to be given back when it ends.
public struct Registration: Sendable {
    let index: Int32
    let generation: UInt32

    var tag: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: index)) }

    init(index: Int32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    init(tag: UInt64) {
        index = Int32(bitPattern: UInt32(truncatingIfNeeded: tag))
        generation = UInt32(truncatingIfNeeded: tag >> 32)
    }
}

final class Poller {
    private struct Slot {
        var handler: (any DescriptorHandler)?
        var generation: UInt32 = 0
    }

    private static let batch = 128

    let descriptor: Int32
    private var slots: [Slot] = []
    private var freeSlots: [Int32] = []
    private var events = [clinux_event](repeating: clinux_event(), count: Poller.batch)

    init() throws(SystemError) {
        descriptor = clinux_epoll_create()
        if descriptor < 0 { throw SystemError("epoll_create1") }
    }

    /// Registrations that are held.
    var count: Int { slots.count - freeSlots.count }

    func addEdge(_ descriptor: Int32, _ handler: any DescriptorHandler) throws(SystemError) -> Registration {
        let registration = claimSlot(handler)
        if clinux_epoll_add_edge(self.descriptor, descriptor, registration.tag) != 0 {
            let error = SystemError("epoll_ctl")
            release(registration)
            throw error
        }
        return registration
    }

    func addLevel(
        _ descriptor: Int32, _ interest: Interest, _ handler: any DescriptorHandler
    ) throws(SystemError) -> Registration {
        let registration = claimSlot(handler)
        if clinux_epoll_add_level(self.descriptor, descriptor, interest.rawValue, registration.tag) != 0 {
            let error = SystemError("epoll_ctl")
            release(registration)
            throw error
        }
        return registration
    }

    func modify(_ registration: Registration, _ descriptor: Int32, _ interest: Interest) throws(SystemError) {
        if clinux_epoll_modify_level(self.descriptor, descriptor, interest.rawValue, registration.tag) != 0 {
            throw SystemError("epoll_ctl")
        }
    }

    /// Ends a registration whose descriptor stays open (or was closed behind our back: that is no error).
    func remove(_ registration: Registration, _ descriptor: Int32) {
        _ = clinux_epoll_remove(self.descriptor, descriptor)
        release(registration)
    }

    /// Ends a registration whose descriptor is about to be closed: the kernel drops it from the set by itself.
    func release(_ registration: Registration) {
        let index = Int(registration.index)
        guard slots[index].generation == registration.generation, slots[index].handler != nil else { return }
        slots[index].handler = nil
        slots[index].generation &+= 1
        freeSlots.append(registration.index)
    }

    /// Waits up to `timeoutMilliseconds` (0: not at all) and tells every handler. Returns how many events there were.
    func wait(timeoutMilliseconds: Int32, beforeDispatch: () -> Void) -> Int {
        let epoll = descriptor
        let count = unsafe events.withUnsafeMutableBufferPointer { buffer in
            unsafe Int(clinux_epoll_wait(epoll, buffer.baseAddress!, Int32(buffer.count), timeoutMilliseconds))
        }
        if count <= 0 { return 0 }
        beforeDispatch()
        for position in 0..<count {
            let event = events[position]
            handler(of: event)?.noteReady(ReadyEvents(bits: event.events))
        }
        for position in 0..<count {
            let event = events[position]
            handler(of: event)?.descriptorReady(ReadyEvents(bits: event.events))
        }
        return count
    }

    /// Whom to tell of `event`; nil: it is of a registration that has ended.
    private func handler(of event: clinux_event) -> (any DescriptorHandler)? {
        let registration = Registration(tag: event.tag)
        let slot = slots[Int(registration.index)]
        return slot.generation == registration.generation ? slot.handler : nil
    }

    private func claimSlot(_ handler: any DescriptorHandler) -> Registration {
        let index: Int32
        if let free = freeSlots.popLast() {
            index = free
        } else {
            index = Int32(slots.count)
            slots.append(Slot())
        }
        slots[Int(index)].handler = handler
        return Registration(index: index, generation: slots[Int(index)].generation)
    }
}
