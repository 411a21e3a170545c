// An unmodified Node backend behind the proxy, as a user would put it there.

import Foundation
import Testing

@Suite("A Node backend", .scenario)
struct NodeBackendTests {
    /// Plays with the sample backend in place of a scripted one.
    private func play(_ scenario: (RawClient, (String) throws -> String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let backend = try NodeBackend(in: folder)
            let mint = try TokenMint()
            let issuer = try ScriptedIssuer(keys: [mint])
            defer { issuer.end() }
            let proxy = try ProxyProcess(
                arguments: [
                    "run", "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:\(backend.port)", "--issuer",
                    issuer.identifier, "--audience", Scene.audience,
                ], in: folder)
            try scenario(RawClient(port: proxy.port)) { subject in
                try mint.token(issuer: issuer.identifier, subject: subject)
            }
            #expect(proxy.child.ended == nil)
        }
    }

    @Test("It shows each caller their own orders, knowing nothing of tokens")
    func orders() throws {
        try play { client, token in
            try client.get("/orders", token: token("auth0|alice"))
            let alice = try client.response().text
            #expect(alice.contains("espresso machine") && !alice.contains("kettle"))
            try client.get("/orders", token: token("auth0|bob"))
            let bob = try client.response().text
            #expect(bob.contains("kettle") && !bob.contains("espresso machine"))
            try client.get("/orders/3", token: token("auth0|alice"))
            #expect(try client.response().status == 404)
        }
    }

    @Test("Uploads and many requests on one connection work against Node's own HTTP server")
    func uploads() throws {
        try play { client, token in
            for number in 1...20 {
                try client.request("POST", "/orders", token: token("auth0|bob"), body: "{\"item\":\"tea\",\"total\":\(number)}")
                #expect(try client.response().status == 201)
            }
            try client.request("POST", "/anything", token: token("auth0|bob"), fields: ["Transfer-Encoding: chunked"])
            try client.send("3\r\nabc\r\n0\r\n\r\n")
            #expect(try client.response().text.contains("\"bodyBytes\": 3"))
        }
    }

    @Test("A caller cannot pass for another")
    func impersonation() throws {
        try play { client, token in
            try client.get("/orders", token: token("auth0|bob"), fields: ["X-Auth-Subject: auth0|alice", "x_auth_subject: auth0|alice"])
            let orders = try client.response().text
            #expect(orders.contains("kettle") && !orders.contains("espresso machine"))
            try client.get("/orders", fields: ["X-Auth-Subject: auth0|alice"])
            #expect(try client.response().status == 401)
        }
    }
}
