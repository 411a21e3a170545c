// The embedded issuer's HTTP server: one request a connection, a handful of connections.

import Bytes
import HTTPWire
import Reactor

final class DemoServer: ListenerHandler {
    struct Request {
        var method: String
        var path: String
        /// Of an `application/x-www-form-urlencoded` body; empty for any other.
        var form: [String: String]
    }

    struct Answer {
        var status: Int
        var body: String

        static func json(_ status: Int, _ body: String) -> Answer { Answer(status: status, body: body) }
    }

    let port: UInt16
    private let loop: EventLoop
    private let bound: BoundSocket
    private var listener: Listener?
    fileprivate var handler: (Request) -> Answer = { _ in .json(503, "{}") }

    let mayAccept = true

    init() throws(SystemError) {
        loop = try EventLoop(label: "antechamber.demo.issuer", lingerMilliseconds: 0)
        bound = try BoundSocket(SocketAddress(numericHost: "127.0.0.1", port: 0)!, unixPath: nil, sharesPort: false)
        port = bound.address.port!
        listener = try Listener(on: loop, bound: bound, handler: self)
    }

    func start(_ handler: @escaping (Request) -> Answer) {
        self.handler = handler
        loop.resume()
    }

    func stop() {
        let server = loop.bind(self)
        let stopped = Countdown(1)
        loop.mailbox.post {
            server.unwrapped.listener?.stop()
            server.unwrapped.loop.close()
            stopped.arrive()
        }
        stopped.wait()
    }

    func accepted(_ socket: consuming Socket, from peer: SocketAddress) {
        DemoServerConnection.serve(socket, on: loop, server: self)
    }

    /// Whoever asks waits, and tries again.
    func cannotAccept(_ error: SystemError) {}
}

private final class DemoServerConnection: DescriptorHandler, TimerHandler {
    private static let requestBytesMax = 64 * 1024
    private static let timeoutNanoseconds: Int64 = 10_000_000_000

    private let loop: EventLoop
    private let server: DemoServer
    private var socket: Socket?
    private var registration: Registration?
    private var timer: TimerID?
    private let input = ByteBuffer(capacity: 16 * 1024)
    private let output = ByteBuffer(capacity: 16 * 1024)
    private var parser = RequestHeadParser(headBytesMax: 16 * 1024)
    private var isAnswered = false

    static func serve(_ socket: consuming Socket, on loop: EventLoop, server: DemoServer) {
        let descriptor = socket.descriptor
        let connection = DemoServerConnection(socket, loop, server)
        // A machine without descriptors closes the connection, which is answer enough here.
        connection.registration = try? loop.registerEdge(descriptor, connection)
        connection.timer = loop.addTimer(connection)
        loop.schedule(connection.timer!, at: loop.now + timeoutNanoseconds)
    }

    private init(_ socket: consuming Socket, _ loop: EventLoop, _ server: DemoServer) {
        self.socket = consume socket
        self.loop = loop
        self.server = server
    }

    func timerFired(_ timer: TimerID) {
        close()
    }

    func descriptorReady(_ events: ReadyEvents) {
        while socket != nil, !isAnswered {
            if input.count > DemoServerConnection.requestBytesMax { return close() }
            input.reserve(4096)
            switch socket!.read(into: input) {
            case .moved: answerIfComplete()
            case .wouldBlock: return
            case .endOfStream, .failed: return close()
            }
        }
        if isAnswered { flush() }
    }

    private func answerIfComplete() {
        let input = input
        do {
            guard try parser.parse(input.readable) else { return }
        } catch {
            return answer(.json(400, "{}"))
        }
        let head = parser.head
        var body = ""
        if case .length(let length) = head.body {
            guard UInt64(input.count - head.byteCount) >= length else { return }
            body = input.readable.extracting(droppingFirst: head.byteCount).text()
        }
        let bytes = input.readable
        let request = DemoServer.Request(
            method: bytes.slice(head.methodName).text(), path: bytes.slice(head.path).text(), form: Form.fields(of: body))
        answer(server.handler(request))
    }

    private func answer(_ answer: DemoServer.Answer) {
        isAnswered = true
        output.appendStatusLine(answer.status, reason: "")
        output.append("Content-Type: application/json\r\nCache-Control: no-store\r\nConnection: close\r\n")
        output.appendFramingField(.length(UInt64(answer.body.utf8.count)))
        output.appendLineEnd()
        output.append(answer.body)
        flush()
    }

    private func flush() {
        while socket != nil {
            if output.isEmpty { return close() }
            switch socket!.write(from: output) {
            case .moved: continue
            case .wouldBlock: return
            case .endOfStream, .failed: return close()
            }
        }
    }

    private func close() {
        if let held = registration { loop.releaseBeforeClose(held) }
        if let held = timer { loop.removeTimer(held) }
        registration = nil
        timer = nil
        socket = nil
    }
}
