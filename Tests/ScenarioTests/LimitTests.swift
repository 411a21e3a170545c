// Every limit at its edge: what is just within it passes, what is just beyond is refused by name, and a client or an
// origin that stands still holds nobody else up.

import Foundation
import Glibc
import Synchronization
import Testing

@Suite("Limits", .scenario)
struct LimitTests {
    @Test("A head of exactly client_header_max_size passes, one byte more is 431")
    func headBytes() throws {
        try Scene.play(main: "client_header_max_size 2k;") { scene throws in
            let start = "GET / HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer \(scene.token())\r\nX: "
            let end = "\r\n\r\n"
            let filling = 2048 - start.utf8.count - end.utf8.count
            for (extra, status) in [(0, 200), (1, 431)] {
                let client = try scene.client()
                try client.send(start + String(repeating: "x", count: filling + extra) + end)
                let response = try client.response()
                #expect(response.status == status)
                #expect(try status == 200 || response.text.contains("\"header_too_large\"") && client.isClosedByProxy())
            }
            try scene.expectNothingMoreUpstream(after: ["GET / HTTP/1.1"])
        }
    }

    @Test("A hundred fields pass in their order, one more is 431")
    func fieldCount() throws {
        try Scene.play { scene throws in
            let fields = (1...98).map { "X-Field-\($0): \($0)" }
            try scene.get(token: scene.token(), fields: fields, expecting: 200)
            let head = try scene.onlyRequest().head
            #expect(head.contains(fields.joined(separator: "\r\n")))
            try scene.get("/more", token: scene.token(), fields: fields + ["X-Field-99: 99"], expecting: 431)
            #expect(!scene.origin.received.contains("/more"))
        }
    }

    @Test("A target of 8 KiB passes, one byte more is 414")
    func targetBytes() throws {
        try Scene.play { scene throws in
            let longest = "/" + String(repeating: "a", count: 8191)
            try scene.get(longest, token: scene.token(), expecting: 200)
            let refused = try scene.get(longest + "a", token: scene.token())
            #expect(refused.status == 414)
            #expect(refused.text.contains("\"uri_too_long\""))
            #expect(scene.origin.requestLines == ["GET \(longest) HTTP/1.1"])
        }
    }

    @Test("A body of exactly client_max_body_size passes, one byte more is 413", arguments: [true, false])
    func bodyBytes(chunked: Bool) throws {
        try Scene.play(main: "client_max_body_size 1k;") { scene throws in
            for (count, status) in [(1024, 200), (1025, 413)] {
                let client = try scene.client()
                // It ends in a line end, for the origin's request lines to be told apart.
                let body = String(repeating: "x", count: count - 2) + "\r\n"
                if chunked {
                    // Head and body at once: a head that comes alone has gone upstream before the body is known.
                    let fields = "Host: api.example.com\r\nAuthorization: Bearer \(scene.token())\r\n"
                    try client.send(
                        "POST /\(count) HTTP/1.1\r\n\(fields)Transfer-Encoding: chunked\r\n\r\n"
                            + "\(String(count, radix: 16))\r\n\(body)\r\n0\r\n\r\n")
                } else {
                    try client.request("POST", "/\(count)", token: scene.token(), body: body)
                }
                let response = try client.response()
                #expect(response.status == status)
                #expect(status == 200 || response.text.contains("\"body_too_large\""))
            }
            try scene.expectNothingMoreUpstream(after: ["POST /1024 HTTP/1.1"])
        }
    }

    @Test("A connection beyond max_connections waits until another has ended", arguments: [1, 2])
    func connections(workers: Int) throws {
        try Scene.play(main: "max_connections 2;", workers: workers) { scene throws in
            let token = scene.token()
            let taken = try (1...2).map { _ in try scene.client() }
            for client in taken {
                try client.get("/taken", token: token)
                #expect(try client.response().status == 200)
            }
            let waiting = try scene.client()
            try waiting.get("/waited", token: token)
            // The proxy looks at its sockets for each of these, and could have taken the third.
            for _ in 1...20 {
                try taken[0].get("/taken", token: token)
                #expect(try taken[0].response().status == 200)
            }
            #expect(!waiting.socket.isReadable() && !scene.origin.received.contains("/waited"))
            taken[1].socket.shutDown()
            #expect(try waiting.response().status == 200)
        }
    }

    @Test("Without descriptors, connections wait, which the log says once, and are served when others have gone")
    func noDescriptors() throws {
        try Scene.play { scene throws in
            let token = scene.token()
            let served = try scene.client()
            try served.get(token: token)
            #expect(try served.response().status == 200)

            let folder = "/proc/\(scene.proxy.child.id)/fd"
            let highest = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { Int($0) }.max() ?? 0
            let lowering = try ChildProcess(
                "prlimit", ["--pid", "\(scene.proxy.child.id)", "--nofile=\(highest + 3):\(highest + 3)"],
                in: scene.folder, name: "prlimit")
            #expect(try lowering.waitForEnd() == .exited(0))
            let isSaid = { scene.proxy.child.errors.contains("connections are not accepted and wait") }
            var others: [RawClient] = []
            try eventually("there are no descriptors") {
                if !isSaid() { others.append(try scene.client()) }
                return isSaid()
            }
            let waiting = try scene.client()
            try waiting.get("/waiting", token: token)
            try served.get("/served", token: token)
            #expect(try served.response().status == 200)
            #expect(!scene.origin.received.contains("/waiting"))
            others = []
            #expect(try waiting.response().status == 200)
            #expect(scene.proxy.child.errors.split(separator: "\n").count { $0.contains("not accepted") } == 1)
        }
    }

    @Test("An origin that takes no more of an upload has timed out: 504 after proxy_send_timeout")
    func originTakesNothing() throws {
        let isOver = Mutex(false)
        defer { isOver.withLock { $0 = true } }
        try Scene.play(main: "proxy_send_timeout 300ms;", origin: { connection in
            _ = try connection.head()
            try eventually("the scenario is over", within: 120) { isOver.withLock { $0 } }
        }) { scene throws in
            let client = try scene.client()
            try client.request("POST", "/", token: scene.token(), fields: ["Content-Length: 1000000000"])
            let block = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
            try eventually("the proxy gives up") {
                _ = try client.socket.sendWithoutWaiting(block)
                return client.socket.isReadable()
            }
            let response = try client.response()
            #expect(response.status == 504)
            #expect(response.text.contains("\"upstream_timeout\""), "\(response.text)")
            isOver.withLock { $0 = true }
        }
    }

    @Test("A client that takes no more of a download is cut off, and the origin's exchange with it")
    func clientTakesNothing() throws {
        let originEnded = Mutex(false)
        try Scene.play(main: "client_body_timeout 300ms;", origin: { connection in
            _ = try connection.head()
            defer { originEnded.withLock { $0 = true } }
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while true { try connection.send([UInt8](repeating: UInt8(ascii: "x"), count: 65_536)) }
        }) { scene throws in
            let client = try scene.client(receiveBufferBytes: 16_384)
            try client.get(token: scene.token())
            #expect(try client.responseHead()["Content-Length"] == "1000000000")
            try eventually("the proxy drops the origin's connection") { originEnded.withLock { $0 } }
            #expect(try client.rest().count < 1_000_000_000)
        }
    }

    @Test("Hundreds of clients that stand still, each in its own way, keep nobody waiting")
    func standingStill() throws {
        let blocks = [UInt8](repeating: UInt8(ascii: "x"), count: 4 << 20)
        try Scene.play(origin: { connection in
            while let head = try connection.head() {
                if head.contains("/big") {
                    try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(blocks.count)\r\n\r\n")
                    try connection.socket.send(blocks, by: Deadline(seconds: 120))
                } else if head.contains("/upload") {
                    connection.waitForClose()
                } else {
                    try connection.answer()
                }
            }
        }) { scene throws in
            let token = scene.token()
            let silent = try (0..<100).map { _ in try scene.client() }
            let withinHead = try (0..<100).map { _ in try scene.client() }
            for client in withinHead { try client.send("GET / HTTP/1.1\r\nHost: api.example.com\r\nX: ") }
            let idle = try (0..<100).map { _ in try scene.client() }
            for client in idle {
                try client.get(token: token)
                #expect(try client.response().status == 200)
            }
            let withinBody = try (0..<20).map { _ in try scene.client() }
            for client in withinBody {
                try client.request("POST", "/upload", token: token, fields: ["Content-Length: 10"])
                try client.send("abc")
            }
            let readers = try (0..<20).map { _ in try scene.client(receiveBufferBytes: 16_384) }
            for client in readers {
                try client.get("/big", token: token)
                #expect(try client.responseHead().status == 200)
            }
            for _ in 1...50 { try scene.get("/served", token: token, expecting: 200) }
            // None of them was ended for that.
            for client in silent + withinHead + idle + withinBody { #expect(!client.socket.isReadable()) }
            for client in withinHead { try client.send("y\r\nAuthorization: Bearer \(token)\r\n\r\n") }
            for client in withinHead { #expect(try client.response().status == 200) }
            for client in readers { #expect(try client.bytes(blocks.count) == blocks) }
        }
    }
}
