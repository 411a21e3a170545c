// The chunked transfer coding (RFC 9112 §7.1), read strictly.
//
// Narrower than the grammar where parsers are known to differ: no white space in a chunk's line (the BWS of chunk
// extensions), at most 16 digits of size, every line ended by CRLF. Extensions are checked, counted and dropped:
// nothing here uses them, and unbounded ones are a way to keep a connection busy without a body.
//
// Resumable at every byte. Framing is consumed as it is read; only a trailer section stays in the caller's bytes
// until it is complete, as its fields are handed out as ranges.

public import Bytes

/// Takes the chunked coding off one body after another.
public struct ChunkedDecoder: Sendable {
    /// What a call of `next` found.
    public enum Step: Sendable, Equatable {
        /// Framing up to `consumed` is done with; call again with what follows it, once there is more than now.
        /// Up to `trailerBytesMax` bytes may stay unconsumed.
        case needMore(consumed: Int)
        /// A piece of the body, which lies inside `bytes[0..<consumed]`. Call again with what follows.
        case data(consumed: Int, payload: ByteRange)
        /// The body is over. The trailers' ranges count from the first byte of `bytes`; those that a trailer section
        /// must not hold (`FieldKind.isForbiddenInTrailer`) have been dropped.
        case end(consumed: Int, trailers: [Field])
    }

    /// Bytes of extension that one chunk may have.
    public static let chunkExtensionBytesMax = 256
    /// Bytes of extension that all chunks of a body may have.
    public static let extensionBytesMax = 65536
    /// Lines that a trailer section may have.
    public static let trailerCountMax = 64

    private enum Phase {
        case sizeStart, size
        case extensionName, extensionValueStart, extensionToken, extensionQuoted, extensionEscape, extensionQuotedEnd
        case sizeLineEnd, data, dataEnd, dataLineEnd, trailers, end
    }

    private let trailerBytesMax: Int
    private var phase = Phase.sizeStart
    /// The size being read, then the bytes of the chunk that are still to come.
    private var remaining: UInt64 = 0
    private var digits = 0
    /// Whether the name or the value that `phase` is in has a byte yet.
    private var partIsEmpty = true
    private var chunkExtensionBytes = 0
    private var extensionBytes = 0
    private var section = FieldSection(at: 0)
    private var trailers: [Field] = []

    /// `trailerBytesMax` bounds the trailer section with its empty line.
    public init(trailerBytesMax: Int = 8192) {
        precondition(trailerBytesMax >= 2 && trailerBytesMax <= Int(Int32.max))
        self.trailerBytesMax = trailerBytesMax
    }

    /// Ready for the next body.
    public mutating func reset() {
        self = ChunkedDecoder(trailerBytesMax: trailerBytesMax)
    }

    /// Reads on. `bytes` starts with the first byte that no step before has consumed. After `end`, and after an
    /// error, only `reset()` makes sense.
    public mutating func next(_ bytes: Span<UInt8>) throws(ChunkError) -> Step {
        precondition(phase != .end)
        var cursor = 0
        while cursor < bytes.count {
            switch phase {
            case .data:
                return takeData(bytes, from: cursor)
            case .trailers:
                return try readTrailers(bytes, from: cursor)
            default:
                try readFraming(bytes[cursor])
                cursor &+= 1
            }
        }
        return .needMore(consumed: cursor)
    }

    private mutating func takeData(_ bytes: Span<UInt8>, from start: Int) -> Step {
        let count = Int(min(remaining, UInt64(bytes.count &- start)))
        remaining &-= UInt64(count)
        if remaining == 0 { phase = .dataEnd }
        return .data(consumed: start &+ count, payload: ByteRange(offset: start, count: count))
    }

    /// The section's positions count from `start`, which stays the first unconsumed byte until the section is whole.
    private mutating func readTrailers(_ bytes: Span<UInt8>, from start: Int) throws(ChunkError) -> Step {
        let rest = bytes.extracting(start...)
        var kinds = FieldKindSet()
        let isComplete: Bool
        do {
            isComplete = try section.parse(
                rest, upTo: min(rest.count, trailerBytesMax), fieldCountMax: Self.trailerCountMax, into: &trailers,
                kinds: &kinds)
        } catch {
            switch error {
            case .malformed(let detail): throw ChunkError(.malformed, detail)
            case .tooManyFields: throw ChunkError(.trailersTooLarge, "too many trailers")
            }
        }
        guard isComplete else {
            if rest.count >= trailerBytesMax { throw ChunkError(.trailersTooLarge, "the trailers are too large") }
            return .needMore(consumed: start)
        }
        phase = .end
        trailers.removeAll { $0.kind.isForbiddenInTrailer }
        for index in trailers.indices {
            trailers[index].name.offset += UInt32(start)
            trailers[index].value.offset += UInt32(start)
        }
        return .end(consumed: start &+ section.position, trailers: trailers)
    }

    private mutating func readFraming(_ byte: UInt8) throws(ChunkError) {
        switch phase {
        case .sizeStart, .size:
            try readSize(byte)
        case .sizeLineEnd:
            guard byte == ASCII.lf else { throw ChunkError(.malformed, "a bare CR in a chunk's line") }
            endSizeLine()
        case .dataEnd:
            guard byte == ASCII.cr else { throw ChunkError(.malformed, "no CRLF after a chunk's data") }
            phase = .dataLineEnd
        case .dataLineEnd:
            guard byte == ASCII.lf else { throw ChunkError(.malformed, "no CRLF after a chunk's data") }
            phase = .sizeStart
        default:
            try readExtension(byte)
        }
    }

    private mutating func readSize(_ byte: UInt8) throws(ChunkError) {
        if let digit = ASCII.hexValue(byte) {
            guard digits < 16 else { throw ChunkError(.malformed, "a chunk size of more than 16 digits") }
            remaining = remaining &<< 4 | UInt64(digit)
            digits &+= 1
            phase = .size
            return
        }
        guard phase == .size else { throw ChunkError(.malformed, "a chunk size is not a hexadecimal number") }
        switch byte {
        case ASCII.cr: phase = .sizeLineEnd
        case UInt8(ascii: ";"): try startExtension()
        default: throw ChunkError(.malformed, "a chunk size is not a hexadecimal number")
        }
    }

    private mutating func endSizeLine() {
        digits = 0
        chunkExtensionBytes = 0
        if remaining > 0 {
            phase = .data
        } else {
            section = FieldSection(at: 0)
            phase = .trailers
        }
    }

    private mutating func startExtension() throws(ChunkError) {
        try countExtensionByte()
        phase = .extensionName
        partIsEmpty = true
    }

    private mutating func countExtensionByte() throws(ChunkError) {
        chunkExtensionBytes &+= 1
        extensionBytes &+= 1
        guard chunkExtensionBytes <= Self.chunkExtensionBytesMax, extensionBytes <= Self.extensionBytesMax else {
            throw ChunkError(.extensionsTooLarge, "the chunk extensions are too large")
        }
    }

    /// `*( ";" name [ "=" ( token / quoted-string ) ] )` (RFC 9112 §7.1.1), up to the CR.
    private mutating func readExtension(_ byte: UInt8) throws(ChunkError) {
        let canEnd: Bool
        switch phase {
        case .extensionQuoted:
            try countExtensionByte()
            try checkQuoted(byte)
            if byte == UInt8(ascii: "\"") { phase = .extensionQuotedEnd }
            if byte == UInt8(ascii: "\\") { phase = .extensionEscape }
            return
        case .extensionEscape:
            try countExtensionByte()
            try checkQuoted(byte)
            phase = .extensionQuoted
            return
        case .extensionValueStart where byte == UInt8(ascii: "\""):
            try countExtensionByte()
            phase = .extensionQuoted
            return
        case .extensionQuotedEnd:
            canEnd = true
        default:
            if ASCII.isToken(byte) {
                try countExtensionByte()
                partIsEmpty = false
                if phase == .extensionValueStart { phase = .extensionToken }
                return
            }
            canEnd = !partIsEmpty
        }
        switch byte {
        case ASCII.cr where canEnd:
            phase = .sizeLineEnd
        case UInt8(ascii: ";") where canEnd:
            try startExtension()
        case UInt8(ascii: "=") where canEnd && phase == .extensionName:
            try countExtensionByte()
            phase = .extensionValueStart
            partIsEmpty = true
        default:
            throw ChunkError(.malformed, "a malformed chunk extension")
        }
    }

    private func checkQuoted(_ byte: UInt8) throws(ChunkError) {
        guard byte == ASCII.tab || (byte >= ASCII.space && byte != 0x7F) else {
            throw ChunkError(.malformed, "a control character in a chunk extension")
        }
    }
}
