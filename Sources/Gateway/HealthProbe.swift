// Whether a proxy answers, asked from outside: what a container's health check runs.

import Admission
internal import Bytes
public import Configuration
import HTTPWire
import Reactor

public enum HealthProbe {
    /// The listener that `antechamber health` asks: the first one that can be asked from this machine. Nil where each
    /// takes the PROXY protocol, and from trusted proxies only, of which this machine is none.
    public static func listener(of configuration: ProxyConfiguration) -> ListenerPolicy? {
        configuration.listeners.first { listener in
            !listener.takesProxyHeader || isTrusted(listener.endpoint, by: configuration.trustedProxies)
        }
    }

    /// Connecting to an address of one's own, one comes from that address.
    private static func isTrusted(_ endpoint: Endpoint, by proxies: TrustedProxies) -> Bool {
        guard let address = endpoint.fromHere.address else { return false }
        return proxies.contains(peer: address.ip)
    }

    /// Sends one request without a token and waits for the first bytes of a response. Any response counts: a 401 shows
    /// a proxy that reads, judges and writes.
    public static func answers(at listener: ListenerPolicy, timeoutMilliseconds: Int32) -> Bool {
        guard let address = listener.endpoint.fromHere.address, let socket = try? Socket.connecting(to: address),
            socket.wait(for: .write, timeoutMilliseconds: timeoutMilliseconds), socket.pendingError == nil
        else { return false }
        let bytes = ByteBuffer(capacity: 1024)
        if listener.takesProxyHeader { bytes.append(ProxyHeader.local) }
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
}
