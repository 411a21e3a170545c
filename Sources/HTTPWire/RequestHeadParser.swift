// Bytes to a request head (RFC 9112 §2–§6), strictly: what could be read in two ways is refused.
//
// One pass, resumable at every byte: `position` remembers how far it looked, and which error a head has does not
// depend on the pieces it arrives in, as every check is made at a place in the bytes, not at the end of a piece.
// Limits hold while the head is incomplete: nothing beyond `headBytesMax` is ever looked at.
//
// One empty line (CRLF) before the request line is skipped, as RFC 9112 §2.2 asks for the sake of clients that end a
// body with one. It is part of `byteCount`. A second one is an error.

internal import Bytes

/// Parses one request head after another from a connection's bytes.
public struct RequestHeadParser: ~Copyable {
    private enum Phase { case leading, leadingEnd, method, target, version, lineEnd, fields }

    /// Complete once `parse` has returned true; of no meaning before that, and another's after `reset()`.
    public let head = RequestHead()
    /// Changed between two heads only.
    public var headBytesMax: Int {
        didSet { precondition(Self.isBound(headBytesMax)) }
    }
    private let targetBytesMax: Int
    private let fieldCountMax: Int
    private var phase = Phase.leading
    private var position = 0
    /// Where the part of the request line that `phase` is in started.
    private var partStart = 0
    private var section = FieldSection(at: 0)

    /// `headBytesMax` bounds the head with its empty lines, `targetBytesMax` the request-target, `fieldCountMax` the
    /// field lines.
    public init(headBytesMax: Int, targetBytesMax: Int = 8192, fieldCountMax: Int = 100) {
        precondition(Self.isBound(headBytesMax) && targetBytesMax > 0 && fieldCountMax > 0)
        self.headBytesMax = headBytesMax
        self.targetBytesMax = targetBytesMax
        self.fieldCountMax = fieldCountMax
        head.fields.reserveCapacity(min(fieldCountMax, 32))
    }

    /// True: `head` is complete; false: more bytes are needed. `bytes` always starts at the first byte of the head,
    /// and holds at least what it held in the call before. Once true it stays true until `reset()`; after an error
    /// only `reset()` makes sense.
    public mutating func parse(_ bytes: Span<UInt8>) throws(RequestError) -> Bool {
        let limit = min(bytes.count, headBytesMax)
        guard try parseRequestLine(bytes, upTo: limit), try parseFields(bytes, upTo: limit) else {
            if limit < headBytesMax { return false }
            throw phase == .target ? tooLongTarget : RequestError(.headerTooLarge, "the head is too large")
        }
        head.byteCount = section.position
        try head.applyFields(bytes)
        return true
    }

    /// Ready for the next head; the field storage is kept.
    public mutating func reset() {
        head.removeAll()
        phase = .leading
        position = 0
    }

    private static func isBound(_ bytes: Int) -> Bool { bytes > 0 && bytes <= Int(Int32.max) }

    private var tooLongTarget: RequestError { RequestError(.uriTooLong, "the request-target is too long") }

    /// Method SP target SP version CRLF (RFC 9112 §3), one space each; true once it has been read.
    private mutating func parseRequestLine(_ bytes: Span<UInt8>, upTo limit: Int) throws(RequestError) -> Bool {
        while position < limit {
            switch phase {
            case .leading:
                if bytes[position] == ASCII.cr {
                    position &+= 1
                    phase = .leadingEnd
                } else {
                    startPart(.method, at: position)
                }
            case .leadingEnd:
                guard bytes[position] == ASCII.lf else {
                    throw RequestError(.badRequest, "a bare CR before the request line")
                }
                startPart(.method, at: position &+ 1)
            case .method:
                position = bytes.firstNonToken(from: position, upTo: limit)
                if position == limit { return false }
                guard bytes[position] == ASCII.space, position > partStart else {
                    throw RequestError(.badRequest, "the method is not a token")
                }
                try endMethod(bytes)
            case .target:
                position = bytes.firstNonTarget(
                    from: position, upTo: min(limit, partStart &+ targetBytesMax &+ 1))
                if position &- partStart > targetBytesMax { throw tooLongTarget }
                if position == limit { return false }
                guard bytes[position] == ASCII.space else {
                    throw RequestError(.badRequest, "a byte in the request-target that is not allowed there")
                }
                try endTarget(bytes)
            case .version:
                if position == partStart { position = bytes.skipCommonVersion(from: position, upTo: limit) }
                // Eight bytes and a CR: the ninth byte decides at the latest.
                guard bytes[position] != ASCII.cr else {
                    try endVersion(bytes)
                    continue
                }
                guard position &- partStart < 8, bytes[position] > ASCII.space else {
                    throw RequestError(.badRequest, "the HTTP version is malformed")
                }
                position &+= 1
            case .lineEnd:
                guard bytes[position] == ASCII.lf else {
                    throw RequestError(.badRequest, "a bare CR in the request line")
                }
                position &+= 1
                section = FieldSection(at: position)
                phase = .fields
                return true
            case .fields:
                return true
            }
        }
        return phase == .fields
    }

    private mutating func parseFields(_ bytes: Span<UInt8>, upTo limit: Int) throws(RequestError) -> Bool {
        do {
            return try section.parse(
                bytes, upTo: limit, fieldCountMax: fieldCountMax, into: &head.fields, kinds: &head.kinds)
        } catch {
            switch error {
            case .malformed(let detail): throw RequestError(.badRequest, detail)
            case .tooManyFields: throw RequestError(.headerTooLarge, "the head has too many fields")
            }
        }
    }

    private mutating func startPart(_ next: Phase, at start: Int) {
        phase = next
        partStart = start
        position = start
    }

    private mutating func endMethod(_ bytes: Span<UInt8>) throws(RequestError) {
        head.methodName = ByteRange(partStart..<position)
        head.method = Method(name: bytes.slice(head.methodName))
        // Before the target is looked at: CONNECT has one of its own form, and neither is for a reverse proxy.
        if head.method == .connect || head.method == .trace {
            throw RequestError(.methodNotAllowed, "CONNECT and TRACE are not served")
        }
        // Reserved for the connection preface, whatever its target (RFC 9113 §11.6).
        if bytes.slice(head.methodName).equals("PRI") {
            throw RequestError(.unsupportedVersion, "HTTP/2 is not spoken on this port")
        }
        startPart(.target, at: position &+ 1)
    }

    private mutating func endTarget(_ bytes: Span<UInt8>) throws(RequestError) {
        head.target = ByteRange(partStart..<position)
        let parts = try RequestTarget(head.target, of: head.method, in: bytes)
        head.path = parts.path
        head.query = parts.query
        head.authority = parts.authority
        startPart(.version, at: position &+ 1)
    }

    private mutating func endVersion(_ bytes: Span<UInt8>) throws(RequestError) {
        switch VersionToken(bytes.extracting(partStart..<position)) {
        case .spoken(let version): head.version = version
        case .notSpoken: throw RequestError(.unsupportedVersion, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        case .malformed: throw RequestError(.badRequest, "the HTTP version is malformed")
        }
        startPart(.lineEnd, at: position &+ 1)
    }
}

extension Method {
    /// The method of that name, case-sensitive; `other` for every other token.
    public init(name: Span<UInt8>) {
        switch name.count {
        case 3: self = name.equals("GET") ? .get : name.equals("PUT") ? .put : .other
        case 4: self = name.equals("POST") ? .post : name.equals("HEAD") ? .head : .other
        case 5: self = name.equals("PATCH") ? .patch : name.equals("TRACE") ? .trace : .other
        case 6: self = name.equals("DELETE") ? .delete : .other
        case 7: self = name.equals("OPTIONS") ? .options : name.equals("CONNECT") ? .connect : .other
        default: self = .other
        }
    }
}
