// A listening socket of one event loop.
//
// Each worker has its own socket on the same port (SO_REUSEPORT): the kernel spreads connections, and no
// worker wakes for another's. A Unix path can be bound only once, so its descriptor is shared by duplicating it.

internal import CLinux
import Glibc

/// Told of each accepted connection, and takes its socket over.
public protocol ListenerHandler: AnyObject {
    /// False: connections wait in the kernel's queue for now.
    var mayAccept: Bool { get }
    func accepted(_ socket: consuming Socket, from peer: SocketAddress)
    /// The process or the machine has no descriptors or no memory for another connection. Told once in a while, for as
    /// long as it lasts; connections wait in the kernel's queue.
    func cannotAccept(_ error: SystemError)
}

public final class Listener: DescriptorHandler, TimerHandler {
    /// The address in use, with the port that the kernel chose where 0 was asked for.
    public let address: SocketAddress
    private let loop: EventLoop
    private let socket: Socket
    private unowned let handler: any ListenerHandler
    private var registration: Registration?
    private var retryTimer: TimerID?
    /// When the handler was last told that there are no descriptors.
    private var notedExhaustionAt: Int64?

    /// Connections taken per wake-up, so that a flood of new ones does not starve those that are there.
    private static let batch = 64
    /// How long accepting rests when descriptors have run out.
    private static let restNanoseconds: Int64 = 100_000_000
    /// How rarely the handler is told so.
    private static let exhaustionNoteNanoseconds: Int64 = 10_000_000_000

    /// - Parameter accepts: false: connections wait in the kernel's queue until `resume()`.
    public init(
        on loop: EventLoop, bound: BoundSocket, handler: any ListenerHandler, accepts: Bool = true
    ) throws(SystemError) {
        self.loop = loop
        self.handler = handler
        address = bound.address
        socket = try bound.duplicate()
        registration = try loop.registerLevel(socket.descriptor, accepts ? .read : [], self)
        retryTimer = loop.addTimer(self)
    }

    /// Accepts from now on.
    public func resume() {
        if let timer = retryTimer { timerFired(timer) }
    }

    /// Takes the connections that wait in the kernel's queue.
    public func acceptQueued() {
        while acceptBatch() == Listener.batch {}
    }

    /// Stops accepting, and closes the socket with the listener itself. What the kernel has queued is reset.
    public func stop() {
        if let held = registration {
            registration = nil
            loop.deregister(held, socket.descriptor)
        }
        if let timer = retryTimer {
            retryTimer = nil
            loop.removeTimer(timer)
        }
    }

    public func descriptorReady(_ events: ReadyEvents) {
        acceptBatch()
    }

    /// Returns how many were taken or given up: less than a batch where there are no more.
    @discardableResult
    private func acceptBatch() -> Int {
        for count in 0..<Listener.batch {
            if !handler.mayAccept {
                rest()
                return count
            }
            var storage = sockaddr_storage()
            let descriptor = unsafe clinux_accept(socket.descriptor, &storage)
            if descriptor >= 0 {
                let accepted = Socket(owning: descriptor)
                if !address.isUnix { accepted.disableDelay() }
                let length = socklen_t(MemoryLayout<sockaddr_storage>.size)
                handler.accepted(accepted, from: SocketAddress(storage: storage, length: length))
                continue
            }
            let error = SystemError("accept4")
            // A client that gave up while it was queued, or a signal: the next one may be fine.
            if error.code == ECONNABORTED || error.code == EINTR { continue }
            if error.isExhaustion {
                noteExhaustion(error)
                rest()
            }
            return count
        }
        return Listener.batch
    }

    private func noteExhaustion(_ error: SystemError) {
        if let last = notedExhaustionAt, loop.now - last < Listener.exhaustionNoteNanoseconds { return }
        notedExhaustionAt = loop.now
        handler.cannotAccept(error)
    }

    /// Without descriptors a level-triggered listener would spin: it rests, and the queue in the kernel waits.
    private func rest() {
        guard let timer = retryTimer, let held = registration else { return }
        do {
            try loop.modify(held, socket.descriptor, [])
            loop.schedule(timer, at: loop.now + Listener.restNanoseconds)
        } catch {
            return
        }
    }

    public func timerFired(_ timer: TimerID) {
        guard let held = registration else { return }
        do {
            try loop.modify(held, socket.descriptor, .read)
        } catch {
            loop.schedule(timer, at: loop.now + Listener.restNanoseconds)
        }
    }
}
