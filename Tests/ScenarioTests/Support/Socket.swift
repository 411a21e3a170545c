// Blocking sockets on loopback, TCP mostly, each call bounded by a deadline.

import Glibc

/// One connection, or a socket that listens. Closed with the last reference.
final class Socket: Sendable {
    let descriptor: Int32

    init(owning descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// A socket bound to a free port of 127.0.0.1. Until it listens the port is held, and connects are refused.
    static func boundToLoopback(port: UInt16 = 0) throws -> Socket {
        let socket = try tcp()
        var address = loopback(port)
        var on: Int32 = 1
        unsafe setsockopt(socket.descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let status = unsafe withSockaddr(&address) { unsafe bind(socket.descriptor, $0, $1) }
        guard status == 0 else { throw failure("bind") }
        return socket
    }

    /// A Unix socket bound to a path that is not taken.
    static func bound(toPath path: String) throws -> Socket {
        let (socket, address) = try unixSocket(path)
        let status = unsafe withSockaddr(address) { unsafe bind(socket.descriptor, $0, $1) }
        guard status == 0 else { throw failure("bind") }
        return socket
    }

    private static func unixSocket(_ path: String) throws -> (Socket, sockaddr_un) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("socket") }
        let socket = Socket(owning: descriptor)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw ScenarioError("too long: \(path)") }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        return (socket, address)
    }

    /// The kernel queues one connection more than `backlog` before it ignores those who want to connect.
    func startListening(backlog: Int32 = 128) throws {
        guard listen(descriptor, backlog) == 0 else { throw failure("listen") }
    }

    /// The local port.
    func port() throws -> UInt16 {
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withSockaddr(&address) { pointer, _ in unsafe getsockname(descriptor, pointer, &length) }
        guard status == 0 else { throw failure("getsockname") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// The port at the other end.
    func peerPort() throws -> UInt16 {
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withSockaddr(&address) { pointer, _ in unsafe getpeername(descriptor, pointer, &length) }
        guard status == 0 else { throw failure("getpeername") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// The next connection; nil once the socket was shut down.
    func accept() -> Socket? {
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&entry, 1, -1)
            guard ready > 0 || errno == EINTR else { return nil }
            let (accepted, error) = ChildProcess.withoutSpawning {
                let accepted = Glibc.accept(descriptor, nil, nil)
                let error = errno
                if accepted >= 0 { closeOnExec(accepted) }
                return (accepted, error)
            }
            if accepted >= 0 { return Socket(owning: accepted) }
            if error != EINTR && error != ECONNABORTED { return nil }
        }
    }

    static func connect(port: UInt16, receiveBufferBytes: Int32? = nil) throws -> Socket {
        let socket = try tcp()
        // Linux bounds a connect by the send timeout: a listener's queue may be full.
        var bound = timeval(tv_sec: 20, tv_usec: 0)
        unsafe setsockopt(socket.descriptor, SOL_SOCKET, SO_SNDTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
        if var bytes = receiveBufferBytes {
            // Before the connect: the window's scale is agreed on there.
            unsafe setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = loopback(port)
        let status = unsafe withSockaddr(&address) { unsafe Glibc.connect(socket.descriptor, $0, $1) }
        guard status == 0 else {
            if errno == ECONNREFUSED { throw ConnectionRefused() }
            throw failure("connect to port \(port)")
        }
        var on: Int32 = 1
        unsafe setsockopt(socket.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return socket
    }

    /// A connection to a Unix socket.
    static func connect(toPath path: String) throws -> Socket {
        let (socket, address) = try unixSocket(path)
        let status = unsafe withSockaddr(address) { unsafe Glibc.connect(socket.descriptor, $0, $1) }
        guard status == 0 else { throw failure("connect to \(path)") }
        return socket
    }

    /// Sends all, or throws: the peer closed, or does not read.
    func send(_ bytes: some Collection<UInt8>, by deadline: Deadline = Deadline()) throws {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            try wait(for: Int16(POLLOUT), by: deadline, doing: "sending")
            let count = unsafe bytes.withUnsafeBytes { raw in
                unsafe Glibc.send(
                    descriptor, raw.baseAddress! + sent, bytes.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { continue }
                throw failure("send")
            }
            sent += count
        }
    }

    /// Sends what the kernel takes without waiting, and returns how much that was.
    func sendWithoutWaiting(_ bytes: [UInt8]) throws -> Int {
        let count = unsafe bytes.withUnsafeBytes { raw in
            unsafe Glibc.send(
                descriptor, raw.baseAddress, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        if count >= 0 { return count }
        if errno == EAGAIN || errno == EINTR { return 0 }
        throw failure("send")
    }

    /// Some bytes; none at the end of the stream. A reset counts as an end that says so.
    func receive(atMost count: Int = 65_536, by deadline: Deadline = Deadline()) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        while true {
            try wait(for: Int16(POLLIN), by: deadline, doing: "receiving")
            let received = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, count, 0) }
            if received >= 0 { return Array(buffer[..<received]) }
            if errno == EINTR || errno == EAGAIN { continue }
            throw errno == ECONNRESET ? SocketReset() : failure("recv")
        }
    }

    /// There are bytes to receive, or the stream's end.
    func isReadable() -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, 0) > 0
    }

    /// No more will be sent.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Neither direction goes on: an `accept` or `receive` under way in another thread returns.
    func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Sends a reset. (Connecting to no address is how Linux ends a connection at once.)
    func reset() {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_UNSPEC)
        _ = unsafe withSockaddr(&address) { unsafe Glibc.connect(descriptor, $0, $1) }
    }

    private func wait(for events: Int16, by deadline: Deadline, doing what: String) throws {
        while true {
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            let ready = unsafe poll(&entry, 1, deadline.millisecondsLeft)
            if ready > 0 { return }
            if ready == 0 { throw ScenarioError("the deadline passed while \(what)") }
            if errno != EINTR { throw failure("poll") }
        }
    }

    private static func tcp() throws -> Socket {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("socket") }
        return Socket(owning: descriptor)
    }
}

/// No child inherits the descriptor.
func closeOnExec(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

/// Nobody listens there.
struct ConnectionRefused: Error {}

/// The peer reset the connection.
struct SocketReset: Error {}

private func failure(_ call: String) -> ScenarioError {
    let code = errno
    return ScenarioError("\(call): \(unsafe String(cString: strerror(code)))")
}

private func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

private func withSockaddr<Result>(
    _ address: sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    unsafe withUnsafePointer(to: address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

private func withSockaddr<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
