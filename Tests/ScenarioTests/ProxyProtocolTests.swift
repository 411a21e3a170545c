// A listener with `proxy_protocol`: whom it serves, and whose address it believes.

import Foundation
import Testing

@Suite("The PROXY protocol", .scenario)
struct ProxyProtocolTests {
    private static let trusted = "trusted_proxies 127.0.0.1 198.51.100.0/24;"
    private static let line = "PROXY TCP4 203.0.113.7 192.0.2.1 56250 8080\r\n"
    private static let signature: [UInt8] = Array("\r\n\r\n\0\r\nQUIT\n".utf8)

    /// A version 2 header for a TCP connection over IPv6, with something appended.
    private static let binary: [UInt8] =
        signature + [0x21, 0x21, 0, 40, 0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7]
        + [UInt8](repeating: 0, count: 15) + [1, 0xDB, 0xBA, 0x1F, 0x90, 4, 0, 1, 0]

    private func get(_ scene: Scene, _ path: String = "/", fields: [String] = []) -> String {
        let lines = ["GET \(path) HTTP/1.1", "Host: api.example.com", "Authorization: Bearer \(scene.token())"] + fields
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test("The header's address is the client's: for the backend and in the log", arguments: [
        (Array(line.utf8), "203.0.113.7", "203.0.113.7"), (binary, "2001:db8::7", "\"[2001:db8::7]\""),
        (signature + [0x21, 0x12, 0, 12, 203, 0, 113, 7, 192, 0, 2, 1, 0, 1, 0, 2], "203.0.113.7", "203.0.113.7"),
        (Array("PROXY UNKNOWN\r\n".utf8), "127.0.0.1", "127.0.0.1"), (signature + [0x20, 0, 0, 0], "127.0.0.1", "127.0.0.1"),
    ])
    func address(_ header: [UInt8], _ address: String, _ node: String) throws {
        try Scene.play(main: Self.trusted, listen: "proxy_protocol") { scene throws in
            let client = try scene.client()
            try client.send(header + Array(get(scene, "/1").utf8))
            #expect(try client.response().status == 200)
            try client.send(get(scene, "/2") + get(scene, "/3"))
            for _ in 2...3 { #expect(try client.response().status == 200) }
            let received = scene.origin.received
            #expect(received.components(separatedBy: "\r\nX-Forwarded-For: \(address)\r\n").count == 4, "\(received)")
            #expect(received.components(separatedBy: "\r\nForwarded: for=\(node);host=").count == 4)
            #expect(scene.origin.requestLines.map { $0.prefix(6) } == ["GET /1", "GET /2", "GET /3"])
            #expect(try logLines(3, of: scene).allSatisfy { $0.client == address })
        }
    }

    @Test("A client that reached the proxy in front by a Unix socket has no address")
    func unixClient() throws {
        try Scene.play(main: Self.trusted, listen: "proxy_protocol") { scene throws in
            let client = try scene.client()
            let header = Self.signature + [0x21, 0x31, 0, 216] + [UInt8](repeating: 0x61, count: 216)
            try client.send(header + Array(get(scene, fields: ["X-Forwarded-For: 6.6.6.6"]).utf8))
            #expect(try client.response().status == 200)
            #expect(try scene.onlyRequest().values(of: "X-Forwarded-For") == [])
            #expect(try logLines(1, of: scene)[0].client == "unix")
        }
    }

    @Test("The header may come byte by byte, and the request some time after it", arguments: [Array(line.utf8), binary])
    func pieces(_ header: [UInt8]) throws {
        try Scene.play(main: Self.trusted, listen: "proxy_protocol") { scene throws in
            let client = try scene.client()
            for byte in header { try client.send([byte]) }
            for byte in get(scene).utf8 { try client.send([byte]) }
            #expect(try client.response().status == 200)
            #expect(try scene.onlyRequest().values(of: "X-Forwarded-For")[0] != "127.0.0.1")
        }
    }

    @Test("The fields of a client are believed where the header says that it is a trusted proxy, and only there", arguments: [
        ("203.0.113.7", "203.0.113.7"), ("198.51.100.9", "192.0.2.55, 198.51.100.9"),
    ])
    func trustedClient(_ address: String, _ chain: String) throws {
        try Scene.play(main: Self.trusted, listen: "proxy_protocol") { scene throws in
            let client = try scene.client()
            let fields = ["X-Forwarded-For: 192.0.2.55"]
            try client.send("PROXY TCP4 \(address) 192.0.2.1 1 2\r\n" + get(scene, fields: fields))
            #expect(try client.response().status == 200)
            #expect(try scene.onlyRequest().values(of: "X-Forwarded-For") == [chain])
        }
    }

    @Test("Whoever begins with anything else is not answered, nor is anything sent upstream", arguments: [
        "GET /secret HTTP/1.1\r\nHost: a\r\n\r\n", "PROXY TCP4 evil 192.0.2.1 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 1 2\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n\0\r\nQUIZ\n", "\u{16}\u{03}\u{01}",
        "PROXY " + String(repeating: "secret", count: 20), "PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\nPROXY UNKNOWN\r\n\r\n",
    ])
    func garbage(_ bytes: String) throws {
        try Scene.play(main: Self.trusted, listen: "proxy_protocol") { scene throws in
            let client = try scene.client()
            try client.send(bytes)
            if bytes.hasSuffix("UNKNOWN\r\n\r\n") {
                // The second one is a request's first line to us, and a bad one.
                #expect(try client.response().status == 400)
            } else {
                #expect(try client.rest(orReset: true).isEmpty)
                let log = try eventually("the log tells of it") {
                    scene.proxy.child.errors.contains("sent no PROXY header") ? scene.proxy.child.errors : nil
                }
                #expect(log.components(separatedBy: "client 127.0.0.1: closed: it sent no PROXY header").count == 2)
                #expect(!log.contains("secret") && !log.contains("evil"))
            }
            let last = try scene.client()
            try last.send(Self.line + get(scene, "/the-last-one"))
            #expect(try last.response().status == 200)
            #expect(scene.origin.requestLines == ["GET /the-last-one HTTP/1.1"])
        }
    }

    @Test("A header has to come within client_header_timeout", arguments: ["", "PROXY TCP4 203.0", "\r\n\r\n\0\r\nQUIT\n"])
    func timeout(_ beginning: String) throws {
        try Scene.play(main: Self.trusted + "client_header_timeout 200ms;", listen: "proxy_protocol") { scene throws in
            let client = try scene.client()
            try client.send(beginning)
            #expect(try client.rest(orReset: true).isEmpty)
            try eventually("the log tells of it") { scene.proxy.child.errors.contains("sent no PROXY header") }
        }
    }

    @Test("After its header, a connection has client_header_timeout for its first request")
    func timeoutOfRequest() throws {
        try Scene.play(main: Self.trusted + "client_header_timeout 200ms;", listen: "proxy_protocol") { scene throws in
            let client = try scene.client()
            try client.send(Self.line)
            #expect(try client.rest(orReset: true).isEmpty)
            let slow = try scene.client()
            try slow.send(Self.line + "GET / HT")
            #expect(try slow.response().status == 408)
        }
    }

    @Test("A port that is only tried, as balancers do, leaves nothing in the log")
    func portCheck() throws {
        try Scene.play(main: Self.trusted, listen: "proxy_protocol") { scene throws in
            let check = try scene.client()
            check.finishSending()
            #expect(try check.rest(orReset: true).isEmpty)
            let client = try scene.client()
            try client.send(Self.line + get(scene))
            #expect(try client.response().status == 200)
            #expect(!scene.proxy.child.errors.contains("PROXY"))
        }
    }

    @Test("Who is no trusted proxy is not served, whatever it sends")
    func untrusted() throws {
        try Scene.play(main: "trusted_proxies 198.51.100.0/24 unix:;", listen: "proxy_protocol") { scene throws in
            for bytes in [Self.line, "", "PROXY UNKNOWN\r\n"] {
                let client = try scene.client()
                // It may be closed before all is sent.
                try? client.send(bytes + get(scene))
                #expect(try client.rest(orReset: true).isEmpty)
            }
            try eventually("the log tells of each") {
                scene.proxy.child.errors.components(separatedBy: "client 127.0.0.1: refused").count == 4
            }
            #expect(scene.origin.received == "")
        }
    }

    @Test("A listener without it takes a header for a bad request", arguments: [line, "PROXY UNKNOWN\r\n"])
    func plainListener(_ header: String) throws {
        try Scene.play(main: Self.trusted) { scene throws in
            let client = try scene.client()
            try client.send(header + get(scene))
            #expect(try client.response().status == 400)
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("health asks a listener that takes it where it is trusted itself, and says so where it is not")
    func health() throws {
        try Scene.play(main: Self.trusted, listen: "proxy_protocol") { scene throws in
            let text = try String(contentsOf: scene.folder.appending(path: "proxy.conf"), encoding: .utf8)
            func health(_ configuration: String) throws -> (ending: ChildProcess.Ending, errors: String) {
                let file = scene.folder.appending(path: "health.conf")
                try configuration.write(to: file, atomically: true, encoding: .utf8)
                let outcome = try ProxyProcess.finish(["health", "--config", file.path], in: scene.folder)
                return (outcome.ending, outcome.errors)
            }
            let asked = text.replacing("127.0.0.1:0", with: "\(scene.proxy.port)")
            #expect(try health(asked).ending == .exited(0))
            let untrusted = try health(asked.replacing("trusted_proxies 127.0.0.1", with: "trusted_proxies"))
            #expect(untrusted.ending == .exited(1))
            #expect(untrusted.errors.contains("add 127.0.0.1 there"), "\(untrusted.errors)")
        }
    }
}

extension RawClient {
    /// All that comes until the proxy closes, or resets the connection since it has not read all.
    fileprivate func rest(orReset: Bool) throws -> [UInt8] {
        do {
            return try rest()
        } catch is SocketReset {
            return []
        }
    }
}
