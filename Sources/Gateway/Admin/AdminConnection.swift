// One connection to the admin listener: one request, one response, and that is all.
//
// Whatever a client does, its connection is over by a fixed deadline, and holds a small head and one response until then.

import Bytes
import HTTPWire
import Reactor

final class AdminConnection: SocketStream, TimerHandler {
    private enum Phase {
        case readingHead
        /// The answer is being gathered.
        case answering
        case writing
        /// The response is out; what the client still sends is thrown away, as closing on unread bytes would send a
        /// reset, which can destroy the response on its way.
        case lingering
    }

    static let headBytesMax = 8 * 1024
    /// What a client may go on sending when its response is out.
    static let discardedBytesMax = 256 * 1024

    private unowned let server: AdminServer
    private var phase = Phase.readingHead
    private var parser = RequestHeadParser(headBytesMax: AdminConnection.headBytesMax)
    private let input = ByteBuffer(capacity: 1024)
    private let output = ByteBuffer(capacity: 1024)
    private var discardedBytes = 0
    private var timer: TimerID?

    /// - Parameter lifetimeMilliseconds: From the first byte to the last, all of it.
    init(
        server: AdminServer, socket: consuming Socket, loop: EventLoop, lifetimeMilliseconds: Int64
    ) throws(SystemError) {
        self.server = server
        try super.init(loop: loop, socket: socket)
        let timer = loop.addTimer(self)
        self.timer = timer
        loop.schedule(timer, at: loop.now + lifetimeMilliseconds * 1_000_000)
    }

    override func ready() {
        switch phase {
        case .readingHead: readHead()
        case .answering: if hasFailed { close() }
        case .writing: writeResponse()
        case .lingering: linger()
        }
    }

    func timerFired(_ timer: TimerID) {
        close()
    }

    override func close(reset: Bool = false) {
        guard isOpen else { return }
        if let timer { loop.removeTimer(timer) }
        timer = nil
        super.close(reset: reset)
        server.closed(self)
    }

    private func readHead() {
        let input = input
        while true {
            if input.writableCount == 0 { input.reserve(1) }
            switch fill(input) {
            case .moved:
                do throws(RequestError) {
                    if try parser.parse(input.readable) { return answer() }
                } catch {
                    return respond(AdminResponse(error))
                }
            case .blocked:
                if hasFailed { close() }
                return
            case .ended, .failed:
                return close()
            }
        }
    }

    private func answer() {
        phase = .answering
        let input = input
        let head = parser.head
        let authority = head.authority.map { input.readable.slice($0).text() }
        let query = head.query.map { input.readable.slice($0).text() }
        server.answer(head.method, authority, input.readable.slice(head.path), query: query) { [weak self] response in
            self?.respond(response, omitBody: head.method == .head)
        }
    }

    private func respond(_ response: AdminResponse, omitBody: Bool = false) {
        guard isOpen else { return }
        response.write(to: output, unixSeconds: loop.unixSeconds, omitBody: omitBody)
        phase = .writing
        writeResponse()
    }

    private func writeResponse() {
        switch flush(output) {
        case .done:
            finishWriting()
            phase = .lingering
            linger()
        case .blocked:
            if hasFailed { close() }
        case .failed:
            close()
        }
    }

    private func linger() {
        while discardedBytes < AdminConnection.discardedBytesMax {
            input.removeAll()
            input.reserve(1)
            switch fill(input) {
            case .moved:
                discardedBytes += input.count
            case .blocked:
                if hasFailed { close() }
                return
            case .ended, .failed:
                return close()
            }
        }
        close()
    }
}
