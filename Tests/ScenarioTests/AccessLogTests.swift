// What the access log says of a request, and what it never holds.

import Foundation
import Testing

@Suite("Access log", .scenario)
struct AccessLogTests {
    private struct Line: Decodable {
        var method: String
        var path: String
        var status: Int
        var code: String?
        var subject: String?
        var request_bytes: Int
        var response_bytes: Int
    }

    @Test("Each request leaves one JSON line, without its token and its query")
    func lines() throws {
        try Scene.play { scene throws in
            let token = scene.token()
            let forOther = scene.token(audience: "https://other.example.com")
            try scene.get("/orders?secret=s3cr3t", token: token, expecting: 200)
            try scene.get("/orders", token: forOther, expecting: 401)
            try scene.get("/none", expecting: 401)
            let decoded = try lines(3, of: scene)
            #expect(decoded.map { $0.status } == [200, 401, 401])
            #expect(decoded.map { $0.code } == [nil, "wrong_audience", "missing_token"])
            #expect(decoded.map { $0.path } == ["/orders", "/orders", "/none"])
            #expect(decoded[0].subject == "auth0|alice")
            #expect(!scene.proxy.child.output.contains("s3cr3t"))
        }
    }

    @Test("A refusal's line counts its own bytes, not those of the request before")
    func bytesOfRefusal() throws {
        try Scene.play(origin: { connection in
            while try connection.request() != nil { try connection.answer(String(repeating: "a", count: 7777)) }
        }) { scene throws in
            let first = try scene.client()
            try first.request("POST", "/", token: scene.token(), body: "hello")
            #expect(try first.response().status == 200)
            let refusal = try scene.get("/")
            #expect(refusal.status == 401)
            let decoded = try lines(2, of: scene)
            #expect(decoded.map { $0.request_bytes } == [5, 0])
            #expect(decoded.map { $0.response_bytes } == [7777, refusal.body.count])
        }
    }

    @Test("Nothing a client sends can start a line of its own")
    func injection() throws {
        try Scene.play { scene throws in
            let token = scene.token(subject: "x\"}\n{\"forged\":\"line")
            try scene.get("/%22%7D?", token: token, expecting: 200)
            let text = try eventually("the line is written") {
                scene.proxy.child.output.hasSuffix("\n") ? scene.proxy.child.output : nil
            }
            #expect(text.split(separator: "\n").count == 1)
            #expect(try JSONDecoder().decode(Line.self, from: Data(text.utf8)).subject == "x\"}\n{\"forged\":\"line")
        }
    }

    private func lines(_ count: Int, of scene: Scene) throws -> [Line] {
        let lines = try eventually("\(count) lines are written") {
            let text = scene.proxy.child.output
            return text.count { $0 == "\n" } >= count ? text.split(separator: "\n") : nil
        }
        return try lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    }
}
