// The chunked coding: what is taken off, what is refused, and that the pieces it arrives in change nothing.

import Bytes
import FuzzTargets
import HTTPWire
import Testing

/// Decodes in every way of cutting the bytes once, and byte by byte: all must come to the same.
private func decodeEveryWay(
    _ body: String, trailerBytesMax: Int = 8192, sourceLocation: SourceLocation = #_sourceLocation
) -> Decoded {
    let bytes = octets(body)
    let whole = decodeChunked(bytes, trailerBytesMax: trailerBytesMax)
    for cut in bytes.indices {
        let inTwo = decodeChunked(bytes, growingTo: [cut, bytes.count], trailerBytesMax: trailerBytesMax)
        #expect(inTwo.agrees(with: whole), "cut at \(cut)", sourceLocation: sourceLocation)
    }
    let byBytes = decodeChunked(bytes, growingTo: 0...bytes.count, trailerBytesMax: trailerBytesMax)
    #expect(byBytes.agrees(with: whole), "byte by byte", sourceLocation: sourceLocation)
    return whole
}

@Suite struct ChunkedDecoderTests {
    @Test(arguments: [
        ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"), ("1\r\na\r\n2\r\nbc\r\n00\r\n\r\n", "abc"),
        ("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
        ("000000000000000c\r\n\r\n\r\n\r\n0\r\nX\r\n\r\n0\r\n\r\n", "\r\n\r\n\r\n0\r\nX\r\n"),
    ])
    func `Chunks become the body they carry`(body: String, payload: String) {
        let decoded = decodeEveryWay(body)
        #expect(decoded.end == .complete(trailers: []))
        #expect(decoded.payload == octets(payload))
        #expect(decoded.consumed == body.utf8.count)
    }

    @Test(arguments: [
        "5;a\r\n", "5;a=b\r\n", "5;a;b;c\r\n", "5;a=b;c\r\n", "5;a=\"\"\r\n", "5;a=\"b;c=d\"\r\n",
        "5;a=\"\\\"\\\\\"\r\n",
        "5;a=\"b\";c=\"d\"\r\n", "5;a=\"\t \u{80}\u{FF}\"\r\n", "5;chunk-signature=0123456789abcdef\r\n",
    ])
    func `Well-formed extensions are dropped`(line: String) {
        #expect(decodeEveryWay("\(line)hello\r\n0;x=y\r\n\r\n").end == .complete(trailers: []))
    }

    @Test(arguments: [
        // Sizes.
        "\r\nhello\r\n", ";a\r\n", "0x5\r\nhello\r\n", "+5\r\nhello\r\n", "-0\r\n\r\n", "-5\r\nhello\r\n", "0_2e\r\n",
        " 5\r\nhello\r\n",
        "\t5\r\nhello\r\n", "5 \r\nhello\r\n", "5\t\r\nhello\r\n", "g\r\n", "5h\r\n", "10000000000000000\r\n",
        "00000000000000005\r\nhello\r\n",
        "fffffffffffffffff\r\n", "5,5\r\n", "\u{00}5\r\n", "\u{B2}\r\n",
        // Line ends.
        "5\nhello\r\n", "5\rhello\r\n", "5\r\r\nhello\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello!\r\n", "5\r\nhello\r\r\n", "5\r\nhello\n\r\n", "0\n\r\n", "0\r\n\n", "0\r\n\rX", "0\r\r\n\r\n",
        "0\r\nXX\r\n", "\n0\r\n\r\n",
        // Extensions.
        "5;\r\nhello\r\n", "5;;a\r\n", "5;a;\r\n", "5;=b\r\n", "5;a=\r\n", "5;a=;b\r\n", "5;a=b=c\r\n", "5; a\r\n",
        "5 ;a\r\n", "5;a =b\r\n",
        "5;a= b\r\n", "5;a b\r\n", "5;a\n", "5;a\rb\r\n", "5;a\r\r\n", "5;\u{00}\r\n", "5;a=\u{00}\r\n",
        "5;a=\"\u{00}\"\r\n", "5;a=\"\r\n\"\r\n",
        "5;a=\"\n\"\r\n", "5;a=\"\\\r\"\r\n", "5;a=\"\\\n\"\r\n", "5;a=\"b\"c\r\n", "5;a=\"b\"=c\r\n", "5;a=b\"c\"\r\n",
        "5;\"a\"\r\n", "5;\u{80}\r\n",
        "5;a=\u{80}\r\n", "5;a=\"\u{7F}\"\r\n", "5;(\r\n",
        // Trailers.
        "0\r\nX: y\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\n X: y\r\n\r\n", "0\r\nX: y\r\n z\r\n\r\n", "0\r\n: y\r\n\r\n",
        "0\r\nX: \u{00}\r\n\r\n",
        "0\r\nX\u{80}: y\r\n\r\n", "0\r\nTransfer_Encoding: chunked\r\n\r\n", "0\r\n__proto__: x\r\n\r\n",
        "0\r\nX: y\rz\r\n\r\n",
    ])
    func `What breaks the grammar is malformed`(body: String) {
        let prefixed = "1\r\na\r\n\(body)"
        for attempt in [body, prefixed] {
            guard case .refused(let error) = decodeEveryWay(attempt).end else {
                Issue.record("not refused: \(attempt.debugDescription)")
                continue
            }
            #expect(error.kind == .malformed)
        }
    }

    @Test func `The largest size is 64 bits`() {
        let decoded = decodeEveryWay("ffffffffffffffff\r\nhello")
        #expect(decoded == Decoded(payload: octets("hello"), consumed: 23, end: .incomplete))
    }

    @Test func `Every beginning of a body waits for more`() {
        let bytes = octets("5;a=\"b\"\r\nhello\r\n0\r\nX: y\r\n\r\n")
        for count in 0..<bytes.count {
            #expect(decodeChunked(bytes, growingTo: [count]).end == .incomplete)
        }
    }

    @Test func `What follows a body is not its own`() {
        let body = "1\r\na\r\n0\r\n\r\n"
        let decoded = decodeChunked(octets(body + "GET / HTTP/1.1\r\n"))
        #expect(decoded == Decoded(payload: octets("a"), consumed: body.utf8.count, end: .complete(trailers: [])))
    }

    @Test func `Trailers are fields`() {
        let decoded = decodeEveryWay("3\r\nabc\r\n0\r\nServer-Timing: db;dur=5 \r\nX-Checksum:\tf00\r\n\r\n")
        #expect(decoded.end == .complete(trailers: ["Server-Timing: db;dur=5", "X-Checksum: f00"]))
    }

    @Test func `Trailers that frame, route, authorise or control are dropped`() {
        let decoded = decodeEveryWay(
            "0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nX-Kept: 1\r\nAuthorization: Bearer x\r\n"
                + "Connection: X-Kept\r\nProxy-Authorization: x\r\nCookie: x\r\nUpgrade: h2c\r\nX-Forwarded-For: 1\r\n\r\n"
        )
        #expect(decoded.end == .complete(trailers: ["X-Kept: 1"]))
    }

    @Test func `A trailer section has a largest size and count`() {
        let fits = "0\r\nX: 345\r\n\r\n"
        #expect(decodeEveryWay(fits, trailerBytesMax: 10).end == .complete(trailers: ["X: 345"]))
        let large = ["0\r\nX: 3456\r\n\r\n", "0\r\nX: " + String(repeating: "y", count: 100)].map {
            decodeEveryWay($0, trailerBytesMax: 10).end
        }
        let many = decodeEveryWay(
            "0\r\n" + String(repeating: "X: y\r\n", count: ChunkedDecoder.trailerCountMax + 1) + "\r\n"
        ).end
        for end in large + [many] {
            guard case .refused(let error) = end else {
                Issue.record("not refused: \(end)")
                continue
            }
            #expect(error.kind == .trailersTooLarge)
        }
    }

    @Test func `The extensions of one chunk have a largest size`() {
        let cap = ChunkedDecoder.chunkExtensionBytesMax
        #expect(
            decodeEveryWay("1;" + String(repeating: "a", count: cap - 1) + "\r\na\r\n0\r\n\r\n").end
                == .complete(trailers: []))
        let shapes = [
            "1;" + String(repeating: "a", count: cap), "1;a=" + String(repeating: "b", count: cap),
            "1;a=\"" + String(repeating: "b", count: cap), "1;a=\"" + String(repeating: "\\b", count: cap),
            "1" + String(repeating: ";a", count: cap),
        ]
        for shape in shapes {
            guard case .refused(let error) = decodeEveryWay(shape).end else {
                Issue.record("not refused: \(shape)")
                continue
            }
            #expect(error.kind == .extensionsTooLarge)
        }
    }

    @Test func `The extensions of all chunks together have a largest size`() {
        let chunk = octets("1;\(String(repeating: "a", count: 127))\r\na\r\n")
        let chunkCount = ChunkedDecoder.extensionBytesMax / 128
        let fits = Array(repeatElement(chunk, count: chunkCount).joined())
        #expect(decodeChunked(fits + octets("0\r\n\r\n")).end == .complete(trailers: []))
        guard case .refused(let error) = decodeChunked(fits + octets("0;a\r\n\r\n")).end else {
            return #expect(Bool(false), "not refused")
        }
        #expect(error.kind == .extensionsTooLarge)
    }

    @Test func `A decoder is as new after a reset`() throws {
        var decoder = ChunkedDecoder()
        #expect(try decoder.next(octets("1;a").span) == .needMore(consumed: 3))
        #expect(throws: ChunkError.self) { _ = try decoder.next(octets("\n").span) }
        decoder.reset()
        #expect(try decoder.next(octets("0\r\n\r\n").span) == .end(consumed: 5, trailers: []))
    }
}
