// Connections: kept, closed, pooled and pipelined, as each side's HTTP version has it.

import Synchronization
import Testing

@Suite("Connections", .scenario)
struct ConnectionTests {
    @Test("Requests on one client connection share one connection to the origin")
    func reuse() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            let token = scene.token()
            for number in 1...5 {
                try client.get("/\(number)", token: token)
                #expect(try client.response().text == "ok")
            }
            #expect(scene.origin.connections.count == 1)
            #expect(scene.origin.requestLines == (1...5).map { "GET /\($0) HTTP/1.1" })
        }
    }

    @Test("A pipelined request is judged by its own token")
    func pipelining() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            let token = scene.token()
            func request(_ path: String, _ field: String) -> String {
                "GET \(path) HTTP/1.1\r\nHost: api.example.com\r\n\(field)\r\n"
            }
            let good = "Authorization: Bearer \(token)\r\n"
            try client.send(request("/first", good) + request("/second", "") + request("/third", good))
            #expect(try client.response().status == 200)
            #expect(try client.response().status == 401)
            #expect(try client.response().status == 200)
            #expect(scene.origin.requestLines == ["GET /first HTTP/1.1", "GET /third HTTP/1.1"])
        }
    }

    @Test("Pipelined requests are answered in their order, however slow the first")
    func order() throws {
        try Scene.play(origin: { connection in
            while let request = try connection.request() {
                try connection.answer(request.startLine)
            }
        }) { scene throws in
            let client = try scene.client()
            let token = scene.token()
            for number in 1...20 { try client.get("/\(number)", token: token) }
            for number in 1...20 {
                #expect(try client.response().text == "GET /\(number) HTTP/1.1")
            }
        }
    }

    @Test("A client that asks to close is answered, then closed")
    func close() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.get(token: scene.token(), fields: ["Connection: close"])
            let response = try client.response()
            #expect(response.status == 200)
            #expect(response["Connection"]?.lowercased() == "close")
            #expect(try client.isClosedByProxy())
        }
    }

    @Test("Without a keepalive time every response says that it is the last")
    func noKeepAlive() throws {
        try Scene.play(main: "keepalive_timeout 0;") { scene throws in
            for (token, status) in [(scene.token(), 200), (nil, 401)] {
                let client = try scene.client()
                try client.get(token: token)
                let response = try client.response()
                #expect(response.status == status)
                #expect(response["Connection"]?.lowercased() == "close")
                #expect(try client.isClosedByProxy())
            }
        }
    }

    @Test("An HTTP/1.0 client is answered and closed, its request going upstream as 1.1")
    func http10() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.send("GET /old HTTP/1.0\r\nHost: api.example.com\r\nAuthorization: Bearer \(scene.token())\r\n\r\n")
            #expect(try client.response().text == "ok")
            #expect(try client.isClosedByProxy())
            #expect(scene.origin.requestLines == ["GET /old HTTP/1.1"])
        }
    }

    @Test("An HTTP/1.0 client that asks for it keeps its connection, and is told so")
    func http10KeepAlive() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            let token = scene.token()
            for _ in 1...2 {
                try client.send(
                    "GET / HTTP/1.0\r\nHost: api.example.com\r\nAuthorization: Bearer \(token)\r\nConnection: keep-alive\r\n\r\n")
                let response = try client.response()
                #expect(response.text == "ok")
                #expect(response["Connection"]?.lowercased() == "keep-alive")
            }
        }
    }

    @Test("An HTTP/1.0 client gets a chunked response without its chunks, ended by the close, and no 1xx")
    func http10Chunked() throws {
        try Scene.play(origin: { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 103 Early Hints\r\n\r\n")
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
            connection.waitForClose()
        }) { scene throws in
            let client = try scene.client()
            try client.send(
                "GET / HTTP/1.0\r\nHost: api.example.com\r\nAuthorization: Bearer \(scene.token())\r\nConnection: keep-alive\r\n\r\n")
            let response = try client.response()
            #expect(response.status == 200)
            #expect(response.values(of: "Transfer-Encoding") == [])
            #expect(response.text == "abc")
        }
    }

    @Test("A pooled connection that has died costs one retry, unseen by the client")
    func deadPooledConnection() throws {
        try Scene.play(origin: { connection in
            _ = try connection.request()
            try connection.answer("first of \(connection.index)")
            // The next request on this connection is read, and never answered.
            _ = try connection.request()
        }) { scene throws in
            let client = try scene.client()
            let token = scene.token()
            try client.get("/1", token: token)
            #expect(try client.response().text == "first of 0")
            try client.get("/2", token: token)
            #expect(try client.response().text == "first of 1")
            #expect(scene.origin.requestLines.count { $0 == "GET /2 HTTP/1.1" } == 2)
        }
    }

    @Test("A POST with a body is never sent twice")
    func postIsNotReplayed() throws {
        try Scene.play(origin: { connection in
            _ = try connection.request()
            try connection.answer()
            _ = try connection.request()
        }) { scene throws in
            let client = try scene.client()
            let token = scene.token()
            try client.get("/warm", token: token)
            #expect(try client.response().status == 200)
            try client.request("POST", "/pay", token: token, body: "100 EUR")
            #expect(try client.response().status == 502)
            #expect(scene.origin.requestLines.count { $0 == "POST /pay HTTP/1.1" } == 1)
        }
    }

    @Test("Bytes after a response make that connection useless, and reach nobody")
    func bytesAfterResponse() throws {
        try Scene.play(origin: { connection in
            while try connection.request() != nil {
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
            }
        }) { scene throws in
            let client = try scene.client()
            let token = scene.token()
            for _ in 1...3 {
                try client.get(token: token)
                #expect(try client.response().text == "ok")
            }
        }
    }

    @Test("A client that has finished sending still gets its answers, however late")
    func halfClose() throws {
        let mayAnswer = Mutex(false)
        try Scene.play(origin: { connection in
            while let request = try connection.request() {
                if request.startLine.contains("/late") {
                    try eventually("the origin may answer", within: 120) { mayAnswer.withLock { $0 } }
                }
                try connection.answer(request.startLine)
            }
        }) { scene throws in
            let token = scene.token()
            let client = try scene.client()
            try client.get("/late", token: token)
            try client.get("/later", token: token)
            client.finishSending()
            // The proxy's loop has gone round, and heard of it.
            for _ in 1...3 { try scene.get("/other", token: token, expecting: 200) }
            mayAnswer.withLock { $0 = true }
            #expect(try client.response().text == "GET /late HTTP/1.1")
            #expect(try client.response().text == "GET /later HTTP/1.1")
            #expect(try client.isClosedByProxy())
        }
    }

    @Test("Many clients at once are each answered with their own response", arguments: [1, 2])
    func manyClients(workers: Int) throws {
        try Scene.play(workers: workers, origin: { connection in
            while let request = try connection.request() {
                try connection.answer(request.startLine + " " + (request["X-Auth-Subject"] ?? ""))
            }
        }) { scene throws in
            let clients = try (0..<50).map { _ in try scene.client() }
            for round in 1...3 {
                for (number, client) in clients.enumerated() {
                    try client.get("/\(round)/\(number)", token: scene.token(subject: "client-\(number)"))
                }
                for (number, client) in clients.enumerated() {
                    #expect(try client.response().text == "GET /\(round)/\(number) HTTP/1.1 client-\(number)")
                }
            }
        }
    }
}
