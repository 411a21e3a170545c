// Clients that speak TLS: what is agreed on, what they are shown, and that HTTP within is as it is in clear.

import CertificateFixtures
import Foundation
import Testing

@Suite("TLS on listeners", .scenario)
struct TLSListenerTests {
    @Test("A request within TLS is served, told to the backend as https, and logged", arguments: ["TLSv1.2", "TLSv1.3"])
    func served(_ version: String) throws {
        try Scene.playTLS { scene throws in
            let outcome = try scene.tls(
                with: ["least": version, "most": version, "protocols": ["h2", "http/1.1"]],
                [.handshake, .send(scene.getText("/1")), .response, .send(scene.getText("/2")), .response])[0]
            #expect(outcome.error == nil)
            #expect(outcome.version == version)
            #expect(outcome.alpn == "http/1.1")
            #expect(outcome.statuses == [200, 200])
            let received = scene.origin.received
            #expect(received.components(separatedBy: "\r\nX-Forwarded-Proto: https\r\n").count == 3, "\(received)")
            #expect(received.components(separatedBy: ";proto=https\r\n").count == 3, "\(received)")
            try eventually("both lines are in the log") {
                scene.proxy.child.output.components(separatedBy: "\"tls\":\"\(version)\"").count == 3
            }
        }
    }

    @Test("curl and openssl s_client are served", arguments: ["--tls-max 1.2", "--tlsv1.3"])
    func otherClients(_ version: String) throws {
        try Scene.playTLS { scene throws in
            let authority = try TLSScene.authority.get().certificate.file
            let curl = try ChildProcess(
                "curl",
                ["-sS", "--cacert", authority, "-H", "Authorization: Bearer \(scene.token())", "-d", "a=b"]
                    + version.split(separator: " ").map(String.init)
                    + ["https://localhost:\(scene.proxy.port)/curl", "https://127.0.0.1:\(scene.proxy.port)/again"],
                in: scene.folder, name: "curl")
            #expect(try curl.waitForEnd() == .exited(0), "\(curl.errors)")
            #expect(curl.output == "okok")
            let request = scene.getText("/s_client", fields: ["Connection: close"])
            let client = try ChildProcess(
                "openssl",
                [
                    "s_client", "-quiet", "-no_ign_eof", "-verify_return_error", "-CAfile", authority, "-connect",
                    "127.0.0.1:\(scene.proxy.port)", version == "--tlsv1.3" ? "-tls1_3" : "-tls1_2", "-ign_eof",
                ], input: request, in: scene.folder, name: "s_client")
            #expect(try client.waitForEnd() == .exited(0), "\(client.errors)")
            #expect(client.output.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(client.output)\(client.errors)")
            for line in ["POST /curl HTTP/1.1", "POST /again HTTP/1.1", "GET /s_client HTTP/1.1"] {
                #expect(scene.origin.received.contains(line + "\r\n"))
            }
        }
    }

    @Test("What is old or weak is not agreed on, nor a protocol that is not spoken here", arguments: [
        (["most": "TLSv1.1", "least": "TLSv1", "ciphers": "ALL:@SECLEVEL=0"], "PROTOCOL_VERSION"),
        (["most": "TLSv1.2", "ciphers": "AES128-SHA:AES128-GCM-SHA256:@SECLEVEL=0"], "HANDSHAKE_FAILURE"),
        (["most": "TLSv1.2", "ciphers": "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"], "HANDSHAKE_FAILURE"),
        (["protocols": "h2"], "no application protocol"), (["protocols": "acme-tls/1"], "no application protocol"),
    ] as [([String: String], String)])
    func refused(_ context: [String: String], _ alert: String) throws {
        try Scene.playTLS { scene throws in
            var offer: [String: Any] = context
            if let name = context["protocols"] { offer["protocols"] = [name] }
            let outcome = try scene.tls(with: offer, [.handshake, .send(scene.getText()), .response])[0]
            #expect(outcome.error?.contains(alert) == true, "\(outcome)")
            #expect(scene.origin.connections.isEmpty)
            try eventually("the log says why") { scene.proxy.child.errors.contains("no TLS connection: TLS: ") }
        }
    }

    @Test("ssl_protocols is what is spoken", arguments: [("TLSv1.2", "TLSv1.3"), ("TLSv1.3", "TLSv1.2")])
    func protocols(_ spoken: String, _ other: String) throws {
        try Scene.playTLS(block: TLSScene.block("ssl_protocols \(spoken);")) { scene throws in
            let steps: [TLSStep] = [.handshake, .send(scene.getText()), .response]
            #expect(try scene.tls(steps)[0].version == spoken)
            #expect(try scene.tls(with: ["least": other, "most": other], steps)[0].error?.contains("PROTOCOL_VERSION") == true)
        }
    }

    @Test("A client is shown the certificate for the name it asks for, or else the first")
    func names() throws {
        let wild = try TLSScene.wild.get()
        let block = try TLSScene.block("certificate \(wild.file); certificate_key \(wild.keyFile);")
        try Scene.playTLS(block: block) { scene throws in
            let shown = try scene.tls(
                with: ["authority": ""], [.handshake("a.wild.example")], [.handshake("localhost")], [.handshake("wild.example")])
            let (server, other) = try (TLSScene.hex(TLSScene.sha256(TLSScene.server)), TLSScene.hex(TLSScene.sha256(TLSScene.wild)))
            #expect(shown.map(\.certificate) == [other, server, server])
        }
    }

    @Test("A session is taken up by whichever worker the next connection comes to", arguments: ["TLSv1.2", "TLSv1.3"])
    func resumption(_ version: String) throws {
        try Scene.playTLS(workers: 3) { scene throws in
            let steps: [TLSStep] = [.handshake, .send(scene.getText()), .response]
            let outcomes = try scene.tls(
                with: ["least": version, "most": version], resumes: true, steps, steps, steps, steps, steps, steps, steps, steps)
            #expect(outcomes.map(\.resumed) == [false] + [Bool](repeating: true, count: 7))
            #expect(outcomes.flatMap(\.statuses) == [Int](repeating: 200, count: 8))
        }
    }

    @Test("Handshake and request may come byte by byte")
    func byteByByte() throws {
        try Scene.playTLS { scene throws in
            let outcome = try scene.tls([.pieces(1), .handshake, .send(scene.getText()), .response])[0]
            #expect(outcome.statuses == [200], "\(outcome)")
        }
    }

    @Test("Pipelined requests, in one record and in many, are all answered")
    func pipelined() throws {
        try Scene.playTLS { scene throws in
            let many = (1...20).map { scene.getText("/\($0)") }
            let answers = [TLSStep](repeating: .response, count: 20)
            let outcomes = try scene.tls(
                [.handshake, .send(many.joined())] + answers, [.handshake] + many.map { .send($0) } + answers)
            #expect(outcomes.map(\.statuses) == [[Int]](repeating: [Int](repeating: 200, count: 20), count: 2))
        }
    }

    @Test("A request in clear gets a 400 that says what to do")
    func inClear() throws {
        try Scene.playTLS { scene throws in
            let response = try scene.get("/", token: scene.token())
            #expect(response.status == 400)
            #expect(response.text.contains("\"code\":\"bad_request\""), "\(response.text)")
            #expect(response.text.contains("Use https:// in the URL."), "\(response.text)")
            let other = try scene.client()
            try other.send("\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}")
            other.finishSending()
            _ = try other.rest()
            #expect(scene.origin.connections.isEmpty)
        }
    }

    @Test("A PROXY header comes before TLS, with its first bytes behind it or not")
    func proxyProtocol() throws {
        try Scene.playTLS(listen: "proxy_protocol", main: "trusted_proxies 127.0.0.1;") { scene throws in
            let line = "PROXY TCP4 203.0.113.7 192.0.2.1 56250 8443\r\n"
            let steps: [TLSStep] = [.raw(line), .handshake, .send(scene.getText()), .response]
            let outcomes = try scene.tls(steps, [.pieces(1)] + steps)
            #expect(outcomes.map(\.statuses) == [[200], [200]], "\(outcomes)")
            #expect(scene.origin.received.components(separatedBy: "\r\nX-Forwarded-For: 203.0.113.7\r\n").count == 3)
            let without = try scene.tls([.handshake])
            #expect(without[0].error != nil)
        }
    }

    @Test("antechamber health asks over TLS, and check reads the certificates")
    func commands() throws {
        try Scene.playTLS { scene throws in
            let file = scene.folder.appending(path: "proxy.conf")
            let text = try String(contentsOf: file, encoding: .utf8)
            let running = text.replacing("listen 127.0.0.1:0", with: "listen 127.0.0.1:\(scene.proxy.port)")
            try running.write(to: file, atomically: true, encoding: .utf8)
            let health = try ProxyProcess.finish(["health", "--config", file.path], in: scene.folder)
            #expect(health.ending == .exited(0), "\(health.errors)")
            #expect(try ProxyProcess.finish(["check", "--config", file.path], in: scene.folder).ending == .exited(0))
            let wrong = try running.replacing(TLSScene.server.get().keyFile, with: TLSScene.wild.get().keyFile)
            try wrong.write(to: file, atomically: true, encoding: .utf8)
            let check = try ProxyProcess.finish(["check", "--config", file.path], in: scene.folder)
            #expect(check.ending == .exited(78))
            #expect((check.output + check.errors).contains("is not that of the first certificate"), "\(check.errors)")
        }
    }
}
