// Clients that prove who they are by a certificate, and tokens that are bound to one (RFC 8705).

import CertificateFixtures
import Foundation
import Synchronization
import Testing

@Suite("Client certificates", .scenario)
struct ClientCertificateTests {
    private static let names = ["Subject", "Issuer", "Serial", "SHA256"].map { "X-Auth-Client-Certificate-\($0)" }

    @Test("The backend is told of a certificate, and of none that a client only claims", arguments: ["TLSv1.2", "TLSv1.3"])
    func told(_ version: String) throws {
        try Scene.playTLS(block: TLSScene.asking("optional"), main: "reserved_headers X-Other-;") { scene throws in
            let claims = ["X-Auth-Client-Certificate-Subject: CN=root", "x_auth_client_certificate_sha256: 00"]
            let steps: [TLSStep] = [.handshake, .send(scene.getText(fields: claims)), .response]
            let context = ["least": version, "most": version]
            #expect(try scene.tls(with: context, presenting: TLSScene.client, steps)[0].statuses == [200])
            let told = try scene.onlyRequest()
            #expect(told.values(of: Self.names[0]) == ["CN=J\\C3\\B6rg 100%25,O=Acme\\, Inc."])
            #expect(told.values(of: Self.names[1]) == ["CN=Test Authority"])
            #expect(told.values(of: Self.names[2]).count == 1)
            #expect(try told.values(of: Self.names[3]) == [TLSScene.hex(TLSScene.sha256(TLSScene.client))])
            #expect(told.values(of: "x_auth_client_certificate_sha256") == [])
            try eventually("the log names it") {
                scene.proxy.child.output.contains("\"client_certificate\":\"CN=J\\\\C3\\\\B6rg 100%,O=Acme\\\\, Inc.\"")
            }
        }
        try Scene.playTLS(block: TLSScene.asking("optional")) { scene throws in
            let claims = ["X-Auth-Client-Certificate-Subject: CN=root"]
            let outcome = try scene.tls([.handshake, .send(scene.getText(fields: claims)), .response])[0]
            #expect(outcome.statuses == [200])
            for name in Self.names { #expect(try scene.onlyRequest().values(of: name) == []) }
        }
    }

    @Test("Who has to prove himself and does not gets no connection", arguments: [
        ("on", 0, "TLSv1.2"), ("on", 0, "TLSv1.3"), ("on", 2, "TLSv1.2"), ("on", 2, "TLSv1.3"), ("optional", 2, "TLSv1.2"),
        ("optional", 2, "TLSv1.3"),
    ])
    func refused(_ verification: String, _ shown: Int, _ version: String) throws {
        try Scene.playTLS(block: TLSScene.asking(verification)) { scene throws in
            let certificate = [nil, TLSScene.client, TLSScene.stranger][shown]
            let outcome = try scene.tls(
                with: ["least": version, "most": version], presenting: certificate, [.handshake, .send(scene.getText()), .response])[0]
            #expect(outcome.error?.contains("ALERT") == true, "\(outcome)")
            #expect(outcome.responses.isEmpty)
            #expect(scene.origin.connections.isEmpty)
            let reason = shown == 0 ? "peer did not return a certificate" : "certificate verify failed: "
            try eventually("the log says why") { scene.proxy.child.errors.contains(reason) }
        }
    }

    @Test("A session that is taken up carries the certificate", arguments: ["TLSv1.2", "TLSv1.3"])
    func resumed(_ version: String) throws {
        try Scene.playTLS(block: TLSScene.asking("on"), workers: 2) { scene throws in
            let steps: [TLSStep] = [.handshake, .send(scene.getText()), .response]
            let outcomes = try scene.tls(
                with: ["least": version, "most": version], presenting: TLSScene.client, resumes: true, steps, steps, steps)
            #expect(outcomes.map(\.resumed) == [false, true, true])
            #expect(outcomes.flatMap(\.statuses) == [200, 200, 200])
            let digest = try TLSScene.hex(TLSScene.sha256(TLSScene.client))
            #expect(scene.origin.received.components(separatedBy: "Certificate-SHA256: \(digest)\r\n").count == 4)
        }
    }

    @Test("A bound token is good with its own certificate alone, whoever used it before")
    func boundToken() throws {
        try Scene.playTLS(block: TLSScene.asking("optional")) { scene throws in
            let thumbprint = try base64URL(TLSScene.sha256(TLSScene.client))
            let token = scene.token(claims: ["cnf": .object(["x5t#S256": .string(thumbprint)])])
            let steps: [TLSStep] = [.handshake, .send(scene.getText("/bound", token: token)), .response]
            let clients = [nil, TLSScene.client, TLSScene.otherClient, nil, TLSScene.client]
            let statuses = try clients.map { try scene.tls(presenting: $0, steps)[0] }
            #expect(statuses.map(\.statuses) == [[401], [200], [401], [401], [200]])
            for (index, words) in [(0, "this connection has shown none"), (2, "another client certificate than that of this")] {
                let response = try #require(statuses[index].responses.first)
                #expect(response.contains("\"code\":\"certificate_mismatch\""), "\(response)")
                #expect(response.contains("error=\"invalid_token\""), "\(response)")
                #expect(response.contains(words), "\(response)")
            }
            #expect(scene.origin.requestLines == ["GET /bound HTTP/1.1", "GET /bound HTTP/1.1"])
        }
    }

    @Test("A bound token is refused where nobody shows certificates")
    func boundTokenInClear() throws {
        try Scene.play { scene throws in
            let token = scene.token(claims: ["cnf": .object(["x5t#S256": .string(String(repeating: "A", count: 43))])])
            let response = try scene.get(token: token)
            #expect(response.status == 401)
            #expect(response.text.contains("certificate_mismatch"))
            let broken = try scene.get(token: scene.token(claims: ["cnf": .object(["x5t#S256": "AA"])]))
            #expect(broken.text.contains("malformed_claim"))
            try scene.expectNothingMoreUpstream()
        }
    }

    /// Puts `new` in the place of `old` while a client's first request is under way, and tells what came of that
    /// connection and of the next one, which offers its session.
    private func outcomes(_ version: String, asking block: String, reloading old: String, _ new: String) throws -> [TLSOutcome] {
        let isWanted = Atomic<Bool>(false)
        let isDone = Atomic<Bool>(false)
        var outcomes: [TLSOutcome] = []
        try Scene.playTLS(block: block, workers: 2, origin: { connection in
            while let request = try connection.request() {
                if request.startLine.hasPrefix("GET /wait ") {
                    isWanted.store(true, ordering: .relaxed)
                    try eventually("the reload is over", within: 120) { isDone.load(ordering: .relaxed) }
                }
                try connection.answer()
            }
        }) { scene throws in
            Thread.detachNewThread {
                do {
                    try eventually("the request is there") { isWanted.load(ordering: .relaxed) }
                    #expect(try scene.reload(old, new))
                } catch {
                    Issue.record("\(error)")
                }
                isDone.store(true, ordering: .relaxed)
            }
            let steps: [TLSStep] = [.handshake, .send(scene.getText("/wait")), .response]
            outcomes = try scene.tls(
                with: ["least": version, "most": version], presenting: TLSScene.client, resumes: true,
                steps + [.send(scene.getText("/again")), .response], steps)
        }
        return outcomes
    }

    @Test("Other authorities hold from the reload on: no connection and no session goes on by those before", arguments: [
        "TLSv1.2", "TLSv1.3",
    ])
    func otherAuthority(_ version: String) throws {
        let (own, other) = try (TLSScene.authority.get().certificate, TLSScene.otherAuthority.get().certificate)
        let outcomes = try outcomes(
            version, asking: TLSScene.asking("on"), reloading: "client_ca \(own.file)", "client_ca \(other.file)")
        #expect(outcomes[0].statuses == [200], "\(outcomes)")
        #expect(outcomes[0].responses[0].contains("\r\nConnection: close\r\n"))
        #expect(outcomes[1].error?.contains("ALERT") == true && outcomes[1].responses == [], "\(outcomes)")
    }

    @Test("With one more authority, or certificates asked for where they were not, clients prove themselves anew", arguments: [
        "TLSv1.2", "TLSv1.3",
    ])
    func oneMoreAuthority(_ version: String) throws {
        let (own, other) = try (TLSScene.authority.get().certificate, TLSScene.otherAuthority.get().certificate)
        try withTemporaryFolder { folder in
            let both = folder.path + "/both.pem"
            try (own.pem + other.pem).write(toFile: both, atomically: true, encoding: .utf8)
            for (block, old, new) in try [
                (TLSScene.asking("on"), "client_ca \(own.file)", "client_ca \(both)"),
                (TLSScene.asking("optional"), "verify_client optional", "verify_client on"),
                (TLSScene.block(), "certificate_key", "client_ca \(own.file); verify_client on; certificate_key"),
            ] {
                let outcomes = try outcomes(version, asking: block, reloading: old, new)
                #expect(outcomes.map(\.statuses) == [[200], [200]], "\(new): \(outcomes)")
                #expect(outcomes[0].responses[0].contains("\r\nConnection: close\r\n"), "\(new)")
                #expect(outcomes.map(\.resumed) == [false, false], "\(new)")
            }
        }
    }

    @Test("A reload that asks for other certificates ends a connection that idles, and one that does not leaves it")
    func idle() throws {
        try Scene.playTLS(block: TLSScene.asking("optional")) { scene throws in
            let steps: [TLSStep] = [.handshake, .send(scene.getText()), .response, .rest]
            Thread.detachNewThread {
                do {
                    try eventually("it has its answer") { scene.proxy.child.output.contains("\"status\":200") }
                    #expect(try scene.reload("workers 1;", "workers 1; keepalive_timeout 70s;"))
                    #expect(try scene.reload("verify_client optional", "verify_client on"))
                } catch {
                    Issue.record("\(error)")
                }
            }
            let outcome = try scene.tls(presenting: TLSScene.client, steps)[0]
            #expect(outcome.error == nil && outcome.statuses == [200], "\(outcome)")
        }
    }
}
