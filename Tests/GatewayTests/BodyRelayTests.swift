import Admission
import Bytes
import HTTPWire
import Testing

@testable import Gateway

/// A body in, the same body out, in whatever framing; whole and one byte at a time.
@Suite struct BodyRelayTests {
    private func relay(
        _ input: String, _ incoming: BodyFraming, as outgoing: BodyFraming, step: Int, closes: Bool = false,
        trailers: TrailerRule = .fromBackend
    ) throws -> (output: String, left: String, relay: BodyRelay) {
        var relay = BodyRelay()
        relay.start(incoming, as: outgoing, trailers: trailers)
        let (source, sink) = try feed(input, to: &relay, step: step)
        if closes { relay.finishAtClose(to: sink) }
        return (sink.readable.text(), source.readable.text(), relay)
    }

    /// Moves `input` through, `step` bytes at a time; what is left of it, and what has come out.
    private func feed(
        _ input: String, to relay: inout BodyRelay, step: Int
    ) throws -> (source: ByteBuffer, sink: ByteBuffer) {
        let source = ByteBuffer(capacity: 16)
        let sink = ByteBuffer(capacity: 16)
        var rest = Array(input.utf8)[...]
        while !rest.isEmpty {
            source.append(Array(rest.prefix(step)))
            rest = rest.dropFirst(step)
            try relay.move(from: source, to: sink, outputBytesMax: 1 << 20)
        }
        return (source, sink)
    }

    @Test("a body of known length leaves what follows it alone", arguments: [1, 3, 64])
    func length(step: Int) throws {
        let result = try relay("helloNEXT", .length(5), as: .length(5), step: step)
        #expect(result.output == "hello")
        #expect(result.left == "NEXT")
        #expect(result.relay.isFinished)
        #expect(result.relay.bodyBytes == 5)
    }

    @Test("a chunked body is decoded and written in canonical chunks, without extensions", arguments: [1, 64])
    func chunked(step: Int) throws {
        let result = try relay(
            "5;x=y\r\nhello\r\n006\r\n world\r\n0\r\nX-T: 1\r\n\r\nNEXT", .chunked, as: .chunked, step: step, trailers: .none)
        #expect(result.left == "NEXT")
        #expect(result.relay.isFinished)
        #expect(result.relay.bodyBytes == 11)
        if step == 64 { #expect(result.output == "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n") }
        #expect(result.output.hasSuffix("0\r\n\r\n"))
    }

    @Test("trailers go on behind the last chunk, where there is one", arguments: [1, 64])
    func trailers(step: Int) throws {
        let body = "2\r\nhi\r\n0\r\nX-Sum:  1 \r\nContent-Length: 5\r\nServer-Timing: a\r\n\r\nNEXT"
        let result = try relay(body, .chunked, as: .chunked, step: step)
        #expect(result.output.hasSuffix("\r\n0\r\nX-Sum: 1\r\nServer-Timing: a\r\n\r\n"))
        #expect(result.left == "NEXT")
        #expect(try relay(body, .chunked, as: .untilClose, step: step).output == "hi")
    }

    @Test("what fills an empty output is handed over, not copied")
    func handedOver() throws {
        let source = ByteBuffer(capacity: 64)
        let sink = ByteBuffer(capacity: 1)
        var relay = BodyRelay()
        relay.start(.length(8), as: .length(8), trailers: .none)
        source.append("01234")
        try relay.move(from: source, to: sink, outputBytesMax: 100)
        #expect(sink.capacity == 64 && sink.readable.text() == "01234" && source.isEmpty)
        source.append("567NEXT")
        try relay.move(from: source, to: sink, outputBytesMax: 100)
        #expect(sink.readable.text() == "01234567" && source.readable.text() == "NEXT")
        #expect(relay.isFinished && relay.bodyBytes == 8)
    }

    @Test("a chunked body for a client that cannot read chunks goes out bare", arguments: [1, 64])
    func unchunked(step: Int) throws {
        let result = try relay("5\r\nhello\r\n0\r\n\r\n", .chunked, as: .untilClose, step: step)
        #expect(result.output == "hello")
        #expect(result.relay.isFinished)
    }

    @Test("a body that ends with its connection is chunked, and whole only once the connection has ended")
    func untilClose() throws {
        let open = try relay("hello", .untilClose, as: .chunked, step: 64)
        #expect(open.output == "5\r\nhello\r\n")
        #expect(!open.relay.isFinished)
        let closed = try relay("hello", .untilClose, as: .chunked, step: 64, closes: true)
        #expect(closed.output == "5\r\nhello\r\n0\r\n\r\n")
        #expect(closed.relay.isFinished)
    }

    @Test("no body is finished at once", arguments: [BodyFraming.none, .length(0)])
    func none(framing: BodyFraming) throws {
        let result = try relay("NEXT", framing, as: framing, step: 64)
        #expect(result.relay.isFinished)
        #expect(result.output.isEmpty)
        #expect(result.left == "NEXT")
    }

    @Test("a full output stops the source, within one piece of it")
    func backpressure() throws {
        var relay = BodyRelay()
        relay.start(.length(1_000_000), as: .length(1_000_000), trailers: .none)
        let source = ByteBuffer(capacity: 1000)
        let sink = ByteBuffer(capacity: 1000)
        var moved = 0
        for _ in 0..<100 {
            source.append([UInt8](repeating: 1, count: 1000))
            try relay.move(from: source, to: sink, outputBytesMax: 5000)
            moved += 1
            if !source.isEmpty { break }
        }
        #expect(sink.count == 5000)
        #expect(moved == 6)
    }

    @Test("a broken chunk is an error, and what came before it has been moved", arguments: ["zz\r\n", "5\r\nhelloX\r\n"])
    func broken(text: String) {
        #expect(throws: ChunkError.self) { try relay(text, .chunked, as: .chunked, step: 64) }
    }

    // MARK: Compressed

    private static let documents = String(repeating: "{\"name\":\"value\"},", count: 4000)

    @Test(
        "a compressed body is shorter, in chunks, and whole, however it came and in whatever pieces",
        arguments: [BodyFraming.length(UInt64(documents.utf8.count)), .chunked, .untilClose], [100, 16_384])
    func compressed(incoming: BodyFraming, step: Int) throws {
        let size = String(Self.documents.utf8.count, radix: 16)
        let input = incoming == .chunked ? "\(size)\r\n\(Self.documents)\r\n0\r\n\r\n" : Self.documents
        var relay = BodyRelay()
        relay.start(incoming, as: .chunked, trailers: .fromBackendCompressed, through: try BodyCompressor(level: 1))
        let (_, sink) = try feed(input, to: &relay, step: step)
        if incoming == .untilClose { relay.finishAtClose(to: sink) }
        #expect(relay.isFinished)
        let body = try dechunked(sink)
        #expect(body.count < Self.documents.utf8.count / 10)
        #expect(UInt64(body.count) == relay.bodyBytes)
        // Its end is gzip's: the length of what was compressed (RFC 1952 §2.3.1).
        #expect(body.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) } == Self.documents.utf8.count)
    }

    @Test("a pause of the source brings out what was held, and nothing twice")
    func pause() throws {
        var relay = BodyRelay()
        relay.start(.chunked, as: .chunked, trailers: .fromBackendCompressed, through: try BodyCompressor(level: 1))
        let source = ByteBuffer(capacity: 16)
        let sink = ByteBuffer(capacity: 16)
        relay.flush(to: sink)
        #expect(sink.isEmpty)
        source.append("5\r\nhello\r\n")
        try relay.move(from: source, to: sink, outputBytesMax: 1 << 20)
        #expect(sink.isEmpty)
        relay.flush(to: sink)
        let count = sink.count
        #expect(count > 0)
        relay.flush(to: sink)
        #expect(sink.count == count)
    }

    @Test("a full output stops the source of a compressed body too")
    func backpressureOfCompressed() throws {
        var state: UInt64 = 3
        let noise = (0..<200_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
        var relay = BodyRelay()
        relay.start(.length(1 << 30), as: .chunked, trailers: .fromBackendCompressed, through: try BodyCompressor(level: 1))
        let source = ByteBuffer(capacity: 16)
        let sink = ByteBuffer(capacity: 16)
        var fed = 0
        while source.isEmpty {
            source.append(Array(noise[fed..<fed + 16_384]))
            fed += 16_384
            try relay.move(from: source, to: sink, outputBytesMax: 65_536)
        }
        #expect(sink.count >= 65_536)
        #expect(sink.count < 65_536 + 3 * 16_384)
    }

    private func dechunked(_ sink: ByteBuffer) throws -> [UInt8] {
        var decoder = ChunkedDecoder()
        var body: [UInt8] = []
        while true {
            switch try decoder.next(sink.readable) {
            case .needMore: throw ChunkError(.malformed, "no last chunk")
            case .data(let consumed, let payload):
                body += sink.readable.slice(payload).copied()
                sink.consume(consumed)
            case .end(let consumed, _):
                sink.consume(consumed)
                #expect(sink.isEmpty)
                return body
            }
        }
    }
}

@Suite struct CompressorPoolTests {
    @Test("so many bodies are compressed at once, and a few compressors are kept")
    func bounds() throws {
        let pool = CompressorPool(level: 1)
        var taken: [BodyCompressor] = []
        while let compressor = try pool.take() { taken.append(compressor) }
        #expect(taken.count == CompressorPool.inUseMax)
        pool.give(back: taken.removeLast())
        let again = try pool.take()
        #expect(again != nil)
        #expect(try pool.take() == nil)
        for compressor in taken { pool.give(back: compressor) }
        #expect(pool.inUse == 1)
        #expect(pool.spareCount == CompressorPool.sparesMax)
    }

    @Test("a compressor that was given back in the middle of a body starts the next one afresh")
    func abandoned() throws {
        let pool = CompressorPool(level: 1)
        let first = try #require(try pool.take())
        first.append(Array("a secret".utf8).span)
        first.flush()
        pool.give(back: first)
        let second = try #require(try pool.take())
        #expect(second === first)
        #expect(second.output.isEmpty)
        second.flush()
        #expect(second.output.isEmpty)
    }
}
