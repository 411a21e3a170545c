// What the backend is told of a request's way: by the proxy alone, or by trusted proxies in front of it too.

import Foundation
import Testing

@Suite("Forwarding fields", .scenario)
struct ForwardingTests {
    private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    /// What a client may send to look like somebody else, or to make a backend see another request.
    private static let forged = [
        "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example",
        "Forwarded: for=6.6.6.6;host=evil.example;proto=https", "X-Request-Id: forged", "traceparent: \(trace)",
        "tracestate: forged=1", "X-Forwarded-Port: forged", "X-Real-IP: 6.6.6.6", "CF-Connecting-IP: 6.6.6.6",
        "X_Forwarded_For: 6.6.6.6", "X-Envoy-External-Address: 6.6.6.6",
    ]
    private static let rewriting = [
        "X-Original-URL: /evil", "X-Rewrite-URL: /evil", "X-Original-Host: evil.example", "X_Rewrite_Url: /evil",
        "X-HTTP-Host-Override: evil.example", "Proxy: http://evil.example",
    ]

    @Test("Where a request came from is what the proxy saw, not what a stranger says", arguments: ["", "trusted_proxies 10.0.0.0/8 unix:;"])
    func stranger(_ main: String) throws {
        try Scene.play(main: main) { scene throws in
            let client = try scene.client()
            for _ in 1...2 {
                try client.get(token: scene.token(), fields: Self.forged + Self.rewriting)
                #expect(try client.response().status == 200)
            }
            let received = scene.origin.received
            for word in ["6.6.6.6", "evil", "forged", "0af7651916cd43dd"] {
                #expect(!received.contains(word), "\(word) went upstream:\n\(received)")
            }
            let request = try scene.onlyRequest()
            #expect(request.values(of: "X-Forwarded-For") == ["127.0.0.1"])
            #expect(request.values(of: "X-Forwarded-Proto") == ["http"])
            #expect(request.values(of: "X-Forwarded-Host") == ["api.example.com"])
            #expect(request.values(of: "Forwarded") == ["for=127.0.0.1;host=api.example.com;proto=http"])
            let names = try logLines(2, of: scene)
            #expect(names.map(\.client) == ["127.0.0.1", "127.0.0.1"])
            #expect(names[0].request_id != names[1].request_id)
            let id = names[0].request_id
            #expect(request.values(of: "X-Request-Id") == [id])
            let traceparent = try #require(request["traceparent"])
            #expect(try #/00-([0-9a-f]{32})-([0-9a-f]{16})-01/#.wholeMatch(in: traceparent)?.1 == id[...])
        }
    }

    @Test("A trusted proxy's word is passed on, and the proxy itself added to the chain")
    func trusted() throws {
        try Scene.play(main: "trusted_proxies 127.0.0.1 10.0.0.0/8;") { scene throws in
            let fields = [
                "X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.1.2.3", "X-Forwarded-Proto: https", "X-Forwarded-Host: www.example.com",
                "X-Request-Id: from-the-edge/1", "traceparent: \(Self.trace)", "tracestate: edge=1", "X-Forwarded-Port: 443",
                "X_Forwarded_For: evil", "X-Auth-Subject: evil", "Connection: X-Forwarded-For",
            ]
            try scene.get(token: scene.token(), fields: fields + Self.rewriting, expecting: 200)
            let request = try scene.onlyRequest()
            #expect(request.values(of: "X-Forwarded-For") == ["6.6.6.6, 203.0.113.7, 10.1.2.3, 127.0.0.1"])
            #expect(request.values(of: "X-Forwarded-Proto") == ["https"])
            #expect(request.values(of: "X-Forwarded-Host") == ["www.example.com"])
            #expect(request.values(of: "Host") == ["api.example.com"])
            #expect(request.values(of: "Forwarded") == [
                "for=6.6.6.6;host=www.example.com;proto=https, for=203.0.113.7, for=10.1.2.3, "
                    + "for=127.0.0.1;host=api.example.com;proto=http"
            ])
            #expect(request.values(of: "X-Request-Id") == ["from-the-edge/1"])
            #expect(request.values(of: "traceparent") == [Self.trace])
            #expect(request.values(of: "tracestate") == ["edge=1"])
            #expect(request.values(of: "X-Forwarded-Port") == ["443"])
            #expect(!request.head.contains("evil"))
            let line = try logLines(1, of: scene)[0]
            #expect(line.client == "203.0.113.7")
            #expect(line.request_id == "from-the-edge/1")
        }
    }

    @Test("A refusal to a trusted proxy bears the name that it gave the request; its next request has another")
    func refusal() throws {
        try Scene.play(main: "trusted_proxies 127.0.0.0/8;") { scene throws in
            let client = try scene.client()
            try client.get(fields: ["X-Request-Id: edge-1", "X-Forwarded-For: 203.0.113.7"])
            let first = try client.response()
            #expect(first.status == 401)
            #expect(first.values(of: "X-Request-Id") == ["edge-1"])
            #expect(first.text.contains("\"request_id\":\"edge-1\""))
            try client.get(fields: ["X-Request-Id: \"quoted\""])
            let second = try client.response()
            #expect(try #/[0-9a-f]{32}/#.wholeMatch(in: second["X-Request-Id"] ?? "") != nil)
            let lines = try logLines(2, of: scene)
            #expect(lines.map(\.client) == ["203.0.113.7", "127.0.0.1"])
            #expect(lines[0].request_id == "edge-1")
            #expect(second["X-Request-Id"] == lines[1].request_id)
        }
    }

    @Test("A repeated attempt on a fresh connection says the same again")
    func retry() throws {
        try Scene.play(main: "trusted_proxies 127.0.0.1;", origin: { connection in
            guard try connection.request() != nil else { return }
            try connection.answer()
            // The first connection dies under the second request.
            if connection.index == 0 { _ = try connection.request() } else { connection.waitForClose() }
        }) { scene throws in
            let fields = ["X-Forwarded-For: 203.0.113.7", "X-Request-Id: edge-1"]
            for _ in 1...2 { try scene.get(token: scene.token(), fields: fields, expecting: 200) }
            #expect(scene.origin.received.components(separatedBy: "X-Forwarded-For: 203.0.113.7, 127.0.0.1\r\n").count == 4)
            #expect(scene.origin.received.components(separatedBy: "X-Request-Id: edge-1\r\n").count == 4)
        }
    }
}

/// A line of the access log, as far as it says who sent which request.
struct LoggedClient: Decodable {
    var client: String
    var request_id: String
}

/// The first lines of the access log, once there are so many.
func logLines(_ count: Int, of scene: Scene) throws -> [LoggedClient] {
    let lines = try eventually("\(count) lines are in the access log") {
        let lines = scene.proxy.child.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return lines.count >= count ? Array(lines.prefix(count)) : nil
    }
    return try lines.map { try JSONDecoder().decode(LoggedClient.self, from: Data($0.utf8)) }
}
