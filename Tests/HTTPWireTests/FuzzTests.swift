// Bounded, seeded fuzzing: nothing traps, the verdict does not depend on how the bytes were cut, and what is accepted
// reads the same once it has been written anew.

import Bytes
import HTTPWire
import Testing

private let requests = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /a/b?c=d HTTP/1.1\r\nHost: a.example:8080\r\nContent-Length: 5\r\nAuthorization: Bearer a.b.c\r\n\r\nhello",
    "PUT /x HTTP/1.1\r\nhost:a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n0\r\n\r\n",
    "GET http://a/x?y HTTP/1.1\r\nHost: a\r\nConnection: close, X-One\r\nX-One: \t1 \r\n\r\n",
    "GET /%41%c3 HTTP/1.0\r\nConnection: keep-alive\r\nX:\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nOrigin: https://b\r\n\r\n",
    "\r\nGET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Protocol: x, y\r\n\r\n",
].map(octets)

private let responses = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\n\r\n",
    "HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 204 \r\n\r\n",
].map(octets)

private let bodies = [
    "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "1;a=b\r\nx\r\nA;c=\"d\\\"\"\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
    "3\r\n\r\n\r\r\n00\r\nHost: a\r\nY: z\r\n\r\n",
    "10;x\r\n0123456789abcdef\r\n2\r\nab\r\n0;z\r\n\r\nGET / HTTP/1.1\r\n",
].map(octets)

/// What a head says, apart from where it says it.
private struct Meaning: Equatable {
    var line: [String]
    var fields: [String]
    var body: BodyFraming
    var flags: [Bool]

    init(_ head: RequestHead, in bytes: [UInt8]) {
        line = [text(bytes, head.methodName), text(bytes, head.target), text(bytes, head.path)]
        line +=
            [head.query, head.authority].map { $0.map { text(bytes, $0) } ?? "-" } + ["\(head.method) \(head.version)"]
        fields = head.fields.map { "\(text(bytes, $0.name)): \(text(bytes, $0.value)) \($0.kind)" }
        body = head.body
        flags = [head.isPersistent, head.expectsContinue, head.hasUpgrade]
    }
}

/// The head written anew, its framing from what was understood rather than from what was sent.
private func rewrite(_ head: RequestHead, _ bytes: [UInt8], framing: Bool) -> [UInt8] {
    let out = ByteBuffer(capacity: 512)
    for part in [head.methodName, head.target] {
        out.append(bytes.span.slice(part))
        out.append(ASCII.space)
    }
    out.append(head.version == .http11 ? "HTTP/1.1\r\n" : "HTTP/1.0\r\n")
    for field in head.fields {
        if framing && (field.kind == .contentLength || field.kind == .transferEncoding) {
            out.appendFramingField(head.body)
        } else {
            out.appendFieldLine(bytes.span.slice(field.name), bytes.span.slice(field.value))
        }
    }
    out.appendLineEnd()
    return out.readable.copied()
}

@Suite struct FuzzTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `Mutated requests get one verdict, and those accepted read the same again`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var acceptedCount = 0
        for _ in 0..<6000 {
            let bytes = mutate(requests, using: &generator)
            let limits = Limits(headBytesMax: 200, targetBytesMax: 40, fieldCountMax: 6)
            let whole = parseRequest(bytes, limits: limits)
            let inPieces = parseRequest(bytes, growingTo: arrivals(of: bytes.count, using: &generator), limits: limits)
            if inPieces != whole { Issue.record("\(octetText(bytes)): \(whole), in pieces \(inPieces)") }
            guard case .head(let head) = whole else { continue }
            acceptedCount += 1
            let again = rewrite(head, bytes, framing: false)
            guard case .head(let reread) = parseRequest(again) else {
                Issue.record("\(octetText(bytes)): refused as rewritten")
                continue
            }
            if Meaning(reread, in: again) != Meaning(head, in: bytes) || reread.byteCount != again.count {
                Issue.record("\(octetText(bytes)): read differently as rewritten")
            }
            let canonical = rewrite(head, bytes, framing: true)
            guard case .head(let framed) = parseRequest(canonical), framed.body == head.body else {
                Issue.record("\(octetText(bytes)): framed differently as rewritten")
                continue
            }
        }
        #expect(acceptedCount > 500, "the mutations are too wild to test anything")
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `Mutated responses get one verdict`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var acceptedCount = 0
        for _ in 0..<6000 {
            let bytes = mutate(responses, using: &generator)
            let limits = Limits(headBytesMax: 150, fieldCountMax: 5)
            let method = [HTTPWire.Method.get, .head, .post].randomElement(using: &generator)!
            let whole = parseResponse(bytes, growingTo: CollectionOfOne(bytes.count), to: method, limits: limits)
            let lengths = arrivals(of: bytes.count, using: &generator)
            let inPieces = parseResponse(bytes, growingTo: lengths, to: method, limits: limits)
            if inPieces != whole { Issue.record("\(octetText(bytes)): \(whole), in pieces \(inPieces)") }
            if case .head = whole { acceptedCount += 1 }
        }
        #expect(acceptedCount > 500, "the mutations are too wild to test anything")
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `Mutated chunked bodies get one verdict, and those accepted read the same again`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var acceptedCount = 0
        for _ in 0..<6000 {
            let bytes = mutate(bodies, using: &generator)
            let whole = decodeChunked(bytes, trailerBytesMax: 40)
            let lengths = arrivals(of: bytes.count, using: &generator)
            let inPieces = decodeChunked(bytes, growingTo: lengths, trailerBytesMax: 40)
            if !inPieces.agrees(with: whole) { Issue.record("\(octetText(bytes)): \(whole), in pieces \(inPieces)") }
            guard case .complete(let trailers) = whole.end else { continue }
            acceptedCount += 1
            let out = ByteBuffer(capacity: 64)
            if !whole.payload.isEmpty {
                out.appendChunkSizeLine(UInt64(whole.payload.count))
                out.append(whole.payload)
                out.appendLineEnd()
            }
            out.appendLastChunkLine()
            for trailer in trailers {
                out.append(octets(trailer))
                out.appendLineEnd()
            }
            out.appendLineEnd()
            let again = decodeChunked(out.readable.copied())
            if again != Decoded(payload: whole.payload, consumed: out.count, end: whole.end) {
                Issue.record("\(octetText(bytes)): read differently as rewritten")
            }
        }
        #expect(acceptedCount > 500, "the mutations are too wild to test anything")
    }
}

private func octetText(_ bytes: [UInt8]) -> String {
    text(bytes, ByteRange(0..<bytes.count)).debugDescription
}
