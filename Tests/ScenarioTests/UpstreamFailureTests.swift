// An origin that is down, dies, stalls or talks nonsense: the client learns which, and never gets half as if whole.

import Testing

@Suite("Upstream failures", .scenario)
struct UpstreamFailureTests {
    private func expectFailure(
        _ code: String, status: Int, main: String = "", origin: @escaping ScriptedOrigin.Script,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try Scene.play(main: main, origin: origin) { scene throws in
            let response = try scene.get(token: scene.token())
            #expect(response.status == status, sourceLocation: sourceLocation)
            #expect(response.text.contains("\"\(code)\""), "\(response.text)", sourceLocation: sourceLocation)
            #expect(response["Content-Type"] == "application/problem+json", sourceLocation: sourceLocation)
            #expect(response.values(of: "WWW-Authenticate") == [], sourceLocation: sourceLocation)
        }
    }

    @Test("An origin that refuses connections is unreachable: 502")
    func refused() throws {
        try Scene.play { scene throws in
            scene.origin.end()
            let response = try scene.get(token: scene.token())
            #expect(response.status == 502)
            #expect(response.text.contains("\"upstream_unreachable\""))
        }
    }

    @Test("An origin that dies before its response: 502")
    func diesBeforeResponse() throws {
        try expectFailure("upstream_unreachable", status: 502) { _ = try $0.head() }
    }

    @Test("An origin that dies within its response's head: 502")
    func diesWithinHead() throws {
        try expectFailure("upstream_invalid_response", status: 502) { connection in
            _ = try connection.head()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Le")
        }
    }

    @Test("An origin that resets the connection: 502")
    func resets() throws {
        try expectFailure("upstream_unreachable", status: 502) { connection in
            _ = try connection.head()
            connection.socket.reset()
        }
    }

    @Test("An origin that does not answer in time: 504")
    func stalls() throws {
        try expectFailure("upstream_timeout", status: 504, main: "proxy_read_timeout 300ms;") { $0.waitForClose() }
    }

    @Test("An origin that accepts no connection in time: 504, which says so")
    func acceptsNothing() throws {
        let full = try Socket.boundToLoopback()
        try full.startListening(backlog: 0)
        let queued = try Socket.connect(port: full.port())
        defer { queued.shutDown() }
        try Scene.play(main: "proxy_connect_timeout 300ms;", upstream: "127.0.0.1:\(full.port())") { scene throws in
            let response = try scene.get(token: scene.token())
            #expect(response.status == 504)
            #expect(response.text.contains("\"code\":\"upstream_timeout\""), "\(response.text)")
            #expect(response.text.contains("\"detail\":\"No connection to the backend was made in time.\""), "\(response.text)")
        }
    }

    @Test("An origin that is silent while the client waits for its 100 has timed out, not the client: 504")
    func silentToExpectation() throws {
        let main = "client_body_timeout 300ms; proxy_read_timeout 600ms;"
        try Scene.play(main: main, origin: { $0.waitForClose() }) { scene throws in
            let client = try scene.client()
            let fields = ["Expect: 100-continue", "Content-Length: 5"]
            try client.request("POST", "/", token: scene.token(), fields: fields)
            let response = try client.response()
            #expect(response.status == 504)
            #expect(response.text.contains("\"upstream_timeout\""), "\(response.text)")
        }
    }

    @Test("A response that does not parse, or is framed in two ways: 502", arguments: [
        "garbage\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\u{0}b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    ])
    func invalidResponse(_ text: String) throws {
        try expectFailure("upstream_invalid_response", status: 502) { connection in
            _ = try connection.head()
            try connection.send(text)
            connection.waitForClose()
        }
    }

    @Test("A response cut short is cut short for the client too, and its connection closed", arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    ])
    func truncated(_ text: String) throws {
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.send(text)
        }) { scene throws in
            let client = try scene.client()
            try client.get(token: scene.token())
            #expect(try client.responseHead().status == 200)
            let rest = try latin1Text(client.rest())
            #expect(rest.contains("half"))
            #expect(!rest.contains("0\r\n\r\n"))
        }
    }

    @Test("A flood of 1xx responses is ended: 502")
    func informationalFlood() throws {
        try expectFailure("upstream_invalid_response", status: 502) { connection in
            _ = try connection.head()
            for _ in 0..<100_000 { try connection.send("HTTP/1.1 102 Processing\r\n\r\n") }
        }
    }
}
