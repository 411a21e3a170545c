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
    }

    @Test("Each request leaves one JSON line, without its token and its query")
    func lines() throws {
        try Scene.play { scene throws in
            let token = scene.token()
            let forOther = scene.token(audience: "https://other.example.com")
            try scene.get("/orders?secret=s3cr3t", token: token, expecting: 200)
            try scene.get("/orders", token: forOther, expecting: 401)
            try scene.get("/none", expecting: 401)
            let lines = try eventually("three lines are written") {
                let lines = scene.proxy.child.output.split(separator: "\n")
                return lines.count >= 3 ? lines : nil
            }
            let decoded = try lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            #expect(decoded.map { $0.status } == [200, 401, 401])
            #expect(decoded.map { $0.code } == [nil, "wrong_audience", "missing_token"])
            #expect(decoded.map { $0.path } == ["/orders", "/orders", "/none"])
            #expect(decoded[0].subject == "auth0|alice")
            #expect(!scene.proxy.child.output.contains("s3cr3t"))
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
}
