// Whether a proxy answers, asked from outside: what a container's health check runs.

internal import Bytes
public import Configuration
import Reactor

public enum HealthProbe {
    /// Sends one request without a token and waits for the first bytes of a response. Any response counts: a 401 shows
    /// a proxy that reads, judges and writes.
    public static func answers(at endpoint: Endpoint, timeoutMilliseconds: Int32) -> Bool {
        guard let address = reachable(endpoint).address, let socket = try? Socket.connecting(to: address),
            socket.wait(for: .write, timeoutMilliseconds: timeoutMilliseconds), socket.pendingError == nil
        else { return false }
        let bytes = ByteBuffer(capacity: 1024)
        bytes.append("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        guard case .moved = socket.write(from: bytes) else { return false }
        bytes.removeAll()
        guard socket.wait(for: .read, timeoutMilliseconds: timeoutMilliseconds),
            case .moved = socket.read(into: bytes)
        else { return false }
        let expected: StaticString = "HTTP/1.1 "
        return bytes.count >= expected.utf8CodeUnitCount
            && bytes.readable.extracting(first: expected.utf8CodeUnitCount).equals(expected)
    }

    /// A listener on every address is asked at the loopback one.
    private static func reachable(_ endpoint: Endpoint) -> Endpoint {
        switch endpoint {
        case .tcp("*", let port), .tcp("0.0.0.0", let port), .tcp("::", let port): .tcp(host: "127.0.0.1", port: port)
        default: endpoint
        }
    }
}
