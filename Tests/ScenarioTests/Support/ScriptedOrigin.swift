// A backend that does what a scenario tells it, and records every byte that each connection brought.

import Foundation
import Synchronization

/// A raw server on a free port of 127.0.0.1, or at the path of a Unix socket. Each connection is handed to the script in a thread of
/// its own; when the script returns or throws, the connection is closed.
final class ScriptedOrigin: Sendable {
    typealias Script = @Sendable (Connection) throws -> Void

    /// As a configuration names it.
    let url: String
    /// 0 for a Unix socket.
    let port: UInt16
    private let listener: Socket
    private let script: Mutex<Script>
    private let records = Mutex<[Record]>([])

    /// What one connection brought.
    final class Record: Sendable {
        fileprivate let socket: Socket
        private let received = Mutex<[UInt8]>([])

        fileprivate init(_ socket: Socket) { self.socket = socket }
        fileprivate func append(_ bytes: [UInt8]) { received.withLock { $0 += bytes } }
        var bytes: [UInt8] { received.withLock { $0 } }

        /// The ports of the origin's end and of the proxy's.
        func ports() throws -> (origin: UInt16, proxy: UInt16) { try (socket.port(), socket.peerPort()) }

        /// How many bytes the proxy has sent: those that were read here, and those that are in the kernel. Exact while
        /// nothing is read here.
        func sentByProxy() throws -> Int { try received.withLock { $0.count } + socket.bytesOnTheirWayHere() }
    }

    /// A connection as the script sees it.
    final class Connection {
        /// Which connection of this origin it is, from 0.
        let index: Int
        let socket: Socket
        private let reader: MessageReader

        fileprivate init(index: Int, record: Record) {
            self.index = index
            socket = record.socket
            reader = MessageReader(record.socket) { record.append($0) }
        }

        /// The next request with its body; nil when the proxy closed the connection.
        func request() throws -> RawMessage? { try reader.request(by: Deadline(seconds: 120)) }
        /// The next request's head alone.
        func head() throws -> String? { try reader.head(by: Deadline(seconds: 120)) }
        func bytes(_ count: Int) throws -> [UInt8] { try reader.bytes(count) }
        func rest() throws -> [UInt8] { try reader.rest(by: Deadline(seconds: 120)) }
        @discardableResult
        func receive(upTo end: String) throws -> [UInt8] { try reader.bytes(upTo: end, by: Deadline(seconds: 120)) }
        func send(_ text: String) throws { try socket.send(latin1Bytes(text)) }
        func send(_ bytes: [UInt8]) throws { try socket.send(bytes) }
        func answer(_ body: String = "ok", status: String = "200 OK", fields: [String] = []) throws {
            let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + fields
            try send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
        }
        /// Waits until the proxy gives the connection up; what it still sends is recorded.
        func waitForClose() { _ = try? reader.rest(by: Deadline(seconds: 120)) }
    }

    /// Answers every request with 200 and a short body, for as long as the connection lasts.
    static let answering: Script = { connection in
        while let request = try connection.request() {
            if request.startLine.hasPrefix("HEAD ") {
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
            } else {
                try connection.answer()
            }
        }
    }

    /// - Parameter isOpen: false: connections are refused until `open()`.
    init(isOpen: Bool = true, _ script: @escaping Script = ScriptedOrigin.answering) throws {
        listener = try Socket.boundToLoopback()
        port = try listener.port()
        url = "http://127.0.0.1:\(port)"
        self.script = Mutex(script)
        if isOpen { try open() }
    }

    /// At a path that is not taken.
    init(unixPath: String, _ script: @escaping Script = ScriptedOrigin.answering) throws {
        listener = try Socket.bound(toPath: unixPath)
        port = 0
        url = "unix:\(unixPath)"
        self.script = Mutex(script)
        try open()
    }

    /// Takes connections from now on.
    func open() throws {
        try listener.startListening()
        Thread.detachNewThread { [self] in acceptConnections() }
    }

    /// What connections opened from now on will do.
    func follow(_ script: @escaping Script) { self.script.withLock { $0 = script } }

    var connections: [Record] { records.withLock { $0 } }
    /// All bytes of all connections, as text, in the order the connections were opened.
    var received: String { connections.map { latin1Text($0.bytes) }.joined() }
    /// The heads and bodies of every whole request so far.
    var requestLines: [String] {
        received.split(separator: "\r\n").filter { $0.hasSuffix(" HTTP/1.1") }.map(String.init)
    }

    func end() {
        listener.shutDown()
        for record in connections { record.socket.shutDown() }
    }

    private func acceptConnections() {
        while let socket = listener.accept() {
            let record = Record(socket)
            let index = records.withLock { records in
                records.append(record)
                return records.count - 1
            }
            let script = script.withLock { $0 }
            Thread.detachNewThread {
                // A script that ends early, because the proxy went away or on purpose, ends its connection.
                try? script(Connection(index: index, record: record))
                record.socket.shutDown()
            }
        }
    }
}
