// Bodies both ways: framed canonically, streamed, interrupted by 1xx, and never mistaken for the next request.

import Foundation
import Synchronization
import Testing

@Suite("Bodies", .scenario)
struct BodyTests {
    @Test("An upload with a length arrives with that length")
    func uploadWithLength() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.request("POST", "/orders", token: scene.token(), body: "{\"item\":\"tea\"}")
            #expect(try client.response().status == 200)
            let request = try scene.onlyRequest()
            #expect(request.values(of: "Content-Length") == ["14"])
            #expect(request.values(of: "Transfer-Encoding") == [])
            #expect(request.text == "{\"item\":\"tea\"}")
        }
    }

    @Test("A chunked upload is framed anew: no extension, no odd spelling, no trailer that matters gets through")
    func chunkedUpload() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.request("POST", "/orders", token: scene.token(), fields: ["Transfer-Encoding: CHUNKED"])
            try client.send("0005;name=value\r\nhello\r\n00A\r\n, chunked!\r\n0\r\n")
            try client.send("X-Auth-Subject: mallory\r\nContent-Length: 5\r\nAuthorization: Bearer mallory\r\n\r\n")
            #expect(try client.response().status == 200)
            let request = try scene.onlyRequest()
            #expect(request.values(of: "Transfer-Encoding") == ["chunked"])
            #expect(request.values(of: "Content-Length") == [])
            #expect(!request.text.contains("mallory") && !request.text.contains("name=value"))
            #expect(try dechunked(request.text) == "hello, chunked!")
        }
    }

    @Test("Trailers go through both ways, behind the last chunk")
    func trailers() throws {
        try Scene.play(origin: { connection in
            while let request = try connection.request() {
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Server-Timing\r\n\r\n")
                try connection.send("2\r\nok\r\n0\r\nServer-Timing: db;dur=5\r\nSet-Cookie: late=1\r\n\r\n")
                if request.startLine.contains("/last") { break }
            }
        }) { scene throws in
            let client = try scene.client()
            try client.request(
                "POST", "/orders", token: scene.token(),
                fields: ["Transfer-Encoding: chunked", "Trailer: X-Checksum", "TE: trailers", "Connection: TE"])
            try client.send("5\r\nhello\r\n0\r\nX-Checksum: f00\r\nX-Auth-Subject: mallory\r\n\r\n")
            let response = try client.response()
            #expect(response["Trailer"] == "Server-Timing")
            #expect(latin1Text(response.rawBody) == "2\r\nok\r\n0\r\nServer-Timing: db;dur=5\r\n\r\n")
            let request = try scene.onlyRequest()
            #expect(request["Trailer"] == "X-Checksum")
            #expect(request["TE"] == "trailers")
            #expect(request["Connection"] == "TE")
            #expect(request.text.hasSuffix("\r\n0\r\nX-Checksum: f00\r\n\r\n"))
            // The connection goes on behind them.
            try client.get("/last", token: scene.token())
            #expect(try client.response().text == "ok")
        }
    }

    @Test("A chunked upload sent one byte at a time arrives whole")
    func chunkedByteByByte() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            let token = scene.token()
            let text = """
                PUT /slow HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer \(token)\r\n\
                Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n
                """
            for byte in latin1Bytes(text) { try client.send([byte]) }
            #expect(try client.response().status == 200)
            #expect(try dechunked(scene.onlyRequest().text) == "abcdefg")
        }
    }

    @Test("A GET with a body keeps it, framed")
    func bodyOfGet() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.request("GET", "/search", token: scene.token(), body: "query")
            #expect(try client.response().status == 200)
            let request = try scene.onlyRequest()
            #expect(request.values(of: "Content-Length") == ["5"])
            #expect(request.text == "query")
        }
    }

    @Test("The response to HEAD has no body, and the connection goes on")
    func head() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            let token = scene.token()
            try client.request("HEAD", "/", token: token)
            let response = try client.response(toHead: true)
            #expect(response.status == 200)
            #expect(response["Content-Length"] == "2")
            try client.get(token: token)
            #expect(try client.response().text == "ok")
        }
    }

    @Test("A chunked response arrives whole, chunk by chunk")
    func chunkedResponse() throws {
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst \r\n")
            // The second chunk is sent only when told, so the first has to get through by itself.
            _ = try connection.head()
            connection.waitForClose()
        }) { scene throws in
            let client = try scene.client()
            try client.get(token: scene.token())
            let head = try client.responseHead()
            #expect(head.values(of: "Transfer-Encoding") == ["chunked"])
            #expect(try client.bytes(11) == latin1Bytes("6\r\nfirst \r\n"))
        }
    }

    @Test("A response that ends with its connection is delivered to its end")
    func responseUntilClose() throws {
        try Scene.play(origin: { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\n\r\nall there is")
        }) { scene throws in
            #expect(try scene.get(token: scene.token()).text == "all there is")
        }
    }

    @Test("Server-sent events arrive one by one, though their stream has no end yet")
    func events() throws {
        let mayGoOn = Mutex(0)
        try Scene.play(origin: { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            for number in 1...3 {
                try connection.send("data: \(number)\n\n")
                // The next one is sent only once this one has been received.
                try eventually("event \(number) has arrived", within: 120) { mayGoOn.withLock { $0 } >= number }
            }
        }) { scene throws in
            let client = try scene.client()
            try client.get("/events", token: scene.token())
            #expect(try client.responseHead().values(of: "Transfer-Encoding") == ["chunked"])
            for number in 1...3 {
                #expect(try latin1Text(client.bytes(14)) == "9\r\ndata: \(number)\n\n\r\n")
                mayGoOn.withLock { $0 = number }
            }
            #expect(try latin1Text(client.bytes(5)) == "0\r\n\r\n")
        }
    }

    @Test("Early hints are passed on, before the final response")
    func informational() throws {
        try Scene.play(origin: { connection in
            while try connection.request() != nil {
                try connection.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
                try connection.answer("done")
            }
        }) { scene throws in
            let client = try scene.client()
            try client.get(token: scene.token())
            let hints = try client.response()
            #expect(hints.status == 103)
            #expect(hints["Link"] == "</style.css>; rel=preload")
            #expect(try client.response().text == "done")
        }
    }

    @Test("A client that waits for 100 gets it, then its answer")
    func expectContinue() throws {
        try Scene.play(origin: { connection in
            guard let head = try connection.head() else { return }
            if head.lowercased().contains("\r\nexpect: 100-continue\r\n") {
                try connection.send("HTTP/1.1 100 Continue\r\n\r\n")
            }
            _ = try connection.bytes(5)
            try connection.answer("thanks")
        }) { scene throws in
            let client = try scene.client()
            let fields = ["Expect: 100-continue", "Content-Length: 5"]
            try client.request("POST", "/", token: scene.token(), fields: fields)
            #expect(try client.response().status == 100)
            try client.send("hello")
            #expect(try client.response().text == "thanks")
            #expect(try scene.onlyRequest().text == "hello")
        }
    }

    @Test("A client that is refused is not told to continue")
    func refusedExpectation() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.request("POST", "/", fields: ["Expect: 100-continue", "Content-Length: 5"])
            #expect(try client.response().status == 401)
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("A refused request's body is never read as the next request")
    func refusedBody() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            let smuggled = "GET /smuggled HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer \(scene.token())\r\n\r\n"
            try client.request("POST", "/", body: smuggled)
            #expect(try client.response().status == 401)
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("A client that dies within its upload takes the upstream exchange with it")
    func clientDies() throws {
        try Scene.play { scene throws in
            var client: RawClient? = try scene.client()
            try client?.request("POST", "/half", token: scene.token(), fields: ["Content-Length: 100"])
            try client?.send("half of it")
            try eventually("the origin got the half") { scene.origin.received.contains("half of it") }
            client?.socket.reset()
            client = nil
            // Another request goes over another connection: the first one's framing is spoilt.
            try scene.get("/next", token: scene.token(), expecting: 200)
            #expect(scene.origin.connections.count == 2)
            #expect(!latin1Text(scene.origin.connections[0].bytes).contains("/next"))
        }
    }

    @Test("A body over its limit is refused, announced or not", arguments: [true, false])
    func bodyTooLarge(announced: Bool) throws {
        try Scene.play(main: "client_max_body_size 1k;") { scene throws in
            let client = try scene.client()
            if announced {
                try client.request("POST", "/", token: scene.token(), fields: ["Content-Length: 1025"])
            } else {
                try client.request("POST", "/", token: scene.token(), fields: ["Transfer-Encoding: chunked"])
                try client.send("400\r\n" + String(repeating: "x", count: 1024) + "\r\n1\r\nx\r\n")
            }
            #expect(try client.response().status == 413)
        }
    }
}

/// The data of a canonically chunked body; an odd spelling is an error.
private func dechunked(_ text: String) throws -> String {
    var rest = Substring(text)
    var data = ""
    while let line = rest.firstRange(of: "\r\n") {
        let size = rest[..<line.lowerBound]
        guard let count = Int(size, radix: 16), String(count, radix: 16) == size.lowercased() else {
            throw ScenarioError("not canonical: \(text.debugDescription)")
        }
        rest = rest[line.upperBound...]
        if count == 0 {
            guard rest == "\r\n" else { throw ScenarioError("something after the last chunk: \(rest.debugDescription)") }
            return data
        }
        data += rest.prefix(count)
        rest = rest.dropFirst(count)
        guard rest.hasPrefix("\r\n") else { throw ScenarioError("a chunk without its end: \(text.debugDescription)") }
        rest = rest.dropFirst(1)
    }
    throw ScenarioError("no last chunk: \(text.debugDescription)")
}
