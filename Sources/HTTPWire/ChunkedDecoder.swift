public import Bytes

/// Why a chunked body is refused. Nothing after the error can be trusted to be a message boundary.
public struct ChunkError: Error, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// Breaks the grammar of RFC 9112 §7.1.
        case malformed
        /// Chunk extensions beyond their cap.
        case extensionsTooLarge
        /// A trailer section beyond its cap of bytes or fields.
        case trailersTooLarge
    }

    public var kind: Kind
    /// What was wrong: a constant text that holds nothing the peer sent.
    public var detail: String

    public init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

public struct ChunkedDecoder {
    public enum Step: Sendable, Equatable {
        /// Framing up to `consumed` is done with; call again with what follows it, once there is more.
        case needMore(consumed: Int)
        /// A piece of the body, which lies inside `bytes[0..<consumed]`. Call again with what follows.
        case data(consumed: Int, payload: ByteRange)
        /// The body is over. The trailers' ranges count from the first byte of `bytes`; those that a trailer section
        /// must not hold (`FieldKind.isForbiddenInTrailer`) have been dropped.
        case end(consumed: Int, trailers: [Field])
    }

    let trailerBytesMax: Int

    public init(trailerBytesMax: Int = 8192) {
        self.trailerBytesMax = trailerBytesMax
    }

    public mutating func next(_ bytes: Span<UInt8>) throws(ChunkError) -> Step {
        if bytes.count > trailerBytesMax { throw ChunkError(.trailersTooLarge, "trailer section too large") }
        return .needMore(consumed: 0)
    }

    /// Ready for the next body.
    public mutating func reset() {}
}
