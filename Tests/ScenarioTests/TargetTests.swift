// What the backend is asked for: the target's very bytes, and the host that the client named.

import Testing

@Suite("Targets", .scenario)
struct TargetTests {
    @Test("A path is the backend's to interpret: none is spelled anew, and none goes without a token", arguments: [
        "/a/../b", "/./a", "/..", "/a/%2e%2e/b", "/%2E%2e%2fetc", "//a", "/a//b", "/a%2fb", "/a%5cb", "/a;/../b",
        "/a/..;/b", "/%61", "/a?b=/../c&d=%2f", "/?", "/a?b?c", "/a%C3%A9", "/:8080/@x", "/http://other.example.com/",
    ])
    func pathsAsSent(_ target: String) throws {
        try Scene.play { scene throws in
            try scene.get(target, expecting: 401)
            try scene.get(target, token: scene.token(), expecting: 200)
            #expect(scene.origin.requestLines == ["GET \(target) HTTP/1.1"])
        }
    }

    @Test("OPTIONS * asks of the server as a whole, and needs a token too")
    func asterisk() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.request("OPTIONS", "*")
            #expect(try client.response().status == 401)
            try client.request("OPTIONS", "*", token: scene.token())
            #expect(try client.response().status == 200)
            #expect(scene.origin.requestLines == ["OPTIONS * HTTP/1.1"])
        }
    }

    @Test("An absolute target goes upstream as a path, its host in Host", arguments: [
        ("GET", "http://api.example.com/orders?page=2", "/orders?page=2"), ("GET", "http://api.example.com", "/"),
        ("GET", "HTTP://api.example.com?page=2", "/?page=2"), ("GET", "https://api.example.com//x", "//x"),
        ("OPTIONS", "http://api.example.com", "*"), ("OPTIONS", "http://api.example.com/", "/"),
    ])
    func absoluteForm(method: String, target: String, path: String) throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.request(method, target, token: scene.token())
            #expect(try client.response().status == 200)
            let request = try scene.onlyRequest()
            #expect(request.startLine == "\(method) \(path) HTTP/1.1")
            #expect(request.values(of: "Host") == ["api.example.com"])
        }
    }

    @Test("A host with a port, an IPv6 address, or in another case goes on as it was sent", arguments: [
        "api.example.com:8080", "[::1]", "[2001:db8::1]:443", "API.Example.com", "127.0.0.1", "a_b.example",
    ])
    func hostsAsSent(_ host: String) throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.send("GET / HTTP/1.1\r\nHost: \(host)\r\nAuthorization: Bearer \(scene.token())\r\n\r\n")
            #expect(try client.response().status == 200)
            #expect(try scene.onlyRequest().values(of: "Host") == [host])
        }
    }

    @Test("HTTP/1.0 may name no host: the backend's own is sent, as HTTP/1.1 has to have one")
    func noHost() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.send("GET / HTTP/1.0\r\nAuthorization: Bearer \(scene.token())\r\n\r\n")
            #expect(try client.response().status == 200)
            let request = try scene.onlyRequest()
            #expect(request.values(of: "Host") == ["127.0.0.1:\(scene.origin.port)"])
            #expect(request.values(of: "X-Forwarded-Host") == [])
        }
    }

    @Test("HTTP/2 is never begun behind the proxy: h2c is not offered upstream, its settings stay here")
    func cleartextHTTP2() throws {
        try Scene.play { scene throws in
            let fields = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]
            try scene.get(token: scene.token(), fields: fields, expecting: 200)
            let request = try scene.onlyRequest()
            for name in ["Upgrade", "HTTP2-Settings", "Connection"] {
                #expect(request.values(of: name) == [], "\(name)")
            }
        }
    }
}
