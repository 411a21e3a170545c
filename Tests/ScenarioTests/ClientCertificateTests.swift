// Clients that prove who they are by a certificate, and tokens that are bound to one (RFC 8705).

import CertificateFixtures
import Foundation
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
}
