// One body on its way through: decoded from the framing it came in, compressed where it is to be, written in the
// framing it leaves in.

import Admission
import Bytes
import HTTPWire

struct BodyRelay {
    private enum Source {
        case finished
        case length(UInt64)
        case chunked
        case untilClose
    }

    private var source = Source.finished
    private var decoder = ChunkedDecoder()
    private var writesChunks = false
    private var trailers = TrailerRule.none
    private var compressor: BodyCompressor?
    /// Bytes of the body as it leaves, without framing.
    private(set) var bodyBytes: UInt64 = 0

    /// Whether the whole body, its end included, has been moved.
    var isFinished: Bool {
        if case .finished = source { return true }
        return false
    }

    /// Whether the end of the source's connection is the end of the body.
    var endsWithConnection: Bool {
        if case .untilClose = source { return true }
        return false
    }

    var isCompressed: Bool { compressor != nil }

    /// - Parameters:
    ///   - trailers: which of a chunked body's trailer fields go on, where the outgoing framing has a place for them.
    ///   - compressor: of a body that leaves compressed, and so in chunks.
    mutating func start(
        _ incoming: BodyFraming, as outgoing: BodyFraming, trailers: TrailerRule, through compressor: BodyCompressor? = nil
    ) {
        precondition(compressor == nil || outgoing == .chunked)
        bodyBytes = 0
        writesChunks = outgoing == .chunked
        self.trailers = trailers
        self.compressor = compressor
        switch incoming {
        case .none: source = .finished
        case .length(let length): source = length == 0 ? .finished : .length(length)
        case .chunked:
            decoder.reset()
            source = .chunked
        case .untilClose: source = .untilClose
        }
    }

    /// Moves what is in `input` until it is empty, the body has ended, or `output` holds `outputBytesMax` or more
    /// (which it exceeds by at most what one piece of the input comes to).
    ///
    /// - Throws: `ChunkError` where the chunked coding is broken. What was moved before that stays in `output`.
    mutating func move(from input: ByteBuffer, to output: ByteBuffer, outputBytesMax: Int) throws(ChunkError) {
        while !input.isEmpty, output.count < outputBytesMax {
            switch source {
            case .finished:
                return
            case .length(let remaining):
                let count = Int(min(remaining, UInt64(input.count)))
                pass(count, from: input, to: output)
                source = .length(remaining - UInt64(count))
                if remaining == UInt64(count) { finish(output) }
            case .chunked:
                switch try decoder.next(input.readable) {
                case .needMore(let consumed):
                    input.consume(consumed)
                    if consumed == 0 || input.isEmpty { return }
                case .data(let consumed, let payload):
                    append(input.readable.slice(payload), to: output)
                    input.consume(consumed)
                case .end(let consumed, let fields):
                    finishContent(output)
                    if writesChunks {
                        output.appendLastChunkLine()
                        trailers.append(fields, from: input.readable, to: output)
                        output.appendLineEnd()
                    }
                    input.consume(consumed)
                }
            case .untilClose:
                pass(input.count, from: input, to: output)
            }
        }
    }

    /// The source's connection has ended, and with it a body that is delimited so.
    mutating func finishAtClose(to output: ByteBuffer) {
        precondition(endsWithConnection)
        finish(output)
    }

    /// The source pauses: what the compressor still holds of the body goes out, or it would wait for what may be long
    /// in coming.
    mutating func flush(to output: ByteBuffer) {
        guard let compressor else { return }
        compressor.flush()
        appendCompressed(from: compressor, to: output)
    }

    /// Gives up the compressor, for another body.
    mutating func releaseCompressor() -> BodyCompressor? {
        defer { compressor = nil }
        return compressor
    }

    private mutating func finish(_ output: ByteBuffer) {
        finishContent(output)
        if writesChunks { output.appendLastChunk() }
    }

    private mutating func finishContent(_ output: ByteBuffer) {
        source = .finished
        guard let compressor else { return }
        compressor.finish()
        appendCompressed(from: compressor, to: output)
    }

    /// The next `count` bytes are the body's. Where they are all there is on both sides the buffers are traded, as copying
    /// them would be most of the work on a long body.
    private mutating func pass(_ count: Int, from input: ByteBuffer, to output: ByteBuffer) {
        if !writesChunks, output.isEmpty, count == input.count {
            bodyBytes += UInt64(count)
            input.exchangeContents(with: output)
        } else {
            append(input.readable.extracting(first: count), to: output)
            input.consume(count)
        }
    }

    private mutating func append(_ bytes: Span<UInt8>, to output: ByteBuffer) {
        if let compressor {
            compressor.append(bytes)
            if compressor.output.count >= BodyCompressor.chunkBytes { appendCompressed(from: compressor, to: output) }
        } else {
            write(bytes, to: output)
        }
    }

    private mutating func appendCompressed(from compressor: BodyCompressor, to output: ByteBuffer) {
        let compressed = compressor.output
        write(compressed.readable, to: output)
        compressed.removeAll()
    }

    private mutating func write(_ bytes: Span<UInt8>, to output: ByteBuffer) {
        guard !bytes.isEmpty else { return }
        bodyBytes += UInt64(bytes.count)
        if writesChunks { output.appendChunkSizeLine(UInt64(bytes.count)) }
        output.append(bytes)
        if writesChunks { output.appendLineEnd() }
    }
}
