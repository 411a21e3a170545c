// Framing at its edges: what is written anew, what is refused by its own code, and whose bytes come next.

import Foundation
import Synchronization
import Testing

@Suite("Framing", .scenario)
struct FramingTests {
    @Test("A length with leading zeros is written anew without them")
    func leadingZeros() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.request("POST", "/", token: scene.token(), fields: ["Content-Length: 0000000000000000000000005"])
            try client.send("hello")
            #expect(try client.response().status == 200)
            let request = try scene.onlyRequest()
            #expect(request.values(of: "Content-Length") == ["5"])
            #expect(request.text == "hello")
        }
    }

    @Test("A transfer coding that exists and is not taken: 501, and nothing upstream", arguments: [
        "gzip, chunked", "deflate, chunked", "x-gzip,chunked", "compress , Chunked", "gzip, deflate, chunked",
    ])
    func knownCodings(_ coding: String) throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.request("POST", "/", token: scene.token(), fields: ["Transfer-Encoding: \(coding)"])
            try client.send("0\r\n\r\n")
            let response = try client.response()
            #expect(response.status == 501)
            #expect(response.text.contains("\"not_implemented\""))
            #expect(try client.isClosedByProxy())
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("Chunk extensions are taken up to their cap and not beyond, for one chunk and for all of a body")
    func extensions() throws {
        let most = ";" + String(repeating: "x", count: 255)
        let manyMost = String(repeating: "1\(most)\r\na\r\n", count: 256)
        try Scene.play { scene throws in
            let token = scene.token()
            for (body, status) in [
                ("1\(most)\r\na\r\n0\r\n\r\n", 200), ("1\(most)x\r\na\r\n0\r\n\r\n", 400),
                (manyMost + "0\r\n\r\n", 200), (manyMost + "1;\r\na\r\n0\r\n\r\n", 400),
            ] {
                let client = try scene.client()
                try client.request("POST", "/", token: token, fields: ["Transfer-Encoding: chunked"])
                // What is refused need not be taken to its end.
                try? client.send(body)
                #expect(try client.response().status == status, "\(body.count) bytes")
                #expect(try status == 200 || client.isClosedByProxy())
            }
            #expect(!scene.origin.received.contains("xxx"))
        }
    }

    @Test("No trailer frames, routes, authorises or identifies", arguments: [
        "Content-Length", "Transfer-Encoding", "Host", "Authorization", "Connection", "Cookie", "Expect", "TE",
        "Upgrade", "Proxy-Authorization", "X-Auth-Subject", "x_auth_subject", "X.Auth.Status", "X-Forwarded-For", "Forwarded",
        "X-Request-Id", "traceparent", "Range", "Content-Type",
    ])
    func trailers(_ name: String) throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.request("POST", "/", token: scene.token(), fields: ["Transfer-Encoding: chunked"])
            try client.send("5\r\nhello\r\n0\r\n\(name): mallory\r\n\r\n")
            #expect(try client.response().status == 200)
            let request = try scene.onlyRequest()
            #expect(request.text == "5\r\nhello\r\n0\r\n\r\n")
            #expect(!request.head.contains("mallory"))
        }
    }

    @Test("A body keeps its framing whatever the method", arguments: ["GET", "HEAD", "OPTIONS", "DELETE", "QUERY"])
    func bodyOfAnyMethod(_ method: String) throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            let token = scene.token()
            try client.request(method, "/length", token: token, body: "query")
            #expect(try client.response(toHead: method == "HEAD").status == 200)
            try client.request(method, "/chunks", token: token, fields: ["Transfer-Encoding: chunked"])
            try client.send("5\r\nquery\r\n0\r\n\r\n")
            #expect(try client.response(toHead: method == "HEAD").status == 200)
            let received = scene.origin.received
            #expect(received.contains("Content-Length: 5\r\n\r\nquery\(method) /chunks HTTP/1.1\r\n"))
            #expect(received.hasSuffix("Transfer-Encoding: chunked\r\n\r\n5\r\nquery\r\n0\r\n\r\n"))
            #expect(scene.origin.requestLines.count == 2)
        }
    }

    @Test("A refused request's body is nobody's request, though it comes after the refusal", arguments: [true, false])
    func refusedBody(chunked: Bool) throws {
        try Scene.play { scene throws in
            let authorization = "Authorization: Bearer \(scene.token())"
            let smuggled = "GET /smuggled HTTP/1.1\r\nHost: api.example.com\r\n\(authorization)\r\n\r\n"
            let field = chunked ? "Transfer-Encoding: chunked" : "Content-Length: \(smuggled.utf8.count)"
            let client = try scene.client()
            try client.request("POST", "/", fields: [field])
            #expect(try client.response().status == 401)
            // Only now that it has been refused.
            let size = String(smuggled.utf8.count, radix: 16)
            try? client.send(chunked ? "\(size)\r\n\(smuggled)\r\n0\r\n\r\n" : smuggled)
            try? client.send(smuggled)
            #expect(try client.isClosedByProxy())
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("A refused request's body that has come with it is stepped over, and the next request judged for itself")
    func refusedBodyStepped() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.request("POST", "/", body: "GET /smuggled HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
            #expect(try client.response().status == 401)
            try client.get("/next", token: scene.token())
            #expect(try client.response().status == 200)
            try scene.expectNothingMoreUpstream(after: ["GET /next HTTP/1.1"])
        }
    }

    enum Death: Sendable, CaseIterable { case reset, end }

    @Test("An upload that ends early never looks whole upstream", arguments: [true, false], Death.allCases)
    func clientDies(chunked: Bool, death: Death) throws {
        let ended = Mutex<[UInt8]?>(nil)
        try Scene.play(origin: { connection in
            guard let head = try connection.head() else { return }
            if !head.contains("/half") { return try connection.answer() }
            let rest = try connection.rest()
            ended.withLock { $0 = rest }
        }) { scene throws in
            let client = try scene.client()
            let field = chunked ? "Transfer-Encoding: chunked" : "Content-Length: 100"
            try client.request("POST", "/half", token: scene.token(), fields: [field])
            try client.send(chunked ? "64\r\nhalf of it" : "half of it")
            try eventually("the origin got the half") { scene.origin.received.contains("half of it") }
            if death == .reset { client.socket.reset() } else { client.finishSending() }
            // The origin's connection ends, and with that the message: of a chunked one the last chunk never comes.
            let body = try eventually("the upstream connection ends") { ended.withLock { $0 } }
            #expect(latin1Text(body) == (chunked ? "a\r\nhalf of it\r\n" : "half of it"))
            try scene.get("/next", token: scene.token(), expecting: 200)
            #expect(scene.origin.connections.count == 2)
        }
    }

    @Test("Uploads and downloads go on at once, each chunk as it comes")
    func bothDirections() throws {
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for round in 0..<20 {
                let chunk = "6\r\nping\(10 + round)\r\n"
                let received = try connection.bytes(chunk.utf8.count)
                try connection.send(latin1Text(received).replacing("ping", with: "pong"))
            }
            try connection.receive(upTo: "0\r\n\r\n")
            try connection.send("0\r\n\r\n")
            connection.waitForClose()
        }) { scene throws in
            let client = try scene.client()
            try client.request("POST", "/", token: scene.token(), fields: ["Transfer-Encoding: chunked"])
            #expect(try client.responseHead().status == 200)
            for round in 0..<20 {
                try client.send("6\r\nping\(10 + round)\r\n")
                #expect(try latin1Text(client.bytes(11)) == "6\r\npong\(10 + round)\r\n")
            }
            try client.send("0\r\n\r\n")
            #expect(try latin1Text(client.bytes(5)) == "0\r\n\r\n")
        }
    }
}
