// Upstream responses: which are passed on, how their bodies end, and which are not believed.

import Bytes
import FuzzTargets
import HTTPWire
import Testing

private func accepted(
    _ response: String, to method: HTTPWire.Method = .get, sourceLocation: SourceLocation = #_sourceLocation
) throws -> ResponseHead {
    let bytes = octets(response)
    let whole = parseResponse(bytes, growingTo: CollectionOfOne(bytes.count), to: method)
    guard case .head(let head) = whole else {
        Issue.record("\(whole)", sourceLocation: sourceLocation)
        throw Refused()
    }
    #expect(parseResponse(bytes, growingTo: 0...bytes.count, to: method) == whole, sourceLocation: sourceLocation)
    return head
}

private struct Refused: Error {}

private func expectRefused(
    _ response: String, _ kind: ResponseError.Kind, to method: HTTPWire.Method = .get, limits: Limits = Limits(),
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let bytes = octets(response)
    let whole = parseResponse(bytes, growingTo: CollectionOfOne(bytes.count), to: method, limits: limits)
    guard case .refused(let error) = whole else {
        Issue.record("not refused: \(whole)", sourceLocation: sourceLocation)
        return
    }
    #expect(error.kind == kind, sourceLocation: sourceLocation)
    let byBytes = parseResponse(bytes, growingTo: 0...bytes.count, to: method, limits: limits)
    #expect(byBytes == whole, sourceLocation: sourceLocation)
}

@Suite struct ResponseHeadTests {
    @Test func `A head is taken apart into places in its bytes`() throws {
        let response = "HTTP/1.1 404 Not  Found\u{E9}\t!\r\nContent-Type: text/plain \r\nContent-Length: 3\r\n\r\nabc"
        let bytes = octets(response)
        let head = try accepted(response)
        #expect(head.statusCode == 404)
        #expect(text(bytes, head.reason) == "Not  Found\u{E9}\t!")
        #expect(head.version == .http11)
        #expect(head.fields.map { text(bytes, $0.name) } == ["Content-Type", "Content-Length"])
        #expect(head.fields.map { text(bytes, $0.value) } == ["text/plain", "3"])
        #expect(head.body == .length(3))
        #expect(head.isPersistent && !head.isInformational && !head.isSwitchingProtocols)
        #expect(head.byteCount == bytes.count - 3)
        #expect(head.first(.contentType) == head.fields[0] && head.count(of: .contentLength) == 1)
    }

    @Test(arguments: [("HTTP/1.1 200 \r\n\r\n", ""), ("HTTP/1.1 200\r\n\r\n", ""), ("HTTP/1.0 200  x \r\n\r\n", " x ")])
    func `The reason may be missing`(response: String, reason: String) throws {
        #expect(text(octets(response), try accepted(response).reason) == reason)
    }

    @Test(arguments: [
        (200, "", Method.get, BodyFraming.untilClose), (200, "Content-Length: 5\r\n", .get, .length(5)),
        (200, "Content-Length: 0\r\n", .get, .length(0)), (200, "Transfer-Encoding: Chunked\r\n", .get, .chunked),
        (599, "Content-Length: 00012\r\n", .post, .length(12)), (404, "", .put, .untilClose),
        (200, "Content-Length: 5\r\n", .head, .none), (200, "Transfer-Encoding: chunked\r\n", .head, .none),
        (200, "", .head, .none), (304, "Content-Length: 5\r\n", .get, .none),
        (304, "Transfer-Encoding: chunked\r\n", .get, .none),
        (204, "", .get, .none), (204, "Content-Length: 0\r\n", .delete, .none), (100, "", .put, .none),
        (103, "Link: x\r\n", .get, .none),
        (101, "Upgrade: websocket\r\nConnection: upgrade\r\n", .get, .none),
        (101, "Content-Length: 0\r\n", .get, .none),
        (205, "Content-Length: 0\r\n", .post, .length(0)),
    ])
    func `The end of a body follows from method, status and fields`(
        status: Int, fields: String, method: HTTPWire.Method, body: BodyFraming
    ) throws {
        #expect(try accepted("HTTP/1.1 \(status) x\r\n\(fields)\r\n", to: method).body == body)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: a b\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\n\r\n", false), ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", true),
        ("HTTP/1.1 204 x\r\n\r\n", true),
        ("HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", true), ("HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n", false),
        ("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n", false),
        ("HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", true),
    ])
    func `A connection is used again only where the response's end is beyond doubt`(response: String, persists: Bool)
        throws
    {
        #expect(try accepted(response).isPersistent == persists)
    }

    @Test(arguments: [
        (100, true, false), (101, false, true), (102, true, false), (199, true, false), (200, false, false),
    ])
    func `Interim responses are told from final ones`(status: Int, informational: Bool, switching: Bool) throws {
        let head = try accepted("HTTP/1.1 \(status) x\r\n\r\n")
        #expect(head.isInformational == informational && head.isSwitchingProtocols == switching)
    }

    @Test func `Connection nominates fields`() throws {
        let bytes = octets("HTTP/1.1 200 x\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n")
        let head = try accepted(String(decoding: bytes, as: UTF8.self))
        func nominates(_ name: String) -> Bool { head.connectionNominates(octets(name).span, in: bytes.span) }
        #expect(nominates("x-hop") && !nominates("x-ho"))
    }

    @Test func `A final head follows an interim one in the same parser`() throws {
        let interim = octets("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        let final = octets("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        var parser = ResponseHeadParser(headBytesMax: 1024)
        #expect(try parser.parse(interim.span, requestMethod: .get))
        parser.reset()
        #expect(try parser.parse(final.span, requestMethod: .get))
        #expect(parseResponse(final, growingTo: CollectionOfOne(final.count)) == .head(parser.head))
    }

    @Test func `Every beginning of a head waits for more`() {
        let bytes = octets("HTTP/1.1 200 OK\r\nX: y\r\n\r\n")
        for count in 0..<bytes.count {
            #expect(parseResponse(bytes, growingTo: CollectionOfOne(count)) == .incomplete)
        }
    }

    @Test(arguments: [
        "Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5, 5",
        "Content-Length: x", "Content-Length:", "Content-Length: -1", "Content-Length: 18446744073709551616",
        "Transfer-Encoding: gzip", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding:",
        "Transfer-Encoding: chunked;x",
    ])
    func `Framing that could be read in two ways is not believed`(fields: String) {
        expectRefused("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n", .ambiguousFraming)
        // Neither where the body is not there anyway.
        expectRefused("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n", .ambiguousFraming, to: .head)
        expectRefused("HTTP/1.1 304 x\r\n\(fields)\r\n\r\n", .ambiguousFraming)
        expectRefused("HTTP/1.1 204 x\r\n\(fields)\r\n\r\n", .ambiguousFraming)
    }

    @Test(arguments: [
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 100 x\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 103 x\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 101 x\r\nContent-Length: 1\r\n\r\n",
    ])
    func `Framing where there can be none is not believed`(response: String) {
        expectRefused(response, .ambiguousFraming)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\n", "HTTP/1.1 200 OK\r\nX: y\n\r\n", "HTTP/1.1 200 OK\r\n\n", "HTTP/1.1 200 OK\rX",
        "HTTP/1.1 200 OK\r\n\rX",
        "HTTP/1.1 200\n", "HTTP/1.1 20\r\n", "HTTP/1.1 2000 x\r\n", "HTTP/1.1 2x0 x\r\n", "HTTP/1.1 099 x\r\n",
        "HTTP/1.1 000 x\r\n",
        "HTTP/1.1 600 x\r\n", "HTTP/1.1 999 x\r\n", "HTTP/1.1  200 x\r\n", "HTTP/1.1\t200 x\r\n", "HTTP/1.1 200\tx\r\n",
        "HTTP/1.1 +20 x\r\n",
        "HTTP/1.1 200 a\u{00}b\r\n", "HTTP/1.1 200 a\u{7F}\r\n", " HTTP/1.1 200 x\r\n", "\r\nHTTP/1.1 200 x\r\n",
        "HTTP/1.1\r\n", "200 OK\r\n",
        "http/1.1 200 x\r\n", "HTTP/11 200 x\r\n", "HTTP/1.10 200 x\r\n", "XXXX/1.1 200 x\r\n", "garbage\r\n",
        "<html><body>", "\u{15}\u{03}\u{03}\u{00}\u{02}",
        "HTTP/1.1 200 x\r\n X: y\r\n\r\n", "HTTP/1.1 200 x\r\nX: y\r\n z\r\n\r\n", "HTTP/1.1 200 x\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 x\r\n: y\r\n\r\n",
        "HTTP/1.1 200 x\r\nno colon\r\n\r\n", "HTTP/1.1 200 x\r\nX: \u{00}\r\n\r\n",
        "HTTP/1.1 200 x\r\nContent_Length: 5\r\n\r\n",
    ])
    func `A head that breaks the grammar is malformed`(response: String) {
        expectRefused(response, .malformed)
    }

    @Test(arguments: ["HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n", "HTTP/0.9 200 OK\r\n\r\n"])
    func `A version that is not spoken is unsupported`(response: String) {
        expectRefused(response, .unsupportedVersion)
    }

    @Test func `A head beyond its limits is too large, complete or not`() {
        let response = "HTTP/1.1 200 OK\r\nX: y\r\n\r\n"
        #expect(
            parseResponse(
                octets(response), growingTo: [response.utf8.count], limits: Limits(headBytesMax: response.utf8.count))
                == parseResponse(octets(response), growingTo: [response.utf8.count]))
        expectRefused(response, .headTooLarge, limits: Limits(headBytesMax: response.utf8.count - 1))
        expectRefused(
            "HTTP/1.1 200 " + String(repeating: "x", count: 2000), .headTooLarge, limits: Limits(headBytesMax: 1000))
        expectRefused(
            "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 3), .headTooLarge,
            limits: Limits(fieldCountMax: 2))
    }
}
