// One health check: a connection of its own, one request, and the head of its response.

import Bytes
import Configuration
import HTTPWire
import OpenSSLKit
import Reactor

/// Lives on the control loop, until it has called `completion` or was closed.
final class HealthCheckConnection: SocketStream {
    enum Outcome {
        case unreachable(String)
        case failed(String)
        case passed
    }

    /// Interim responses that are read for one check, at most.
    private static let interimResponsesMax = 16

    private let output = ByteBuffer(capacity: 512)
    private let input = ByteBuffer(capacity: 4096)
    private var parser = ResponseHeadParser(headBytesMax: Worker.responseHeadBytesMax)
    private let peer: TLSPeer?
    private let sessions: TLSSessionSlot
    private var isConnecting = true
    private var interimResponses = 0
    private let completion: (Outcome) -> Void

    /// Starts to connect. `completion` is called once, unless it is closed before.
    init(
        to address: SocketAddress, of server: UpstreamPolicy.Server, sessions: TLSSessionSlot, target: String,
        loop: EventLoop, completion: @escaping (Outcome) -> Void
    ) throws(SystemError) {
        self.completion = completion
        self.sessions = sessions
        peer = server.tls
        output.append("GET \(target) HTTP/1.1\r\nHost: \(server.authority)\r\n")
        output.append("Connection: close\r\nUser-Agent: antechamber\r\n\r\n")
        try super.init(loop: loop, socket: try Socket.connecting(to: address))
    }

    override func ready() {
        guard isOpen, let outcome = advance() else { return }
        close()
        completion(outcome)
    }

    /// nil: it goes on.
    private func advance() -> Outcome? {
        if isConnecting {
            switch continueConnecting(to: peer, sessions: sessions) {
            case nil: return nil
            case .failure(let failure): return .unreachable(failure.reason)
            case .success: isConnecting = false
            }
        }
        // Whether the request was taken whole does not matter where there is a response.
        _ = flush(output)
        while true {
            if input.writableCount == 0 { input.reserve(1) }
            switch fill(input) {
            case .moved:
                if let outcome = judge() { return outcome }
            case .blocked:
                return nil
            case .ended:
                return .failed("it closed the connection without a response")
            case .failed(let error):
                return .failed(error.reason)
            }
        }
    }

    private func judge() -> Outcome? {
        let input = input
        do throws(ResponseError) {
            while !input.isEmpty, try parser.parse(input.readable, requestMethod: .get) {
                let status = parser.head.statusCode
                if !parser.head.isInformational {
                    return (200...399).contains(status) ? .passed : .failed("status \(status)")
                }
                interimResponses += 1
                if interimResponses > HealthCheckConnection.interimResponsesMax {
                    return .failed("too many interim responses")
                }
                input.consume(parser.head.byteCount)
                parser.reset()
            }
            return nil
        } catch {
            return .failed("invalid response: \(error.detail)")
        }
    }
}
