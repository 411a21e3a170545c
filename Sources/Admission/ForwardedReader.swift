// The elements of a Forwarded field (RFC 7239 §4), strictly: what does not parse as a whole says nothing.

internal import Bytes
internal import HTTPWire

/// One proxy's element: places in the bytes of the head, quotes not included.
struct ForwardedElement {
    var node: ByteRange?
    var scheme: ByteRange?
    var host: ByteRange?
}

/// Reads the elements of one field line, from the first to the last.
struct ForwardedReader: ~Escapable {
    private let bytes: Span<UInt8>
    private let end: Int
    private var position: Int
    private(set) var isMalformed = false

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, _ value: ByteRange) {
        self.bytes = bytes
        position = value.lowerBound
        end = value.upperBound
    }

    /// The next element; nil at the end, or where the value is malformed.
    mutating func next() -> ForwardedElement? {
        skip(isSpace: true)
        guard position < end else { return nil }
        var element = ForwardedElement()
        repeat {
            guard readPair(into: &element) else {
                isMalformed = true
                return nil
            }
        } while take(UInt8(ascii: ";"))
        skip(isSpace: true)
        guard position == end || take(UInt8(ascii: ",")) else {
            isMalformed = true
            return nil
        }
        return element
    }

    /// `token "=" ( token / quoted-string )`, without white space. A parameter may occur once (§4).
    private mutating func readPair(into element: inout ForwardedElement) -> Bool {
        guard let name = readToken(), take(UInt8(ascii: "=")), let value = readQuoted() ?? readToken() else {
            return false
        }
        let isNew: Bool
        switch bytes.slice(name) {
        case let name where name.equalsIgnoringCase("for"): isNew = element.node.set(value)
        case let name where name.equalsIgnoringCase("proto"): isNew = element.scheme.set(value)
        case let name where name.equalsIgnoringCase("host"): isNew = element.host.set(value)
        default: isNew = true
        }
        return isNew
    }

    private mutating func readToken() -> ByteRange? {
        let start = position
        skip(isSpace: false)
        return position > start ? ByteRange(start..<position) : nil
    }

    /// What is between quotes. No address, scheme or host needs an escape, so that one is part of neither.
    private mutating func readQuoted() -> ByteRange? {
        guard position < end, bytes[position] == UInt8(ascii: "\"") else { return nil }
        var cursor = position + 1
        while cursor < end, bytes[cursor] != UInt8(ascii: "\"") {
            cursor += bytes[cursor] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard cursor < end else { return nil }
        let inside = ByteRange(position + 1..<cursor)
        position = cursor + 1
        return inside
    }

    private mutating func skip(isSpace: Bool) {
        while position < end {
            let byte = bytes[position]
            guard isSpace ? byte == ASCII.space || byte == ASCII.tab : ASCII.isToken(byte) else { return }
            position += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < end, bytes[position] == byte else { return false }
        position += 1
        return true
    }
}

extension ByteRange? {
    /// False: there is a value already.
    fileprivate mutating func set(_ value: ByteRange) -> Bool {
        guard self == nil else { return false }
        self = value
        return true
    }
}
