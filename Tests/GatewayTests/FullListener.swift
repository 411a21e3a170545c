// A port where a connection is neither taken nor refused.

import Glibc
import Testing

@testable import Reactor

/// Listens, and takes no connection: its queue is full.
final class FullListener {
    let port: UInt16
    private let bound: BoundSocket
    private let listening: Reactor.Socket
    private let queued: Reactor.Socket

    init() throws {
        let any = try #require(SocketAddress(numericHost: "127.0.0.1", port: 0))
        bound = try BoundSocket(any, unixPath: nil, sharesPort: false)
        port = try #require(bound.address.port)
        listening = try bound.duplicate()
        // The queue shrinks to one connection, and that one is here.
        listen(listening.descriptor, 0)
        queued = try Reactor.Socket.connecting(to: bound.address)
        let isQueued = queued.wait(for: .write, timeoutMilliseconds: 30_000)
        #expect(isQueued)
    }
}
