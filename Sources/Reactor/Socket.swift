// A non-blocking stream socket, closed when its owner lets go of it.
//
// No socket here has a DispatchSource of its own, so closing one in `deinit` is sound: the kernel drops it
// from the epoll set, and the owner has given back its registration.

internal import CLinux
import Glibc
public import Bytes

/// What one read or write came to.
public enum IOResult: Sendable, Equatable {
    case moved(Int)
    case wouldBlock
    /// Reads only: the peer sends no more.
    case endOfStream
    case failed(SystemError)
}

public struct Socket: ~Copyable {
    public let descriptor: Int32

    init(owning descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// Starts to connect. The socket turns writable when it is decided; `pendingError` tells how.
    public static func connecting(to address: SocketAddress) throws(SystemError) -> Socket {
        let descriptor = clinux_socket(address.family)
        if descriptor < 0 { throw SystemError("socket") }
        let socket = Socket(owning: descriptor)
        if !address.isUnix { socket.disableDelay() }
        let status = unsafe address.withSockaddr { unsafe connect(descriptor, $0, $1) }
        if status != 0 && errno != EINPROGRESS { throw SystemError("connect") }
        return socket
    }

    /// The error a connect or a peer left behind, or nil.
    public var pendingError: SystemError? {
        let code = clinux_socket_error(descriptor)
        return code == 0 ? nil : SystemError("connect", code: code)
    }

    /// Blocks until the socket can be read or written, for at most `timeoutMilliseconds`. For commands; never on a loop.
    public func wait(for interest: Interest, timeoutMilliseconds: Int32) -> Bool {
        var events = interest.contains(.read) ? Int16(POLLIN) : 0
        if interest.contains(.write) { events |= Int16(POLLOUT) }
        var request = pollfd(fd: descriptor, events: events, revents: 0)
        return unsafe poll(&request, 1, timeoutMilliseconds) == 1
    }

    /// Whether bytes, an end of stream or an error wait to be read. Bytes stay where they are.
    public var hasUnreadInput: Bool {
        var byte: UInt8 = 0
        return unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) >= 0 || errno != EAGAIN
    }

    /// Reads what there is, up to the buffer's free space, which must not be empty.
    public borrowing func read(into buffer: ByteBuffer) -> IOResult {
        precondition(buffer.writableCount > 0, "reading nothing looks like an end of stream")
        let descriptor = descriptor
        let count = uninterrupted {
            unsafe buffer.receive { free in Int(unsafe clinux_receive(descriptor, free.baseAddress, UInt64(free.count))) }
        }
        if count > 0 { return .moved(count) }
        if count == 0 { return .endOfStream }
        return failure("recv")
    }

    /// Writes what there is, and drops from the buffer what the kernel took.
    public borrowing func write(from buffer: ByteBuffer) -> IOResult {
        let descriptor = descriptor
        let count = uninterrupted {
            unsafe buffer.readable.withUnsafeBufferPointer { bytes in
                Int(unsafe clinux_send(descriptor, bytes.baseAddress, UInt64(bytes.count)))
            }
        }
        if count >= 0 {
            buffer.consume(count)
            return .moved(count)
        }
        return failure("send")
    }

    /// Tells the peer that nothing more follows; reading goes on.
    public borrowing func finishWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Makes closing send a reset, so that the peer cannot take what it got so far for the whole.
    public borrowing func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    borrowing func disableDelay() {
        _ = clinux_set_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// A signal is no reason to believe that the kernel has nothing: there would be no second event.
    private func uninterrupted(_ call: () -> Int) -> Int {
        while true {
            let count = call()
            if count >= 0 || errno != EINTR { return count }
        }
    }

    private func failure(_ call: String) -> IOResult {
        errno == EAGAIN ? .wouldBlock : .failed(SystemError(call))
    }
}
