// What the access log says of a request's head, copied when the head is read: its bytes are gone when the line is written.

import Bytes
import HTTPWire

struct LoggedRequest {
    static let methodBytesMax = 32
    static let pathBytesMax = 2048

    let bytes = ByteBuffer(capacity: 256)
    // In `bytes`; empty before there is a head.
    private(set) var method = ByteRange.empty
    private(set) var path = ByteRange.empty

    /// - Parameter source: the bytes that `head` was parsed from.
    mutating func take(_ head: borrowing RequestHead, from source: Span<UInt8>) {
        clear()
        method = append(source.slice(head.methodName), bytesMax: Self.methodBytesMax)
        path = append(source.slice(head.path), bytesMax: Self.pathBytesMax)
    }

    mutating func clear() {
        bytes.removeAll()
        method = .empty
        path = .empty
    }

    private func append(_ text: Span<UInt8>, bytesMax: Int) -> ByteRange {
        let start = bytes.count
        bytes.append(text.extracting(first: min(text.count, bytesMax)))
        return ByteRange(start..<bytes.count)
    }
}
