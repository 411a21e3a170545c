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

/// A bound, listening socket that has no loop yet.
public final class BoundSocket: Sendable {
    public let address: SocketAddress
    private let descriptor: Int32
    /// A Unix path to remove when the socket goes.
    private let unixPath: String?

    /// Binds and listens.
    ///
    /// - Parameter sharesPort: several sockets, of this process or of a successor, may listen on the port. Without
    ///   it an address that anyone uses is an error.
    public init(_ wanted: SocketAddress, unixPath: String?, sharesPort: Bool) throws(SystemError) {
        let descriptor = clinux_socket(wanted.family)
        if descriptor < 0 { throw SystemError("socket") }
        do {
            address = try BoundSocket.listen(descriptor, wanted, unixPath, sharesPort)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.unixPath = unixPath
    }

    deinit {
        if let unixPath { _ = unsafe unlink(unixPath) }
        Glibc.close(descriptor)
    }

    func duplicate() throws(SystemError) -> Socket {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        if copy < 0 { throw SystemError("fcntl") }
        return Socket(owning: copy)
    }

    private static func listen(
        _ descriptor: Int32, _ wanted: SocketAddress, _ unixPath: String?, _ sharesPort: Bool
    ) throws(SystemError) -> SocketAddress {
        if let unixPath {
            try removeStaleSocket(at: unixPath, wanted)
        } else {
            _ = clinux_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            if sharesPort { _ = clinux_set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
            if wanted.isIPv6 { _ = clinux_set_option(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        }
        if unsafe wanted.withSockaddr({ unsafe Glibc.bind(descriptor, $0, $1) }) != 0 { throw SystemError("bind") }
        // As nginx does: whoever reaches the directory may connect, under whatever user they run.
        if let unixPath { _ = unsafe chmod(unixPath, 0o666) }
        if Glibc.listen(descriptor, SOMAXCONN) != 0 { throw SystemError("listen") }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        if status != 0 { throw SystemError("getsockname") }
        return SocketAddress(storage: storage, length: length)
    }

    /// A path that nobody answers at is left over from a process that was killed; one that answers is in use.
    private static func removeStaleSocket(at path: String, _ address: SocketAddress) throws(SystemError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError("bind", code: EADDRINUSE) }
        let probe = try Socket.connectingOrRefused(to: address)
        if probe != nil { throw SystemError("bind", code: EADDRINUSE) }
        if unsafe unlink(path) != 0 { throw SystemError("unlink") }
    }
}

extension Socket {
    /// Nil where nobody listens at the address.
    fileprivate static func connectingOrRefused(to address: SocketAddress) throws(SystemError) -> Socket? {
        do {
            return try Socket.connecting(to: address)
        } catch {
            if error.code == ECONNREFUSED { return nil }
            throw error
        }
    }
}
