// Bytes to a response head (RFC 9112 §4–§6), as strictly as a request's: an upstream that is misread poisons the
// connection for the next client.
//
// One pass, resumable at every byte; nothing beyond `headBytesMax` is ever looked at. No empty line is skipped before
// the status line: after a response whose end is known there is none.

internal import Bytes

/// Parses one response head after another from an upstream connection's bytes.
public struct ResponseHeadParser: ~Copyable {
    private enum Phase { case version, statusCode, reasonStart, reason, lineEnd, fields }

    /// Complete once `parse` has returned true; of no meaning before that, and another's after `reset()`.
    public let head = ResponseHead()
    private let headBytesMax: Int
    private let fieldCountMax: Int
    private var phase = Phase.version
    private var position = 0
    /// Where the part of the status line that `phase` is in started.
    private var partStart = 0
    private var section = FieldSection(at: 0)

    /// `headBytesMax` bounds the head with its empty line, `fieldCountMax` the field lines.
    public init(headBytesMax: Int, fieldCountMax: Int = 100) {
        precondition(headBytesMax > 0 && headBytesMax <= Int(Int32.max) && fieldCountMax > 0)
        self.headBytesMax = headBytesMax
        self.fieldCountMax = fieldCountMax
        head.fields.reserveCapacity(min(fieldCountMax, 32))
    }

    /// True: `head` is complete; false: more bytes are needed. `bytes` always starts at the first byte of the head,
    /// and holds at least what it held in the call before. Once true it stays true until `reset()`; after an error
    /// only `reset()` makes sense.
    ///
    /// `requestMethod` is that of the request answered: a response to HEAD has no body.
    public mutating func parse(_ bytes: Span<UInt8>, requestMethod: Method) throws(ResponseError) -> Bool {
        let limit = min(bytes.count, headBytesMax)
        guard try parseStatusLine(bytes, upTo: limit), try parseFields(bytes, upTo: limit) else {
            if limit < headBytesMax { return false }
            throw ResponseError(.headTooLarge, "the head is too large")
        }
        head.byteCount = section.position
        try head.applyFields(bytes, requestMethod: requestMethod)
        return true
    }

    /// Ready for the next head; the field storage is kept.
    public mutating func reset() {
        head.removeAll()
        phase = .version
        position = 0
        partStart = 0
    }

    /// Version SP status-code [SP [reason]] CRLF (RFC 9112 §4); true once it has been read. The second space is
    /// optional here, as servers that have no reason leave it away.
    private mutating func parseStatusLine(_ bytes: Span<UInt8>, upTo limit: Int) throws(ResponseError) -> Bool {
        while position < limit {
            let byte = bytes[position]
            switch phase {
            case .version:
                if position == partStart { position = bytes.skipCommonVersion(from: position, upTo: limit) }
                if bytes[position] == ASCII.space {
                    try endVersion(bytes)
                    continue
                }
                guard position &- partStart < 8, bytes[position] > ASCII.space else {
                    throw ResponseError(.malformed, "the HTTP version is malformed")
                }
                position &+= 1
            case .statusCode:
                let digits = position &- partStart
                guard digits < 3 else {
                    try endStatusCode(byte)
                    continue
                }
                guard ASCII.isDigit(byte) else {
                    throw ResponseError(.malformed, "the status code is not three digits")
                }
                head.statusCode = head.statusCode &* 10 &+ Int(byte &- 0x30)
                position &+= 1
            case .reasonStart:
                startPart(.reason, at: position &+ 1)
            case .reason:
                position = bytes.firstControl(from: position, upTo: limit)
                if position == limit { return false }
                guard bytes[position] == ASCII.cr else {
                    throw ResponseError(.malformed, "a control character in the status line")
                }
                head.reason = ByteRange(partStart..<position)
                startPart(.lineEnd, at: position &+ 1)
            case .lineEnd:
                guard byte == ASCII.lf else { throw ResponseError(.malformed, "a bare CR in the status line") }
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

    private mutating func parseFields(_ bytes: Span<UInt8>, upTo limit: Int) throws(ResponseError) -> Bool {
        do {
            return try section.parse(
                bytes, upTo: limit, fieldCountMax: fieldCountMax, into: &head.fields, kinds: &head.kinds)
        } catch {
            switch error {
            case .malformed(let detail): throw ResponseError(.malformed, detail)
            case .tooManyFields: throw ResponseError(.headTooLarge, "the head has too many fields")
            }
        }
    }

    private mutating func startPart(_ next: Phase, at start: Int) {
        phase = next
        partStart = start
        position = start
    }

    private mutating func endVersion(_ bytes: Span<UInt8>) throws(ResponseError) {
        switch VersionToken(bytes.extracting(partStart..<position)) {
        case .spoken(let version): head.version = version
        case .notSpoken: throw ResponseError(.unsupportedVersion, "neither HTTP/1.0 nor HTTP/1.1")
        case .malformed: throw ResponseError(.malformed, "the HTTP version is malformed")
        }
        startPart(.statusCode, at: position &+ 1)
    }

    /// `byte` follows the third digit.
    private mutating func endStatusCode(_ byte: UInt8) throws(ResponseError) {
        guard head.statusCode >= 100 && head.statusCode <= 599 else {
            throw ResponseError(.malformed, "the status code is not within 100 and 599")
        }
        switch byte {
        case ASCII.space: phase = .reasonStart
        case ASCII.cr: startPart(.lineEnd, at: position &+ 1)
        default: throw ResponseError(.malformed, "the status code is not three digits")
        }
    }
}
