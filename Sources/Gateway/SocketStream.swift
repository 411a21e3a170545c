// One socket in a worker's epoll set, and what the kernel last said of it.
//
// Registered once, edge-triggered: the kernel tells of a change only once, so the flags remember it until a
// read or a write finds nothing more to do. A read that gives less than there was room for has emptied the
// socket, which saves the second read that would say EAGAIN.

import Bytes
import Reactor

class SocketStream: DescriptorHandler {
    enum Fill {
        case moved
        /// Nothing to read now, or no room to read into.
        case blocked
        case ended
        case failed(SystemError)
    }

    enum Flush {
        /// All of the buffer is with the kernel.
        case done
        case blocked
        case failed(SystemError)
    }

    let loop: EventLoop
    private var socket: Socket?
    private var registration: Registration?
    /// Something may be there to read.
    private(set) var canRead = false
    private(set) var canWrite = false
    /// The peer sends no more, though bytes of it may still be unread.
    private(set) var peerHasClosed = false
    private(set) var hasFailed = false

    init(loop: EventLoop, socket: consuming Socket) throws(SystemError) {
        self.loop = loop
        let descriptor = socket.descriptor
        self.socket = consume socket
        registration = try loop.registerEdge(descriptor, self)
    }

    final var isOpen: Bool { registration != nil }

    final func descriptorReady(_ events: ReadyEvents) {
        if events.readable { canRead = true }
        if events.writable { canWrite = true }
        if events.peerHasClosed { peerHasClosed = true }
        if events.failed { hasFailed = true }
        ready()
    }

    /// The flags have changed.
    func ready() {}

    /// Reads once, into the buffer's free space.
    final func fill(_ buffer: ByteBuffer) -> Fill {
        guard canRead, isOpen else { return .blocked }
        let result = socket!.read(into: buffer)
        switch result {
        case .moved:
            // A full buffer may mean that there is more; so may an end of stream behind the bytes.
            if buffer.writableCount > 0 && !peerHasClosed { canRead = false }
            return .moved
        case .wouldBlock:
            canRead = false
            return .blocked
        case .endOfStream:
            return .ended
        case .failed(let error):
            return .failed(error)
        }
    }

    /// Writes as much of the buffer as the kernel takes.
    final func flush(_ buffer: ByteBuffer) -> Flush {
        while !buffer.isEmpty {
            guard canWrite, isOpen else { return .blocked }
            switch socket!.write(from: buffer) {
            case .moved:
                if !buffer.isEmpty { canWrite = false }
            case .wouldBlock:
                canWrite = false
            case .endOfStream:
                preconditionFailure("a write has no end of stream")
            case .failed(let error):
                // The peer may have said why before it stopped listening, and its event may still be on its way.
                canRead = true
                return .failed(error)
            }
        }
        return .done
    }

    /// How a connect ended, once the socket is writable.
    final var connectError: SystemError? { socket?.pendingError }

    /// Whether bytes or an end of stream are waiting, asked of the kernel.
    final var hasUnreadInput: Bool { socket?.hasUnreadInput ?? true }

    final func finishWriting() { socket?.finishWriting() }

    /// Gives the descriptor back. `reset` tells the peer that what it got is not the whole.
    func close(reset: Bool = false) {
        guard let held = registration else { return }
        registration = nil
        loop.releaseBeforeClose(held)
        if reset { socket?.resetOnClose() }
        socket = nil
    }
}
