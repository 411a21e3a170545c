// The README's way of reading the headers in Node, run as it stands there.

import Foundation
import Testing

@Suite("Reading the headers in Node, as the README does", .scenario)
struct ReadingClaimsTests {
    @Test("Each encoding is read back to what the token holds")
    func readme() throws {
        let readme = try String(contentsOf: repository.appending(path: "README.md"), encoding: .utf8)
        let section = try #require(readme.range(of: "\n## Choosing what the backend is told\n")).upperBound
        let forward = try block("nginx", of: readme[section...])
        let program = try block("js", of: readme[section...])
        #expect(program.contains(".listen(3000)"))
        let served = program.replacing(
            ".listen(3000)", with: ".listen(0, '127.0.0.1', function () { console.log(`port ${this.address().port}.`); })")

        try withTemporaryFolder { folder in
            let script = folder.appending(path: "backend.mjs")
            try served.write(to: script, atomically: true, encoding: .utf8)
            let node = try ChildProcess("node", [script.path], in: folder, name: "backend")
            defer { node.kill() }
            let port = try eventually("the README's backend listens") {
                if node.ended != nil { throw ScenarioError("it ended:\n\(node.errors)") }
                return node.output.firstMatch(of: /port ([0-9]+)\./).map { String($0.1) }
            }
            try Scene.play(main: forward, upstream: "127.0.0.1:\(port)") { scene throws in
                let roles: JSONValue = .array(["admin", "a,b", "50 % é\r\n", ""])
                let token = scene.token(
                    subject: "auth0|zo\u{eb} %\r\n",
                    claims: [
                        "https://example.com/claims": .object(["roles": roles]), "name": "Zo\u{eb} \u{1F600}\u{0}",
                        "org": .object(["id": .number(7), "teams": .array([.array(["x"]), .bool(true)])]), "email": nil,
                    ])
                let response = try scene.get(token: token, fields: ["X-Auth-Email: forged@example.com"])
                #expect(response.status == 200)
                let read = try JSONDecoder().decode(Answer.self, from: Data(response.body))
                #expect(read.subject == "auth0|zo\u{eb} %\r\n")
                #expect(read.roles == ["admin", "a,b", "50 % é\r\n", ""])
                #expect(read.name == "Zo\u{eb} \u{1F600}\u{0}")
                #expect(read.org.id == 7 && read.org.teams.count == 2)
                #expect(read.claims.aud == Scene.audience && read.claims.sub == read.subject)
                #expect(read.email == nil)

                let bare = try scene.get(token: scene.token(claims: ["name": "", "org": .object(["id": .number(1), "teams": .array([])])]))
                let least = try JSONDecoder().decode(Answer.self, from: Data(bare.body))
                #expect(least.roles == [] && least.name == "")
            }
        }
    }

    private struct Answer: Decodable {
        struct Organisation: Decodable {
            enum Team: Decodable {
                case list([String])
                case bool(Bool)

                init(from decoder: any Decoder) throws {
                    let value = try decoder.singleValueContainer()
                    if let list = try? value.decode([String].self) { self = .list(list) } else { self = .bool(try value.decode(Bool.self)) }
                }
            }
            var id: Int
            var teams: [Team]
        }
        struct Claims: Decodable {
            var sub: String
            var aud: String
        }
        var subject: String
        var roles: [String]
        var name: String
        var org: Organisation
        var email: String?
        var claims: Claims
    }

    private let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The first fenced block of that language.
    private func block(_ language: String, of text: Substring) throws -> String {
        let start = try #require(text.range(of: "\n```\(language)\n")).upperBound
        let end = try #require(text[start...].range(of: "\n```\n")).lowerBound
        return String(text[start..<end])
    }
}
