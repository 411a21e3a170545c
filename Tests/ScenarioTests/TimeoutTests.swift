// Clients that are slow: each way of being slow has its bound, and other clients are served meanwhile.

import Testing

@Suite("Client timeouts", .scenario)
struct TimeoutTests {
    @Test("A head that never ends is timed out: 408, and nothing upstream")
    func head() throws {
        try Scene.play(main: "client_header_timeout 300ms;") { scene throws in
            let client = try scene.client()
            try client.send("GET / HTTP/1.1\r\nHost: api.exam")
            #expect(try client.response().status == 408)
            #expect(try client.isClosedByProxy())
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("The bound is on the whole head: bytes that trickle in do not extend it")
    func trickle() throws {
        try Scene.play(main: "client_header_timeout 300ms;") { scene throws in
            let client = try scene.client()
            try client.send("GET / HTTP/1.1\r\n")
            try eventually("the proxy gives up") {
                // A field's bytes for as long as they are taken.
                do { try client.send("X") } catch { return true }
                return client.socket.isReadable()
            }
            #expect(try client.response().status == 408)
        }
    }

    @Test("A body that stops is timed out, and the exchange upstream aborted")
    func body() throws {
        try Scene.play(main: "client_body_timeout 300ms;") { scene throws in
            let client = try scene.client()
            try client.request("POST", "/", token: scene.token(), fields: ["Content-Length: 10"])
            try client.send("abc")
            #expect(try client.response().status == 408)
            #expect(try client.isClosedByProxy())
        }
    }

    @Test("An idle connection is closed without a word")
    func idle() throws {
        try Scene.play(main: "keepalive_timeout 300ms;") { scene throws in
            let client = try scene.client()
            try client.get(token: scene.token())
            #expect(try client.response().status == 200)
            #expect(try client.isClosedByProxy())
        }
    }

    @Test("A client that says nothing at all is closed")
    func silent() throws {
        try Scene.play(main: "client_header_timeout 300ms; keepalive_timeout 300ms;") { scene throws in
            let client = try scene.client()
            #expect(try client.isClosedByProxy())
        }
    }

    @Test("Slow clients do not keep others waiting")
    func others() throws {
        try Scene.play(main: "client_header_timeout 60s;") { scene throws in
            let slow = try (0..<200).map { _ in try scene.client() }
            for client in slow { try client.send("GET / HTTP/1.1\r\nHo") }
            let token = scene.token()
            try scene.get(token: token, expecting: 200)
            for client in slow { try client.send("st: api.example.com\r\nAuthorization: Bearer \(token)\r\n\r\n") }
            for client in slow { #expect(try client.response().status == 200) }
        }
    }
}
