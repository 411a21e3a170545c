// Whether a backend that switches to WebSocket has read the request that asks for it (RFC 6455 §4.1).
//
// A proxy that takes any 101 for a switch can be fooled: where a client makes a backend repeat a status code (of a server
// it fetches from, say), the "tunnel" leads to a backend that still reads HTTP, past every check. The value that the
// backend has to derive from the client's key shows that it speaks the protocol.

import Bytes
import HTTPWire
import OpenSSLKit

enum WebSocketHandshake {
    private static let suffix = Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)
    /// A key is 24 characters; longer ones are left for the backend to refuse, and no switch follows them.
    private static let keyBytesMax = 64

    /// Both heads in the bytes they were parsed from.
    static func isAnswered(
        _ request: borrowing RequestHead, in requestBytes: Span<UInt8>, by response: borrowing ResponseHead,
        in responseBytes: Span<UInt8>
    ) -> Bool {
        guard request.count(of: .secWebSocketKey) == 1, let key = request.first(.secWebSocketKey),
            key.value.count <= keyBytesMax, response.count(of: .secWebSocketAccept) == 1,
            let accept = response.first(.secWebSocketAccept),
            let expected = try? SHA1.base64Digest(of: requestBytes.slice(key.value).copied() + suffix)
        else { return false }
        return responseBytes.slice(accept.value).equals(expected.span)
    }
}
