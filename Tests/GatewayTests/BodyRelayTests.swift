import Bytes
import HTTPWire
import Testing

@testable import Gateway

/// A body in, the same body out, in whatever framing; whole and one byte at a time.
@Suite struct BodyRelayTests {
    private func relay(
        _ input: String, _ incoming: BodyFraming, as outgoing: BodyFraming, step: Int, closes: Bool = false
    ) throws -> (output: String, left: String, relay: BodyRelay) {
        var relay = BodyRelay()
        relay.start(incoming, as: outgoing)
        let source = ByteBuffer(capacity: 16)
        let sink = ByteBuffer(capacity: 16)
        var rest = Array(input.utf8)[...]
        while !rest.isEmpty {
            source.append(Array(rest.prefix(step)))
            rest = rest.dropFirst(step)
            try relay.move(from: source, to: sink, outputBytesMax: 1 << 20)
        }
        if closes { relay.finishAtClose(to: sink) }
        return (sink.readable.text(), source.readable.text(), relay)
    }

    @Test("a body of known length leaves what follows it alone", arguments: [1, 3, 64])
    func length(step: Int) throws {
        let result = try relay("helloNEXT", .length(5), as: .length(5), step: step)
        #expect(result.output == "hello")
        #expect(result.left == "NEXT")
        #expect(result.relay.isFinished)
        #expect(result.relay.bodyBytes == 5)
    }

    @Test("a chunked body is decoded and written in canonical chunks, without extensions and trailers", arguments: [1, 64])
    func chunked(step: Int) throws {
        let result = try relay(
            "5;x=y\r\nhello\r\n006\r\n world\r\n0\r\nX-T: 1\r\n\r\nNEXT", .chunked, as: .chunked, step: step)
        #expect(result.left == "NEXT")
        #expect(result.relay.isFinished)
        #expect(result.relay.bodyBytes == 11)
        if step == 64 { #expect(result.output == "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n") }
        #expect(result.output.hasSuffix("0\r\n\r\n"))
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
        relay.start(.length(1_000_000), as: .length(1_000_000))
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
}

@Suite struct RequestIDTests {
    @Test("identifiers are 32 hexadecimal digits and differ")
    func differ() {
        var generator = RequestIDGenerator()
        var seen: Set<[UInt8]> = []
        for _ in 0..<1_000 {
            let characters = RequestID(using: &generator).characters
            let text = characters.span.copied()
            #expect(text.allSatisfy { ASCII.hexValue($0) != nil })
            seen.insert(text)
        }
        #expect(seen.count == 1_000)
    }
}
