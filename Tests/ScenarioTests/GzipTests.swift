// Responses compressed on their way, by the real binary, and read by a gzip that is not ours.

import Foundation
import Synchronization
import Testing

@Suite("Compressed responses", .scenario)
struct GzipTests {
    private static let json = "[" + String(repeating: "{\"item\":\"tea\",\"price\":3},", count: 400) + "{}]"
    private static let fields = ["Content-Type: application/json; charset=utf-8", "ETag: \"v1\"", "Accept-Ranges: bytes"]
    private static let answering: ScriptedOrigin.Script = { connection in
        while try connection.request() != nil { try connection.answer(json, fields: fields) }
    }

    /// What gzip makes of the bytes, as far as they go.
    private func unpacked(_ bytes: [UInt8], in scene: Scene) throws -> String {
        let file = scene.folder.appending(path: "body.gz")
        try Data(bytes).write(to: file)
        let gzip = try ChildProcess("gzip", ["-dc", file.path], in: scene.folder, name: "gzip")
        _ = try gzip.waitForEnd()
        return gzip.output
    }

    @Test("A client that takes gzip gets it, in chunks, with a weak tag and what caches need to know")
    func compressed() throws {
        try Scene.play(main: "gzip on;", origin: Self.answering) { scene throws in
            let client = try scene.client()
            let token = scene.token()
            for _ in 1...2 {
                try client.get(token: token, fields: ["Accept-Encoding: br, gzip"])
                let response = try client.response()
                #expect(response["Content-Encoding"] == "gzip")
                #expect(response["Vary"] == "Accept-Encoding")
                #expect(response["ETag"] == "W/\"v1\"")
                #expect(response["Transfer-Encoding"] == "chunked")
                #expect(response.values(of: "Content-Length") == [] && response.values(of: "Accept-Ranges") == [])
                #expect(response.body.count < Self.json.utf8.count / 4)
                #expect(try unpacked(response.body, in: scene) == Self.json)
            }
        }
    }

    @Test("Who does not take it gets the backend's own bytes, and caches are told that others may not", arguments: [
        [], ["Accept-Encoding: gzip;q=0"], ["Accept-Encoding: identity, br"],
    ])
    func identity(accept: [String]) throws {
        try Scene.play(main: "gzip on;", origin: Self.answering) { scene throws in
            let response = try scene.get(token: scene.token(), fields: accept)
            #expect(response.text == Self.json)
            #expect(response["Content-Length"] == "\(Self.json.utf8.count)")
            #expect(response["ETag"] == "\"v1\"" && response["Vary"] == "Accept-Encoding")
        }
    }

    @Test("Nothing is touched where it is off, short, coded already or not to be transformed", arguments: [
        ("", "Content-Type: application/json"), ("gzip on; gzip_min_length 1m;", "Content-Type: application/json"),
        ("gzip on;", "Content-Type: image/png"), ("gzip on;", "Content-Type: text/plain\r\nContent-Encoding: br"),
        ("gzip on;", "Content-Type: text/plain\r\nCache-Control: no-transform"),
    ])
    func untouched(main: String, fields: String) throws {
        try Scene.play(main: main, origin: { connection in
            while try connection.request() != nil { try connection.answer(Self.json, fields: [fields]) }
        }) { scene throws in
            let response = try scene.get(token: scene.token(), fields: ["Accept-Encoding: gzip"])
            #expect(response.text == Self.json)
            #expect(response.values(of: "Vary") == [])
        }
    }

    @Test("The response to HEAD says what a GET would get, and the connection goes on")
    func head() throws {
        try Scene.play(main: "gzip on;", origin: { connection in
            while let request = try connection.request() {
                let body = request.startLine.hasPrefix("HEAD") ? "" : Self.json
                let lines = ["HTTP/1.1 200 OK", "Content-Length: \(Self.json.utf8.count)"] + Self.fields
                try connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
            }
        }) { scene throws in
            let client = try scene.client()
            try client.request("HEAD", "/", token: scene.token(), fields: ["Accept-Encoding: gzip"])
            let response = try client.response(toHead: true)
            #expect(response["Content-Encoding"] == "gzip" && response.values(of: "Content-Length") == [])
            try client.get(token: scene.token())
            #expect(try client.response().text == Self.json)
        }
    }

    @Test("An event goes out at once, whatever may follow it")
    func events() throws {
        let mayEnd = Mutex(false)
        try Scene.play(main: "gzip on; gzip_types text/event-stream;", origin: { connection in
            _ = try connection.head()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            try connection.send("d\r\ndata: first\n\n\r\n")
            try eventually("the origin may end", within: 120) { mayEnd.withLock { $0 } }
            try connection.send("e\r\ndata: second\n\n\r\n0\r\nServer-Timing: a\r\n\r\n")
        }) { scene throws in
            let client = try scene.client()
            try client.get(token: scene.token(), fields: ["Accept-Encoding: gzip"])
            #expect(try client.responseHead()["Content-Encoding"] == "gzip")
            var received: [UInt8] = []
            // One chunk: its size line, then that many bytes.
            func chunk() throws -> [UInt8] {
                var line: [UInt8] = []
                while !line.suffix(2).elementsEqual([13, 10]) { line += try client.bytes(1) }
                let count = try #require(Int(latin1Text(line.dropLast(2)), radix: 16))
                return try Array(client.bytes(count + 2).dropLast(2))
            }
            received += try chunk()
            #expect(try unpacked(received, in: scene) == "data: first\n\n")
            mayEnd.withLock { $0 = true }
            while try unpacked(received, in: scene) != "data: first\n\ndata: second\n\n" { received += try chunk() }
            // What ends the gzip stream may be a chunk of its own; the trailers come behind the last one.
            var rest = ""
            while !rest.hasSuffix("0\r\nServer-Timing: a\r\n\r\n") { rest += try latin1Text(client.bytes(1)) }
        }
    }

    @Test("A body that the backend does not finish does not pass for a whole one")
    func cutShort() throws {
        try Scene.play(main: "gzip on;", origin: { connection in
            _ = try connection.head()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5000\r\n\r\nonly this")
        }) { scene throws in
            let client = try scene.client()
            try client.get(token: scene.token(), fields: ["Accept-Encoding: gzip"])
            #expect(try client.responseHead()["Content-Encoding"] == "gzip")
            #expect(try !latin1Text(client.rest()).hasSuffix("0\r\n\r\n"))
            try eventually("it is logged") { scene.proxy.child.output.contains("upstream_invalid_response") }
        }
    }

    @Test("A long body is compressed as it comes, in bounded memory")
    func long() throws {
        let block = [UInt8](Self.json.utf8)
        let blocks = 2000
        try Scene.play(main: "gzip on;", origin: { connection in
            while try connection.request() != nil {
                try connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: \(block.count * blocks)\r\n\r\n")
                for _ in 0..<blocks { try connection.send(block) }
            }
        }) { scene throws in
            let token = scene.token()
            try scene.get("/warm", expecting: 401)
            let before = try scene.proxy.child.residentBytes().present
            let response = try scene.get(token: token, fields: ["Accept-Encoding: gzip"])
            #expect(try scene.proxy.child.residentBytes().peak - before < 12 << 20)
            #expect(try unpacked(response.body, in: scene).utf8.count == block.count * blocks)
        }
    }
}
