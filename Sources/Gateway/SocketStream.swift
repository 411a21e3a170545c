// One socket in a worker's epoll set, in clear or under TLS, and what is known of it.
//
// Registered once, edge-triggered: the kernel tells of a change only once, so the flags remember it until a
// read or a write finds nothing more to do. A read that gives less than there was room for has emptied the
// socket, which saves the second read that would say EAGAIN.
//
// Under TLS the two directions are not apart: a read may have to write first, and a write to read. So each event makes
// both worth another try, and `TLSConnection` knows what the socket itself is ready for. And no event tells of bytes that
// OpenSSL has read ahead: `canRead` stays while it holds any.

import Bytes
import OpenSSLKit
import Reactor

/// Why there is no connection.
struct ConnectFailure: Error {
    let reason: String
}

class SocketStream: DescriptorHandler {
    enum Fill {
        case moved
        /// Nothing to read now, or no room to read into.
        case blocked
        /// The peer has ended its side; under TLS, in the way that nobody else can.
        case ended
        case failed(StreamFailure)
    }

    enum Flush {
        /// All of the buffer is with the kernel.
        case done
        case blocked
        case failed(StreamFailure)
    }

    let loop: EventLoop
    private let descriptor: Int32
    private var socket: Socket?
    private var registration: Registration?
    private(set) var tls: TLSConnection?
    /// Something may be there to read.
    private(set) var canRead = false
    private(set) var canWrite = false
    /// The peer sends no more, though bytes of it may still be unread.
    private(set) var peerHasClosed = false
    private(set) var hasFailed = false
    /// The peer is to be told that nothing more follows, and there was no room yet to say so.
    private(set) var isFinishing = false

    init(loop: EventLoop, socket: consuming Socket) throws(SystemError) {
        self.loop = loop
        descriptor = socket.descriptor
        self.socket = consume socket
        registration = try loop.registerEdge(descriptor, self)
    }

    final var isOpen: Bool { registration != nil }

    final func noteReady(_ events: ReadyEvents) {
        if events.readable { canRead = true }
        if events.writable { canWrite = true }
        if events.peerHasClosed { peerHasClosed = true }
        if events.failed { hasFailed = true }
        if let tls {
            tls.socketReady(readable: events.readable, writable: events.writable, peerHasClosed: events.peerHasClosed)
            canRead = true
            canWrite = true
        }
    }

    final func descriptorReady(_ events: ReadyEvents) {
        if isFinishing { finishWriting() }
        ready()
    }

    /// The flags have changed.
    func ready() {}

    /// Reads once, into the buffer's free space.
    final func fill(_ buffer: ByteBuffer) -> Fill {
        guard canRead, isOpen else { return .blocked }
        if let tls { return fill(buffer, from: tls) }
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
            return .failed(.socket(error))
        }
    }

    private func fill(_ buffer: ByteBuffer, from tls: TLSConnection) -> Fill {
        switch tls.read(into: buffer) {
        case .moved:
            canRead = tls.mayRead
            return .moved
        case .blocked:
            canRead = false
            return .blocked
        case .ended:
            return .ended
        case .failed(let failure):
            return .failed(.tls(failure))
        }
    }

    /// Writes as much of the buffer as the kernel takes.
    final func flush(_ buffer: ByteBuffer) -> Flush {
        if let tls { return flush(buffer, to: tls) }
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
                return .failed(.socket(error))
            }
        }
        return .done
    }

    private func flush(_ buffer: ByteBuffer, to tls: TLSConnection) -> Flush {
        while !buffer.isEmpty {
            guard canWrite, isOpen else { return .blocked }
            switch tls.write(from: buffer) {
            case .done:
                continue
            case .blocked:
                canWrite = false
            case .failed(let failure):
                canRead = true
                return .failed(.tls(failure))
            }
        }
        return .done
    }

    /// By what is known, nothing has come that nobody has read. Under TLS that may have to be asked.
    final var isQuiet: Bool { !hasFailed && !peerHasClosed && !(canRead && hasUnreadInput) }

    /// Whether bytes or an end of stream are waiting, asked of the kernel.
    final var hasUnreadInput: Bool { tls?.hasUnreadInput ?? socket?.hasUnreadInput ?? true }

    /// Tells the peer that nothing more follows; reading goes on. What TLS has no room for now is said later
    /// (`isFinishing`).
    final func finishWriting() {
        if let tls {
            isFinishing = tls.finishWriting() == .blocked
            if isFinishing { return }
        }
        socket?.finishWriting()
    }

    /// Gives the descriptor back. `reset` tells the peer that what it got is not the whole.
    func close(reset: Bool = false) {
        guard let held = registration else { return }
        registration = nil
        loop.releaseBeforeClose(held)
        if reset {
            socket?.resetOnClose()
        } else {
            // Where there is room for it: who has to be sure has called `finishWriting`.
            _ = tls?.finishWriting()
        }
        tls = nil
        socket = nil
    }

    // MARK: TLS

    final var isEncrypted: Bool { tls != nil }

    /// From here on the peer's bytes are TLS's, those of `early` first, which have been read already.
    final func accept(by context: TLSServerContext, early: Span<UInt8> = Span()) throws(OpenSSLError) {
        begin(try TLSConnection(accepting: descriptor, by: context, early: early))
    }

    /// Goes on with a connect, and with the handshake behind it where the peer speaks TLS. nil: not decided yet.
    ///
    /// - Parameter sessions: what earlier connections to the peer have left.
    final func continueConnecting(to peer: TLSPeer?, sessions: TLSSessionSlot) -> Result<Void, ConnectFailure>? {
        if !isEncrypted {
            guard canWrite || hasFailed else { return nil }
            if let error = socket?.pendingError { return .failure(ConnectFailure(reason: error.reason)) }
            guard let peer else { return .success(()) }
            do throws(OpenSSLError) {
                begin(try TLSConnection(connecting: descriptor, to: peer, sessions: sessions))
            } catch {
                return .failure(ConnectFailure(reason: "\(error)"))
            }
        }
        switch tls!.handshake() {
        case .done: return .success(())
        case .blocked: return nil
        case .failed(let failure): return .failure(ConnectFailure(reason: failure.connectReason))
        }
    }

    private func begin(_ tls: TLSConnection) {
        self.tls = tls
        tls.socketReady(readable: canRead, writable: canWrite, peerHasClosed: peerHasClosed)
        canRead = true
        canWrite = true
    }

    /// The handshake has failed, and what it had to say is said: what is written and read now is in clear.
    final func abandonTLS() {
        tls = nil
        canRead = true
        canWrite = true
    }
}
