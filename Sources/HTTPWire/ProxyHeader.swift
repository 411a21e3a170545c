// The PROXY protocol, versions 1 and 2 (HAProxy's specification of that name): what a proxy in front sends before a
// connection's first byte, to say whose connection it relays.
//
// Strict: whoever may send this header is trusted with the client's address, so one that is not exactly as specified
// comes from something else. Bounded: version 1 by its specification, version 2 by `headerBytesMax`. The verdict does
// not depend on the pieces that the bytes arrive in.

public import Bytes

/// A header that was read whole.
public struct ProxyHeader: Sendable, Equatable {
    public enum Client: Sendable, Equatable {
        /// The sender speaks for itself (a health check), or does not know: the connection's own peer is the client.
        case peer
        case address(IPAddress)
        /// The client reached the sender through a Unix socket.
        case unixSocket
    }

    public var client: Client
    /// How many bytes the header takes.
    public var byteCount: Int

    /// The most that a header may take, in bytes: as much as nginx reads. The addresses need 232 at most, the rest is
    /// for what senders append, certificates among it.
    public static let byteCountMax = 4096

    /// A version 2 header for a connection of the sender's own: `LOCAL` (§2.2).
    public static let local = signature + [0x20, 0x00, 0x00, 0x00]

    /// Reads the header at the front of a connection's bytes. Nil: more bytes are needed, which is never the answer to
    /// `byteCountMax` bytes.
    ///
    /// Keeps nothing between calls: an incomplete version 1 has 106 bytes at most, and of an incomplete version 2 the
    /// first 16 are looked at.
    public init?(parsing bytes: Span<UInt8>) throws(ProxyHeaderError) {
        guard !bytes.isEmpty else { return nil }
        let header = switch bytes[0] {
        case UInt8(ascii: "P"): try Self.version1(bytes)
        case ASCII.cr: try Self.version2(bytes)
        default: throw ProxyHeaderError()
        }
        guard let header else { return nil }
        self = header
    }

    public init(client: Client, byteCount: Int) {
        self.client = client
        self.byteCount = byteCount
    }
}

/// The bytes at a connection's beginning are no PROXY header: nothing can be told of the client, not even whether it
/// speaks HTTP.
public struct ProxyHeaderError: Error, Sendable, Equatable {}

// MARK: Version 1 (§2.1)

extension ProxyHeader {
    /// `PROXY TCP6 ffff:…:ffff ffff:…:ffff 65535 65535 CRLF`, or `PROXY UNKNOWN …`.
    private static let lineBytesMax = 107
    private static let lineStart = Array("PROXY ".utf8)

    private static func version1(_ bytes: Span<UInt8>) throws(ProxyHeaderError) -> ProxyHeader? {
        let limit = min(bytes.count, lineBytesMax)
        guard let end = bytes.extracting(..<limit).firstIndex(of: ASCII.lf) else {
            if limit == lineBytesMax || !bytes.agrees(with: lineStart.span) { throw ProxyHeaderError() }
            return nil
        }
        guard end > 0, bytes[end - 1] == ASCII.cr else { throw ProxyHeaderError() }
        return ProxyHeader(client: try client(inLine: bytes.extracting(..<(end - 1))), byteCount: end + 1)
    }

    /// One space each between the words, and none elsewhere: an empty word is none of those that are looked for.
    private static func client(inLine line: Span<UInt8>) throws(ProxyHeaderError) -> Client {
        var words = Words(line)
        guard words.next().equals("PROXY") else { throw ProxyHeaderError() }
        let family = words.next()
        // What follows has no meaning, and is bounded by the line.
        if family.equals("UNKNOWN") { return .peer }
        let source: IPAddress?
        let destination: IPAddress?
        if family.equals("TCP4") {
            source = IPAddress(ipv4: words.next())
            destination = IPAddress(ipv4: words.next())
        } else if family.equals("TCP6") {
            source = IPAddress(ipv6: words.next())
            destination = IPAddress(ipv6: words.next())
        } else {
            throw ProxyHeaderError()
        }
        let hasPorts = isPort(words.next()) && isPort(words.next())
        guard let source, destination != nil, hasPorts, words.isAtEnd else { throw ProxyHeaderError() }
        return .address(source)
    }

    private static func isPort(_ digits: Span<UInt8>) -> Bool {
        guard (1...5).contains(digits.count), digits.count == 1 || digits[0] != 0x30 else { return false }
        var port = 0
        for index in digits.indices {
            guard ASCII.isDigit(digits[index]) else { return false }
            port = port * 10 + Int(digits[index] - 0x30)
        }
        return port <= 65535
    }

    private struct Words: ~Escapable {
        private let line: Span<UInt8>
        private var position = 0

        @_lifetime(copy line)
        init(_ line: Span<UInt8>) {
            self.line = line
        }

        var isAtEnd: Bool { position > line.count }

        /// The next word; empty behind the last one.
        @_lifetime(copy self)
        mutating func next() -> Span<UInt8> {
            let start = min(position, line.count)
            let end = line.firstIndex(of: ASCII.space, from: start) ?? line.count
            position = end + 1
            return line.extracting(start..<end)
        }
    }
}

// MARK: Version 2 (§2.2)

extension ProxyHeader {
    private static let signature = Array("\r\n\r\n\0\r\nQUIT\n".utf8)
    private static let fixedByteCount = 16

    private static func version2(_ bytes: Span<UInt8>) throws(ProxyHeaderError) -> ProxyHeader? {
        guard bytes.agrees(with: signature.span) else { throw ProxyHeaderError() }
        guard bytes.count >= fixedByteCount else { return nil }
        let byteCount = fixedByteCount + bytes.bigEndian16(at: 14)
        guard byteCount <= byteCountMax else { throw ProxyHeaderError() }
        let command = bytes[12]
        let family = bytes[13] &>> 4
        let transport = bytes[13] & 15
        // Version 2 with LOCAL or PROXY; nothing else is defined, and "must be rejected".
        guard command == 0x20 || command == 0x21, family <= 3, transport <= 2 else { throw ProxyHeaderError() }
        guard bytes.count >= byteCount else { return nil }
        // The rest of a LOCAL header is to be discarded, and so is that of one whose protocol is unspecified.
        if command == 0x20 || family == 0 || transport == 0 { return ProxyHeader(client: .peer, byteCount: byteCount) }
        let rest = bytes.extracting(fixedByteCount..<byteCount)
        return ProxyHeader(client: try client(ofFamily: family, in: rest), byteCount: byteCount)
    }

    /// Source and destination address and both ports, then what the sender appends. A datagram's addresses (a QUIC
    /// client's, say) are laid out as those of a stream.
    private static func client(ofFamily family: UInt8, in rest: Span<UInt8>) throws(ProxyHeaderError) -> Client {
        let addressBytes =
            switch family {
            case 1: 4
            case 2: 16
            default: 108
            }
        let blockBytes = 2 * addressBytes + (family == 3 ? 0 : 4)
        guard rest.count >= blockBytes else { throw ProxyHeaderError() }
        try skipExtensions(rest.extracting(blockBytes...))
        if family == 3 { return .unixSocket }
        var bits: UInt128 = 0
        for index in 0..<addressBytes { bits = bits << 8 | UInt128(rest[index]) }
        return .address(family == 1 ? IPAddress(ipv4: UInt32(bits)) : IPAddress(bits: bits))
    }

    /// Type, length, value, until the header ends: none is read, but each has to end within it (§2.2.7).
    private static func skipExtensions(_ bytes: Span<UInt8>) throws(ProxyHeaderError) {
        var position = 0
        while position < bytes.count {
            guard bytes.count - position >= 3 else { throw ProxyHeaderError() }
            position += 3 + bytes.bigEndian16(at: position + 1)
        }
        guard position == bytes.count else { throw ProxyHeaderError() }
    }
}

extension Span where Element == UInt8 {
    /// Whether the two hold the same bytes as far as both go.
    fileprivate func agrees(with other: Span<UInt8>) -> Bool {
        let shared = Swift.min(count, other.count)
        return extracting(first: shared).equals(other.extracting(first: shared))
    }

    fileprivate func bigEndian16(at index: Int) -> Int { Int(self[index]) << 8 | Int(self[index + 1]) }
}
