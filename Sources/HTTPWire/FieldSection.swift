// The field lines of a head or a trailer section, up to and including the empty line (RFC 9112 §5).
//
// Strict: a line ends in CRLF and nothing else; no line folding (§5.2), no white space before the colon (§5.1), no
// name that is not a token, no control in a value. Of the names that some backends read as another one than was
// written, those that could frame a message are refused.
//
// Resumable: what has been looked at is not looked at again, whatever pieces the bytes arrive in, and the verdict
// does not depend on the pieces.

internal import Bytes

/// Why a field section is refused.
enum FieldFault: Error {
    case malformed(String)
    case tooManyFields
}

/// Where the reading of a field section stands. Positions count from the first byte of the caller's bytes.
struct FieldSection: Sendable {
    private enum Phase { case lineStart, name, value, lineEnd, sectionEnd, ended }

    private var phase = Phase.lineStart
    /// All before it has been looked at. After the section's end: the first byte behind it.
    private(set) var position: Int
    private var nameStart = 0
    private var valueStart = 0

    /// A section whose first line starts at `position`.
    init(at position: Int) {
        self.position = position
    }

    /// Reads on, up to `limit`; true when the section has ended. Fields are appended to `fields` as their lines end.
    mutating func parse(
        _ bytes: Span<UInt8>, upTo limit: Int, fieldCountMax: Int, into fields: inout [Field],
        kinds: inout FieldKindSet
    ) throws(FieldFault) -> Bool {
        while position < limit {
            switch phase {
            case .lineStart:
                let byte = bytes[position]
                if byte == ASCII.cr {
                    phase = .sectionEnd
                    position &+= 1
                } else if isWhitespace(byte) {
                    throw .malformed("a line of the head starts with white space")
                } else if fields.count >= fieldCountMax {
                    throw .tooManyFields
                } else {
                    nameStart = position
                    phase = .name
                }
            case .name:
                position = bytes.firstNonToken(from: position, upTo: limit)
                if position == limit { return false }
                guard bytes[position] == ASCII.colon else { throw nameFault(bytes[position]) }
                if position == nameStart { throw .malformed("a field has no name") }
                position &+= 1
                valueStart = position
                phase = .value
                fallthrough
            case .value:
                position = bytes.firstControl(from: position, upTo: limit)
                if position == limit { return false }
                guard bytes[position] == ASCII.cr else { throw valueFault(bytes[position]) }
                try appendField(bytes, into: &fields, kinds: &kinds)
                position &+= 1
                phase = .lineEnd
                fallthrough
            case .lineEnd:
                if position == limit { return false }
                guard bytes[position] == ASCII.lf else { throw .malformed("a field line holds a bare CR") }
                position &+= 1
                phase = .lineStart
            case .sectionEnd:
                guard bytes[position] == ASCII.lf else { throw .malformed("a bare CR starts a line of the head") }
                position &+= 1
                phase = .ended
            case .ended:
                return true
            }
        }
        return phase == .ended
    }

    /// The line's name ends before the colon and its value before the CR at `position`.
    private func appendField(
        _ bytes: Span<UInt8>, into fields: inout [Field], kinds: inout FieldKindSet
    ) throws(FieldFault) {
        let name = ByteRange(nameStart..<valueStart &- 1)
        var start = valueStart
        var end = position
        while start < end, isWhitespace(bytes[start]) { start &+= 1 }
        while start < end, isWhitespace(bytes[end &- 1]) { end &-= 1 }
        let kind = FieldKind(name: bytes.slice(name))
        if kind == .other, let fault = deceptiveNameFault(bytes.slice(name)) { throw fault }
        fields.append(Field(name: name, value: ByteRange(start..<end), kind: kind))
        kinds.insert(kind)
    }
}

private func nameFault(_ byte: UInt8) -> FieldFault {
    switch byte {
    case ASCII.cr, ASCII.lf: .malformed("a field line has no colon")
    case ASCII.space, ASCII.tab: .malformed("white space in a field name or before its colon")
    default: .malformed("a byte in a field name that is not allowed there")
    }
}

private func valueFault(_ byte: UInt8) -> FieldFault {
    byte == ASCII.lf
        ? .malformed("a field line ends in a bare LF") : .malformed("a control character in a field value")
}

/// A name that is nobody's here, and somebody's at a backend.
private func deceptiveNameFault(_ name: Span<UInt8>) -> FieldFault? {
    switch name.count {
    case 9 where name.equalsIgnoringCase("__proto__"):
        // As a member of an object it replaces the object's prototype: some versions of Node crash on it.
        .malformed("a field named __proto__")
    case 14 where name.imitates("content", "length", at: 7), 17 where name.imitates("transfer", "encoding", at: 8):
        // CGI-style environments read `Content_Length` as `Content-Length`: a second framing that nobody checked.
        .malformed("a field name that imitates a framing field")
    default:
        nil
    }
}

extension Span where Element == UInt8 {
    /// Whether the bytes are two words, in any case, around one byte that is not alphanumeric at `place`.
    fileprivate func imitates(_ first: StaticString, _ second: StaticString, at place: Int) -> Bool {
        !ASCII.isAlphanumeric(self[place]) && extracting(..<place).equalsIgnoringCase(first)
            && extracting((place &+ 1)...).equalsIgnoringCase(second)
    }
}
