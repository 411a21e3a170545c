// Switching protocols: by an allow-list, on the backend's word alone, for no longer than the token is good.

import Foundation
import Synchronization
import Testing

@Suite("Tunnels", .scenario)
struct TunnelTests {
    /// Key and answer of RFC 6455 §1.3.
    private static let handshake = [
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    private static let switching =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

    /// Switches, then sends back whatever comes, and ends when that does.
    private static let echoing: ScriptedOrigin.Script = { connection in
        guard let head = try connection.head() else { return }
        guard head.contains("Upgrade: websocket") else { return try connection.answer("plain") }
        try connection.send(switching)
        while true {
            let bytes = try connection.socket.receive(by: Deadline(seconds: 120))
            if bytes.isEmpty { break }
            try connection.send(bytes)
        }
    }

    private func open(_ scene: Scene, token: String? = nil) throws -> RawClient {
        let client = try scene.client()
        try client.get("/chat", token: token ?? scene.token(), fields: Self.handshake)
        let response = try client.responseHead()
        #expect(response.status == 101, "\(response.head)")
        return client
    }

    @Test("A switch is offered and answered in canonical form, and bytes then pass both ways")
    func switches() throws {
        try Scene.play(origin: Self.echoing) { scene throws in
            let client = try scene.client()
            try client.get("/chat", token: scene.token(), fields: Self.handshake)
            let response = try client.responseHead()
            #expect(response.startLine == "HTTP/1.1 101 Switching Protocols")
            #expect(response["Connection"] == "upgrade")
            #expect(response["Upgrade"] == "websocket")
            #expect(response["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            let upstream = try scene.onlyRequest()
            #expect(upstream["Connection"] == "upgrade")
            #expect(upstream["Upgrade"] == "websocket")
            #expect(upstream["Sec-WebSocket-Key"] == "dGhlIHNhbXBsZSBub25jZQ==")
            #expect(upstream["X-Auth-Subject"] == "auth0|alice")
            for text in ["GET / HTTP/1.1\r\n\r\n", "\u{0}\u{FF}", String(repeating: "long ", count: 20_000)] {
                try client.send(text)
                #expect(try latin1Text(client.bytes(latin1Bytes(text).count)) == text)
            }
        }
    }

    @Test("What a client sends before the switch waits for it")
    func earlyBytes() throws {
        let mayAnswer = Mutex(false)
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try eventually("the origin may answer", within: 120) { mayAnswer.withLock { $0 } }
            try connection.send(Self.switching + "hello")
            connection.waitForClose()
        }) { scene throws in
            let client = try scene.client()
            try client.send(
                "GET /chat HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer \(scene.token())\r\n"
                    + Self.handshake.joined(separator: "\r\n") + "\r\n\r\nearly")
            let upstream = try eventually("the origin has the head") {
                scene.origin.connections.first.flatMap { latin1Text($0.bytes).hasSuffix("\r\n\r\n") ? $0 : nil }
            }
            #expect(try !latin1Text(upstream.bytes).contains("early") && upstream.sentByProxy() == upstream.bytes.count)
            mayAnswer.withLock { $0 = true }
            #expect(try client.responseHead().status == 101)
            #expect(try latin1Text(client.bytes(5)) == "hello")
            try eventually("the origin has the bytes") { latin1Text(upstream.bytes).hasSuffix("\r\n\r\nearly") }
        }
    }

    @Test("Where the backend does not switch, what the client sent behind its head is a request like any other")
    func refusedSwitch() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.send(
                "GET /chat HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer \(scene.token())\r\n"
                    + Self.handshake.joined(separator: "\r\n") + "\r\n\r\n"
                    + "GET /smuggled HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
            #expect(try client.response().status == 200)
            #expect(try client.response().status == 401)
            #expect(scene.origin.requestLines == ["GET /chat HTTP/1.1"])
        }
    }

    @Test("Protocols that are not listed are not offered, h2c never", arguments: [
        ("", "h2c"), ("", "websocket/x"), ("upgrade off;", "websocket"), ("upgrade foo;", "websocket"),
    ])
    func unlisted(main: String, name: String) throws {
        try Scene.play(main: main) { scene throws in
            try scene.get(
                token: scene.token(), fields: ["Connection: Upgrade, HTTP2-Settings", "Upgrade: \(name)", "HTTP2-Settings: x"],
                expecting: 200)
            let upstream = try scene.onlyRequest()
            for field in ["Connection", "Upgrade", "HTTP2-Settings"] { #expect(upstream.values(of: field) == []) }
        }
    }

    @Test("A 101 that the backend did not derive from the request switches nothing: 502", arguments: [
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAALMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\n",
        "Connection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
        "Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
        "",
    ])
    func forged(fields: String) throws {
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.send("HTTP/1.1 101 Switching Protocols\r\n\(fields)\r\n")
            connection.waitForClose()
        }) { scene throws in
            let client = try scene.client()
            try client.get("/chat", token: scene.token(), fields: Self.handshake)
            let response = try client.response()
            #expect(response.status == 502 && response.text.contains("upstream_invalid_response"))
            try client.send("more")
        }
    }

    @Test("A 101 that nobody asked for is no answer: 502")
    func unasked() throws {
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.send(Self.switching)
            connection.waitForClose()
        }) { scene throws in
            #expect(try scene.get(token: scene.token()).status == 502)
        }
    }

    @Test("A side that has said all is still answered: each end is passed on by itself")
    func halfClose() throws {
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.send(Self.switching)
            let said = try connection.rest()
            try connection.send("you said " + latin1Text(said))
        }) { scene throws in
            let client = try open(scene)
            try client.send("goodbye")
            client.finishSending()
            #expect(try latin1Text(client.rest()) == "you said goodbye")
            try eventually("it is logged, with its time upstream") { scene.proxy.child.output.contains("\"upstream_ms\":") }
        }
    }

    @Test("A backend that has said all still hears the client")
    func upstreamHalfClose() throws {
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.send(Self.switching + "that is all")
            connection.socket.finishSending()
            _ = try connection.rest()
        }) { scene throws in
            let client = try open(scene)
            #expect(try latin1Text(client.rest()) == "that is all")
            try client.send("still here")
            client.finishSending()
            let upstream = try #require(scene.origin.connections.first)
            try eventually("the origin has heard it") { latin1Text(upstream.bytes).hasSuffix("still here") }
            try eventually("it is logged") { scene.proxy.child.output.contains("\"response_bytes\":11") }
            #expect(scene.proxy.child.output.contains("\"status\":101"))
            #expect(scene.proxy.child.output.contains("\"request_bytes\":10"))
        }
    }

    @Test("A client that dies takes the backend's end with it")
    func clientDies() throws {
        let hasEnded = Mutex(false)
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.send(Self.switching)
            _ = try? connection.rest()
            hasEnded.withLock { $0 = true }
        }) { scene throws in
            let client = try open(scene)
            try client.send("x")
            client.socket.reset()
            try eventually("the origin's connection ends") { hasEnded.withLock { $0 } }
        }
    }

    @Test("Whoever does not read holds the other side back, in bounded memory, and then gets everything")
    func backpressure() throws {
        let byteCount = 32 << 20
        let block = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.send(Self.switching)
            for _ in 0..<byteCount / block.count { try connection.send(block) }
        }) { scene throws in
            try scene.get("/warm", expecting: 401)
            let before = try scene.proxy.child.residentBytes().present
            let client = try scene.client(receiveBufferBytes: 16_384)
            try client.get("/chat", token: scene.token(), fields: Self.handshake)
            #expect(try client.responseHead().status == 101)
            // Nothing is read for as long as the origin can send: until the proxy has taken all it will take.
            var sent = -1
            var unchanged = 0
            try eventually("the origin is held back") {
                let now = try client.socket.bytesOnTheirWayHere()
                unchanged = now == sent ? unchanged + 1 : 0
                sent = now
                return unchanged >= 20
            }
            #expect(try client.rest().count == byteCount)
            #expect(try scene.proxy.child.residentBytes().peak - before < 8 << 20)
        }
    }

    @Test("A tunnel ends when its token has expired and the grace is over, which the log says")
    func expiry() throws {
        let now = Int(Date().timeIntervalSince1970)
        try Scene.play(issuerBlock: "leeway 0s;", main: "websocket_expiry_grace 1s;", origin: Self.echoing) { scene throws in
            let client = try open(scene, token: scene.token(claims: ["exp": .number(now + 4)]))
            try client.send("still good")
            #expect(try latin1Text(client.bytes(10)) == "still good")
            #expect(try client.isClosedByProxy())
            #expect(Int(Date().timeIntervalSince1970) >= now + 5)
            try eventually("it is logged") { scene.proxy.child.output.contains("\"code\":\"token_expired\"") }
        }
    }

    @Test("A tunnel in which nothing moves ends by proxy_read_timeout")
    func idle() throws {
        try Scene.play(main: "proxy_read_timeout 400ms;", origin: Self.echoing) { scene throws in
            let client = try open(scene)
            #expect(try client.isClosedByProxy())
        }
    }
}
