// What leaves is in one canonical spelling, whatever it came in.

import Bytes
import FuzzTargets
import HTTPWire
import Testing

private func written(_ write: (ByteBuffer) -> Void) -> String {
    let buffer = ByteBuffer(capacity: 4)
    write(buffer)
    return buffer.readable.text()
}

@Suite struct SerialisingTests {
    @Test func `Status lines, field lines and chunk lines are spelled canonically`() {
        #expect(written { $0.appendStatusLine(200, reason: "OK") } == "HTTP/1.1 200 OK\r\n")
        #expect(written { $0.appendStatusLine(599, reason: octets("").span) } == "HTTP/1.1 599 \r\n")
        #expect(written { $0.appendFieldLine(octets("X-a").span, octets("b c").span) } == "X-a: b c\r\n")
        #expect(written { $0.appendFieldLine("X-a", octets("").span) } == "X-a: \r\n")
        #expect(written { $0.appendFieldLine("X-a", "b") } == "X-a: b\r\n")
        #expect(written { $0.appendFramingField(.length(.max)) } == "Content-Length: 18446744073709551615\r\n")
        #expect(written { $0.appendFramingField(.length(0)) } == "Content-Length: 0\r\n")
        #expect(written { $0.appendFramingField(.chunked) } == "Transfer-Encoding: chunked\r\n")
        #expect(written { $0.appendFramingField(.none) }.isEmpty)
        #expect(written { $0.appendFramingField(.untilClose) }.isEmpty)
        #expect(written { $0.appendChunkSizeLine(0x1F_A0) } == "1fa0\r\n")
        #expect(
            written {
                $0.appendLastChunkLine()
                $0.appendLineEnd()
            } == "0\r\n\r\n")
        #expect(written { $0.appendLastChunk() } == "0\r\n\r\n")
    }

    @Test(arguments: [
        ("GET /a?b=c HTTP/1.1", "GET /a?b=c HTTP/1.1\r\n"), ("GET /? HTTP/1.0", "GET /? HTTP/1.1\r\n"),
        ("PUT http://a/x?y HTTP/1.1", "PUT /x?y HTTP/1.1\r\n"), ("GET http://a HTTP/1.1", "GET / HTTP/1.1\r\n"),
        ("GET http://a?q HTTP/1.1", "GET /?q HTTP/1.1\r\n"), ("OPTIONS http://a HTTP/1.1", "OPTIONS * HTTP/1.1\r\n"),
        ("OPTIONS http://a?q HTTP/1.1", "OPTIONS /?q HTTP/1.1\r\n"), ("OPTIONS * HTTP/1.1", "OPTIONS * HTTP/1.1\r\n"),
        ("x-y // HTTP/1.1", "x-y // HTTP/1.1\r\n"),
    ])
    func `A request line goes on in origin-form`(line: String, canonical: String) {
        let bytes = octets("\(line)\r\nHost: a\r\n\r\n")
        guard case .head(let head) = parseRequest(bytes) else { return #expect(Bool(false), "refused") }
        #expect(written { $0.appendRequestLine(head, from: bytes.span) } == canonical)
    }

    @Test(arguments: [1, 15, 16, 4096, 1 << 40] as [UInt64])
    func `A chunk size reads back as what was written`(size: UInt64) throws {
        let buffer = ByteBuffer(capacity: 32)
        buffer.appendChunkSizeLine(size)
        buffer.append("x")
        var decoder = ChunkedDecoder()
        let line = buffer.count - 1
        #expect(
            try decoder.next(buffer.readable) == .data(consumed: line + 1, payload: ByteRange(offset: line, count: 1)))
    }
}
