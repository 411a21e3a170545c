// Requests that two readers could read in two ways, or that no client has a reason to send: each carries a
// good token, is refused, and the backend never hears of it.

import Testing

@Suite("Ambiguous requests", .scenario)
struct AmbiguousRequestTests {
    /// Sends each text on a connection of its own; `{T}` stands for an Authorization field with a good token,
    /// `{H}` for that and a Host field.
    private func expectRefused(_ status: Int, _ texts: [String]) throws {
        try Scene.play { scene throws in
            let authorization = "Authorization: Bearer \(scene.token())\r\n"
            for text in texts {
                let client = try scene.client()
                try client.send(
                    text.replacing("{H}", with: "Host: api.example.com\r\n{T}").replacing("{T}", with: authorization))
                let response = try client.response()
                #expect(response.status == status, "\(text.debugDescription) got \(response.startLine)")
                #expect(try client.isClosedByProxy(), "\(text.debugDescription): the connection stayed open")
            }
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("Two ways to frame a body: 400")
    func framing() throws {
        let smuggled = "GET /smuggled HTTP/1.1\r\n{H}\r\n"
        try expectRefused(400, [
            "POST / HTTP/1.1\r\n{H}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
            "POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled,
            "POST / HTTP/1.1\r\n{H}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
            "POST / HTTP/1.1\r\n{H}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            "POST / HTTP/1.1\r\n{H}Content-Length: 5, 5\r\n\r\nhello",
            "POST / HTTP/1.1\r\n{H}Content-Length: 5,6\r\n\r\nhello!",
            "POST / HTTP/1.1\r\n{H}content-length: 0\r\nX: y\r\nCONTENT-LENGTH: 5\r\n\r\nhello",
            "POST / HTTP/1.0\r\n{H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\n{H}Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
            "POST / HTTP/1.1\r\n{H}Content_Length: 5\r\n\r\nhello",
            "POST / HTTP/1.1\r\n{H}Content-Length : 5\r\n\r\nhello",
            "POST / HTTP/1.1\r\n{H}Content-Length\t: 5\r\n\r\nhello",
            "POST / HTTP/1.1\r\n{H}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled,
            "POST / HTTP/1.1\r\n{H}Content-Length:\r\n\t5\r\n\r\nhello",
            "POST / HTTP/1.1\r\n{H}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        ])
    }

    @Test("A length that is no plain number: 400")
    func lengths() throws {
        let values = ["+5", "-1", "0x5", "1_0", "1e1", "5 5", "1Z", "", "18446744073709551616", "5\u{0B}"]
        try expectRefused(400, values.map { "POST / HTTP/1.1\r\n{H}Content-Length: \($0)\r\n\r\nhello" })
    }

    @Test("A transfer coding that is not exactly chunked: 400")
    func codings() throws {
        let values = [
            "", ",chunked", "chunked, chunked", "identity", "xchunked", "chunked;x=y", "\"chunked\"", "\u{0B}chunked",
            "chunked\u{0C}", "\u{A0}chunked", "chunked\u{FF}", "chunked\u{0}", "chunked, gzip", "gzip", "chunked,",
            "chunked chunked", "gzip, identity, chunked", "'chunked'",
        ]
        try expectRefused(400, values.map { "POST / HTTP/1.1\r\n{H}Transfer-Encoding: \($0)\r\n\r\n0\r\n\r\n" })
    }

    @Test("Lines that end otherwise than in CRLF, or hold what no line may: 400")
    func lines() throws {
        try expectRefused(400, [
            "GET / HTTP/1.1\n{H}\r\n",
            "GET / HTTP/1.1\r\nHost: api.example.com\n{T}\r\n",
            "GET / HTTP/1.1\r\n{H}\n",
            "GET / HTTP/1.1\r\n{H}X: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\n{H}\r\rX",
            "GET / HTTP/1.1\r\n{H}X: a\u{0}b\r\n\r\n",
            "GET / HTTP/1.1\r\n{H}X: a\u{1}b\r\n\r\n",
            "GET / HTTP/1.1\r\n{H}X Y: a\r\n\r\n",
            "GET / HTTP/1.1\r\n{H}: a\r\n\r\n",
            "GET / HTTP/1.1\r\n{H}no colon\r\n\r\n",
            "GET / HTTP/1.1\r\n{H}X\u{E9}: a\r\n\r\n",
            "GET / HTTP/1.1\r\n X: a\r\n{H}\r\n",
            "GET / HTTP/1.1\r\n{H}X: a\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\n{H}__proto__: a\r\n\r\n",
        ])
    }

    @Test("A host that is missing, doubled or no host: 400")
    func hosts() throws {
        try expectRefused(400, [
            "GET / HTTP/1.1\r\n{T}\r\n",
            "GET / HTTP/1.1\r\n{H}Host: other.example.com\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.example.com, b.example.com\r\n{T}\r\n",
            "GET / HTTP/1.1\r\nHost: user@api.example.com\r\n{T}\r\n",
            "GET / HTTP/1.1\r\nHost: api.example.com/path\r\n{T}\r\n",
            "GET http://other.example.com/ HTTP/1.1\r\n{H}\r\n",
            "GET http://api.example.com:80/ HTTP/1.1\r\n{H}\r\n",
            "GET http://api.example.com/ HTTP/1.1\r\nHost:\r\n{T}\r\n",
            "GET http://user@api.example.com/ HTTP/1.1\r\nHost: user@api.example.com\r\n{T}\r\n",
            "GET http:///path HTTP/1.1\r\nHost:\r\n{T}\r\n",
            "GET / HTTP/1.1\r\nHost: api.example.com:99999\r\n{T}\r\n",
            "GET / HTTP/1.0\r\n{H}Host: api.example.com\r\n\r\n",
        ])
    }

    @Test("A target or method that no request has: 400")
    func requestLines() throws {
        let lines = [
            "GET api.example.com:80 HTTP/1.1", "GET * HTTP/1.1", "GET path HTTP/1.1", "GET /a#b HTTP/1.1",
            "GET /a b HTTP/1.1", "GET /a\tb HTTP/1.1", "GET /a\\b HTTP/1.1", "GET /\u{E9} HTTP/1.1",
            "GET /%00 HTTP/1.1", "GET /%0d%0a HTTP/1.1", "GET /%zz HTTP/1.1", "GET /%4 HTTP/1.1", "G(T / HTTP/1.1",
            "GET /  HTTP/1.1", "GET  / HTTP/1.1", " GET / HTTP/1.1", "GET / http/1.1", "GET / HTTP/1.32",
            "GET / HTTP/01.1", "GET /", "GET /\u{1} HTTP/1.1", "GET /\u{0} HTTP/1.1", "GET / HTTP/1.1 ",
            "GET\t/ HTTP/1.1",
            "GET  HTTP/1.1", "POST * HTTP/1.1", "GET ftp://api.example.com/ HTTP/1.1", "GET /%0a HTTP/1.1",
            "GET /?%00 HTTP/1.1", "GET / HTTP/1.", "GET / HTTP /1.1", "GET / XTTP/1.1", "G\u{0}T / HTTP/1.1", "GET /x?y#z HTTP/1.1",
        ]
        try expectRefused(400, lines.map { "\($0)\r\n{H}\r\n" })
    }

    @Test("A method that a proxy must not take, a version it does not speak, an expectation it does not know")
    func unsupported() throws {
        try expectRefused(405, ["CONNECT api.example.com:443 HTTP/1.1\r\n{H}\r\n", "TRACE / HTTP/1.1\r\n{H}\r\n"])
        try expectRefused(505, [
            "GET / HTTP/2.0\r\n{H}\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.2\r\n{H}\r\n",
        ])
        try expectRefused(417, [
            "GET / HTTP/1.1\r\n{H}Expect: something\r\n\r\n",
            "POST / HTTP/1.1\r\n{H}Expect: 100-continue, x\r\nContent-Length: 5\r\n\r\nhello",
            "POST / HTTP/1.1\r\n{H}Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        ])
    }

    @Test("Heads beyond their bounds: 431, and 414 for the target")
    func bounds() throws {
        let long = String(repeating: "a", count: 40_000)
        try expectRefused(431, [
            "GET / HTTP/1.1\r\n{H}X: \(long)\r\n\r\n",
            "GET / HTTP/1.1\r\n{H}" + (0..<2000).map { "X-\($0): y\r\n" }.joined() + "\r\n",
        ])
        try expectRefused(414, ["GET /\(long) HTTP/1.1\r\n{H}\r\n"])
    }

    @Test("Chunks that two readers could cut differently end the exchange, and no next request comes of them", arguments: [
        "0x5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "-0\r\n\r\n", "0_2e\r\n", " 5\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n", "10000000000000000\r\n", "5;\r\nhello\r\n0\r\n\r\n", "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5;a\u{0}\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello!\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n", "0\r\nXX", "5\t\r\nhello\r\n0\r\n\r\n", "5 ;a\r\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n", "5\r\nhello\rX0\r\n\r\n", "0\n\r\n", "0\r\n\n", "0\r\nX: a\nY: b\r\n\r\n", "0\r\nContent_Length: 5\r\n\r\n",
        "0\r\n folded\r\n\r\n", "0\r\nX Y: z\r\n\r\n",
    ])
    func chunks(_ body: String) throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            let token = scene.token()
            try client.request("POST", "/", token: token, fields: ["Transfer-Encoding: chunked"])
            try client.send(body + "GET /smuggled HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer \(token)\r\n\r\n")
            #expect(try client.response().status == 400)
            #expect(try client.isClosedByProxy())
            // What went upstream of it was cut off before its end, on a connection that carries nothing else.
            try scene.get("/after", token: scene.token(), expecting: 200)
            for connection in scene.origin.connections {
                let text = latin1Text(connection.bytes)
                #expect(!text.contains("/smuggled"))
                #expect(!text.contains("POST") || (!text.contains("/after") && !text.contains("0\r\n\r\n")))
            }
        }
    }
}
