// The bytes within TLS: ends that nobody else can make, long bodies, tunnels, and clients that take their time.

import Foundation
import OpenSSLKit
import Testing

@Suite("Streams within TLS", .scenario)
struct TLSStreamTests {
    @Test("A client that has said its end is answered, and told the proxy's end")
    func halfClose() throws {
        try Scene.playTLS { scene throws in
            let outcome = try scene.tls([.handshake, .send(scene.getText()), .sayEnd, .response, .rest])[0]
            #expect(outcome.error == nil, "\(outcome)")
            #expect(outcome.statuses == [200])
        }
    }

    @Test("A body that ends with the connection ends with close_notify, and without where the backend's was cut short", arguments: [
        (true, "TLSv1.2"), (true, "TLSv1.3"), (false, "TLSv1.2"), (false, "TLSv1.3"),
    ])
    func endOfBody(_ isWhole: Bool, _ version: String) throws {
        try Scene.playTLS(origin: { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n" + (isWhole ? "0\r\n\r\n" : ""))
        }) { scene throws in
            let old = "GET / HTTP/1.0\r\nAuthorization: Bearer \(scene.token())\r\n\r\n"
            let outcome = try scene.tls(with: ["least": version, "most": version], [.handshake, .send(old), .rest])[0]
            #expect((outcome.error == nil) == isWhole, "\(outcome)")
            if isWhole { #expect(outcome.responses.last?.hasSuffix("\r\n\r\nhello") == true, "\(outcome)") }
        }
    }

    @Test("A request's body that is cut short within TLS does not reach the backend as if it were whole", arguments: [
        TLSStep.cut, .sayEnd,
    ])
    func cutBody(_ end: TLSStep) throws {
        try Scene.playTLS { scene throws in
            let head = "POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(scene.token())\r\n"
            for framing in ["Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"] {
                _ = try scene.tls([.handshake, .send(head + framing), end, .rest])
            }
            try eventually("both connections to the backend are over") {
                scene.origin.connections.count == 2 && scene.proxy.child.output.components(separatedBy: "\"status\":499").count == 3
            }
            #expect(!scene.origin.received.contains("\r\n0\r\n\r\n"))
        }
    }

    @Test("Long bodies pass both ways unchanged", arguments: ["TLSv1.2", "TLSv1.3"])
    func longBodies(_ version: String) throws {
        let count = 6_000_000
        try Scene.playTLS(origin: { connection in
            while let request = try connection.request() {
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\n\r\n")
                try connection.send(request.body)
            }
        }) { scene throws in
            let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\nAuthorization: Bearer \(scene.token())\r\n\r\n"
            let turn: [TLSStep] = [.send(head), .sendBig(count), .response]
            let outcome = try scene.tls(with: ["least": version, "most": version], [.handshake] + turn + turn)[0]
            #expect(outcome.statuses == [200, 200], "\(outcome.error ?? "")")
            let body = (0..<count).map { $0 < count / 251 * 251 ? UInt8($0 % 251) : 0 }
            let digest = TLSScene.hex(SHA256Digest(of: body.span).bytes)
            #expect(outcome.responses.allSatisfy { $0.hasSuffix(digest) })
        }
    }

    @Test("A tunnel passes within TLS, and its ends are told")
    func tunnel() throws {
        try Scene.playTLS(origin: { connection in
            _ = try connection.head()
            try connection.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
            try connection.send(connection.bytes(9))
            #expect(try connection.rest() == Array("more".utf8))
            try connection.send("the end")
        }) { scene throws in
            let upgrade = scene.getText(
                fields: [
                    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                ])
            let outcome = try scene.tls([
                .handshake, .send(upgrade), .response, .send("\u{0}GET / \r\n"), .bytes(9), .send("more"), .sayEnd, .rest,
            ])[0]
            #expect(outcome.error == nil, "\(outcome)")
            #expect(outcome.statuses == [101])
            #expect(outcome.responses.suffix(2) == ["\u{0}GET / \r\n", "the end"])
        }
    }

    @Test("Slow handshakes keep nobody waiting, are counted, and end with client_header_timeout")
    func slowHandshakes() throws {
        try Scene.playTLS(main: "client_header_timeout 5s; \(Scene.adminLine)") { scene throws in
            let began = ContinuousClock.now
            let slow = try (0..<100).map { _ in try scene.client() }
            // The beginning of a client's hello: a record of 512 bytes, of which six come.
            for client in slow { try client.send("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}") }
            let outcome = try scene.tls([.handshake, .send(scene.getText()), .response])[0]
            #expect(outcome.statuses == [200])
            #expect(try scene.metrics()["antechamber_connections{side=\"client\",state=\"handshake\"}"] == 100)
            for client in slow { #expect(try client.rest().isEmpty) }
            #expect(began.duration(to: .now) >= .seconds(5))
            #expect(scene.origin.requestLines.count == 1)
        }
    }

    @Test("A client that agrees on TLS and then is silent, or sends half a record, ends with client_header_timeout too", arguments: [false, true])
    func silent(_ sendsHalf: Bool) throws {
        try Scene.playTLS(main: "client_header_timeout 2s;") { scene throws in
            let half: [TLSStep] = sendsHalf ? [.half(scene.getText())] : []
            let began = ContinuousClock.now
            _ = try scene.tls([.handshake] + half + [.rest])
            let seconds = began.duration(to: .now).components.seconds
            #expect((2..<30).contains(seconds), "keepalive_timeout is 75 s")
            #expect(scene.origin.connections.isEmpty)
        }
    }
}
