// What the kernel holds of the connections on loopback: how a scenario knows that bytes have arrived at the
// proxy, or that the proxy has read them.

import Foundation
import Glibc

enum KernelQueues {
    /// One end of a connection between two ports of this machine.
    struct End {
        /// Sent by it, and not yet acknowledged.
        var unacknowledged: Int
        /// Arrived at it, and not yet read.
        var unread: Int
    }

    /// The end at `port`; nil when there is no such connection (any more).
    static func end(at port: UInt16, peer: UInt16) throws -> End? {
        // Columns of proc_net_tcp(5): number, local and remote address:port, state, unacknowledged:unread, …
        let start = String(format: "0100007F:%04X 0100007F:%04X ", Int(port), Int(peer))
        // By strstr(3): the table of a machine with many connections takes Swift without optimisation too long.
        let columns = try unsafe table().withUnsafeBufferPointer { table in
            unsafe strstr(table.baseAddress!, start).map { unsafe String(cString: $0).dropFirst(start.count).prefix(20) }
        }
        guard let columns else { return nil }
        guard let match = columns.firstMatch(of: /^[0-9A-F]{2} ([0-9A-F]{8}):([0-9A-F]{8})/),
            let unacknowledged = Int(match.1, radix: 16), let unread = Int(match.2, radix: 16)
        else { throw ScenarioError("no line of /proc/net/tcp: \(columns)") }
        return End(unacknowledged: unacknowledged, unread: unread)
    }

    /// Read to its end: it comes in pieces, the first of which Foundation takes for the whole.
    private static func table() throws -> [CChar] {
        let descriptor = unsafe open("/proc/net/tcp", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ScenarioError("the kernel's table of connections cannot be read") }
        defer { close(descriptor) }
        var table: [CChar] = []
        var piece = [CChar](repeating: 0, count: 65_536)
        while case let count = unsafe read(descriptor, &piece, piece.count), count > 0 { table += piece[..<count] }
        return table + [0]
    }
}

extension Socket {
    /// What the peer, on this machine, has not read yet of what has arrived there; nil when it has no connection any more.
    func unreadByPeer() throws -> Int? { try KernelQueues.end(at: peerPort(), peer: port())?.unread }

    /// What the peer, on this machine, has sent and is not yet read here, in the buffers of both ends.
    func bytesOnTheirWayHere() throws -> Int {
        // What has arrived is acknowledged at once: until then it would count at both ends.
        var on: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_QUICKACK, &on, socklen_t(MemoryLayout<Int32>.size))
        let here = try KernelQueues.end(at: port(), peer: peerPort())
        let there = try KernelQueues.end(at: peerPort(), peer: port())
        return (here?.unread ?? 0) + (there?.unacknowledged ?? 0)
    }
}
