// What the access log says of a request's head, copied when the head is read: its bytes are gone when the line is written.

import Bytes
import Configuration
import HTTPWire

struct LoggedRequest {
    static let methodBytesMax = 32
    static let pathBytesMax = 2048
    /// Of `Referer` and `User-Agent`, each.
    static let fieldBytesMax = 1024

    let bytes = ByteBuffer(capacity: 256)
    // In `bytes`; empty before there is a head.
    private(set) var method = ByteRange.empty
    private(set) var path = ByteRange.empty
    private(set) var referrer = ByteRange.empty
    private(set) var userAgent = ByteRange.empty
    private(set) var version = HTTPVersion.http11

    /// - Parameters:
    ///   - source: the bytes that `head` was parsed from.
    ///   - format: of the line.
    mutating func take(_ head: borrowing RequestHead, from source: Span<UInt8>, for format: AccessLog.Format) {
        clear()
        method = append(source.slice(head.methodName), bytesMax: Self.methodBytesMax)
        path = append(source.slice(head.path), bytesMax: Self.pathBytesMax)
        guard format == .combined else { return }
        version = head.version
        for index in head.fields.indices where head.fields[index].kind == .other {
            let field = head.fields[index]
            let name = source.slice(field.name)
            if referrer.isEmpty, name.equalsIgnoringCase("referer") {
                referrer = append(source.slice(field.value), bytesMax: Self.fieldBytesMax)
            } else if userAgent.isEmpty, name.equalsIgnoringCase("user-agent") {
                userAgent = append(source.slice(field.value), bytesMax: Self.fieldBytesMax)
            }
        }
    }

    mutating func clear() {
        bytes.removeAll()
        method = .empty
        path = .empty
        referrer = .empty
        userAgent = .empty
    }

    private func append(_ text: Span<UInt8>, bytesMax: Int) -> ByteRange {
        let start = bytes.count
        bytes.append(text.extracting(first: min(text.count, bytesMax)))
        return ByteRange(start..<bytes.count)
    }
}
