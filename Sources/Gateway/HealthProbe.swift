// Whether a proxy answers, asked from outside: what a container's health check runs.

import Admission
internal import Bytes
public import Configuration
import HTTPWire
import OpenSSLKit
import Reactor

public enum HealthProbe {
    /// The listener that `antechamber health` asks: the first one that can be asked from this machine. Nil where each
    /// takes the PROXY protocol, and from trusted proxies only, of which this machine is none, or wants a certificate, of
    /// which this command has none.
    public static func listener(of configuration: ProxyConfiguration) -> ListenerPolicy? {
        configuration.listeners.first { listener in
            let isOpen = !listener.takesProxyHeader || isTrusted(listener.endpoint, by: configuration.trustedProxies)
            return isOpen && listener.tls?.clientCertificates?.isRequired != true
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
        if listener.tls != nil {
            // What it proves by its certificate is for its clients: here only its answer counts.
            if !bytes.isEmpty { _ = socket.write(from: bytes) }
            guard bytes.isEmpty, let context = try? TLSClientContext(verifies: false),
                let tls = try? TLSConnection(
                    connecting: socket.descriptor, to: TLSPeer(context, .name("localhost")), sessions: TLSSessionSlot()),
                isDone(on: socket, tls, timeoutMilliseconds, { tls.handshake() == .blocked })
            else { return false }
            bytes.append(request)
            guard tls.write(from: bytes) == .done else { return false }
            bytes.reserve(1)
            return isDone(on: socket, tls, timeoutMilliseconds, { tls.read(into: bytes) == .blocked }) && isResponse(bytes)
        }
        bytes.append(request)
        guard case .moved = socket.write(from: bytes) else { return false }
        bytes.removeAll()
        guard socket.wait(for: .read, timeoutMilliseconds: timeoutMilliseconds),
            case .moved = socket.read(into: bytes)
        else { return false }
        return isResponse(bytes)
    }

    private static let request: StaticString = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    /// Events that one step over TLS may take: a peer that sends byte by byte is not answering.
    private static let eventsMax = 100

    /// Whether a step came to an end, whichever.
    private static func isDone(
        on socket: borrowing Socket, _ tls: TLSConnection, _ timeoutMilliseconds: Int32, _ isBlocked: () -> Bool
    ) -> Bool {
        for _ in 0..<eventsMax {
            if !isBlocked() { return true }
            guard socket.wait(for: .read, timeoutMilliseconds: timeoutMilliseconds) else { return false }
            tls.socketReady(readable: true, writable: true, peerHasClosed: false)
        }
        return false
    }

    private static func isResponse(_ bytes: ByteBuffer) -> Bool {
        let expected: StaticString = "HTTP/1.1 "
        return bytes.count >= expected.utf8CodeUnitCount
            && bytes.readable.extracting(first: expected.utf8CodeUnitCount).equals(expected)
    }
}
