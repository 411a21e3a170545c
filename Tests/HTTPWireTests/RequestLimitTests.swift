// Limits of a request head: they hold at the exact byte, and while the head is still incomplete.

import FuzzTargets
import HTTPWire
import Testing

@Suite struct RequestLimitTests {
    @Test func `A head of exactly the largest size is taken, one byte more is not`() {
        let bytes = octets("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "y", count: 50))\r\n\r\n")
        let fits = parseRequest(bytes, limits: Limits(headBytesMax: bytes.count))
        guard case .head = fits else { return #expect(Bool(false), "\(fits)") }
        #expect(parseRequestByteByByte(bytes, limits: Limits(headBytesMax: bytes.count)) == fits)
        for way in [parseRequest, parseRequestByteByByte] {
            guard case .refused(let error) = way(bytes, Limits(headBytesMax: bytes.count - 1)) else {
                Issue.record("not refused")
                continue
            }
            #expect(error.kind == .headerTooLarge)
        }
    }

    @Test func `What follows a head does not count against it`() {
        let head = octets("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let outcome = parseRequest(head + [UInt8](repeating: 0, count: 4096), limits: Limits(headBytesMax: head.count))
        #expect(outcome == parseRequest(head))
    }

    @Test func `A target of exactly the largest size is taken, one byte more is not`() {
        func request(_ count: Int) -> [UInt8] {
            octets("GET /\(String(repeating: "a", count: count - 1)) HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        guard case .head = parseRequest(request(64), limits: Limits(targetBytesMax: 64)) else {
            return #expect(Bool(false), "a target of the largest size is refused")
        }
        for way in [parseRequest, parseRequestByteByByte] {
            guard case .refused(let error) = way(request(65), Limits(targetBytesMax: 64)) else {
                Issue.record("not refused")
                continue
            }
            #expect(error.kind == .uriTooLong)
        }
    }

    @Test(arguments: [
        ("GET /", "a", RequestError.Kind.uriTooLong), ("GET /?", "%41", .uriTooLong), ("", "A", .headerTooLarge),
        ("GET / HTTP/1.1\r\n", "N", .headerTooLarge), ("GET / HTTP/1.1\r\nX: ", "v", .headerTooLarge),
        ("GET / HTTP/1.1\r\nX:", " ", .headerTooLarge), ("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", .headerTooLarge),
        ("GET / HTTP/1.1\r\nX:", "\t", .headerTooLarge),
    ])
    func `A head without an end is refused at the limit`(start: String, filler: String, kind: RequestError.Kind) {
        let bytes = octets(start + String(repeating: filler, count: 1 << 20 / filler.utf8.count))
        guard case .refused(let error) = parseRequest(bytes) else { return #expect(Bool(false), "not refused") }
        #expect(error.kind == kind)
        // At the limit, not only once everything has arrived.
        let early = parseRequestByteByByte(Array(bytes[..<32768]))
        #expect(early == .refused(error))
    }

    @Test func `A target that fills the head is the target's fault`() {
        let bytes = octets("GET /" + String(repeating: "a", count: 200))
        guard case .refused(let error) = parseRequest(bytes, limits: Limits(headBytesMax: 128)) else {
            return #expect(Bool(false), "not refused")
        }
        #expect(error.kind == .uriTooLong)
    }

    @Test func `As many fields as allowed are taken, one more is not`() {
        func request(_ count: Int) -> [UInt8] {
            octets("GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: y\r\n", count: count - 1))\r\n")
        }
        guard case .head(let head) = parseRequest(request(100)) else {
            return #expect(Bool(false), "100 fields are refused")
        }
        #expect(head.fields.count == 100)
        for way in [parseRequest, parseRequestByteByByte] {
            guard case .refused(let error) = way(request(101), Limits()) else {
                Issue.record("not refused")
                continue
            }
            #expect(error.kind == .headerTooLarge)
        }
    }

    @Test func `What lies beyond the limit is never looked at`() {
        let head = octets("GET / HTTP/1.1\r\nHost: a\r\nX: ")
        let limits = Limits(headBytesMax: head.count + 8)
        let clean = parseRequest(head + octets("12345678 more"), limits: limits)
        #expect(parseRequest(head + octets("12345678\u{00}"), limits: limits) == clean)
    }

    @Test(arguments: [
        ("", "A", " / HTTP/1.1\r\nHost: a\r\n\r\n"), ("GET /", "a", " HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("GET / HTTP/1.1\r\nHost: a\r\n", "N", ": v\r\n\r\n"),
        ("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ", "t", "\r\n\r\n"),
    ])
    func `Bytes that were looked at are not looked at again until their line is whole`(
        start: String, filler: String, end: String
    ) throws {
        let clean = octets(start + String(repeating: filler, count: 4000) + end)
        var bytes = clean
        var parser = RequestHeadParser(headBytesMax: 32768)
        let run = start.utf8.count..<(start.utf8.count + 4000)
        // Behind the parser's back every byte of the run turns into one that it would refuse.
        for length in 1...run.upperBound {
            #expect(try !parser.parse(bytes.span.extracting(..<length)))
            if run.contains(length - 1) { bytes[length - 1] = 0 }
        }
        #expect(try parser.parse(clean.span))
        #expect(parseRequest(clean) == .head(parser.head))
    }

    @Test func `A head of 32 KB is taken byte by byte`() {
        let start = octets("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ")
        let bytes = start + [UInt8](repeating: UInt8(ascii: "t"), count: 32768 - start.count - 4) + octets("\r\n\r\n")
        let outcome = parseRequestByteByByte(bytes)
        guard case .head(let head) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(head.byteCount == 32768)
        #expect(outcome == parseRequest(bytes))
    }
}
