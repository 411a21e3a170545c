// Connections that come to no request: counted by why, and told of in as many lines as a log can bear.

import CertificateFixtures
import Foundation
import Testing

@Suite("Clients that are turned away", .scenario)
struct TurnedAwayTests {
    private static func failures(_ reason: String) -> String {
        "antechamber_tls_handshake_failures_total{reason=\"\(reason)\"}"
    }

    @Test("Handshakes are counted, new sessions, resumed ones, and by why they failed", arguments: ["TLSv1.2", "TLSv1.3"])
    func handshakes(version: String) throws {
        let main = Scene.adminLine + "client_header_timeout 3s;"
        try Scene.playTLS(block: TLSScene.asking("on"), main: main, workers: 2) { scene throws in
            let context = ["least": version, "most": version]
            let steps: [TLSStep] = [.handshake, .send(scene.getText()), .response]
            _ = try scene.tls(with: context, presenting: TLSScene.client, resumes: true, steps, steps, steps)
            _ = try scene.tls(with: context, steps)
            _ = try scene.tls(with: context, presenting: TLSScene.stranger, steps)
            _ = try scene.tls(
                with: context.merging(["authority": TLSScene.otherAuthority.get().certificate.file]) { $1 },
                presenting: TLSScene.client, steps)
            _ = try scene.tls(with: ["protocols": ["h2"]], presenting: TLSScene.client, steps)
            _ = try scene.get("/", token: nil)
            let garbage = try scene.client()
            try garbage.send("\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}")
            _ = try garbage.rest()
            // The beginning of a record that does not end: the first client leaves, the second is left.
            let (leaving, slow, silent) = try (scene.client(), scene.client(), scene.client())
            try leaving.send("\u{16}\u{3}\u{1}\u{1}")
            leaving.finishSending()
            _ = try leaving.rest()
            try slow.send("\u{16}\u{3}\u{1}\u{1}")
            _ = try slow.rest()
            silent.finishSending()
            _ = try silent.rest()

            let metrics = try scene.metrics()
            #expect(metrics["antechamber_tls_handshakes_total{session=\"new\"}"] == 1)
            #expect(metrics["antechamber_tls_handshakes_total{session=\"resumed\"}"] == 2)
            let reasons = [
                "alert", "client_certificate", "no_client_certificate", "disagreement", "plain_http", "malformed", "closed",
                "timeout",
            ]
            for reason in reasons { #expect(metrics[Self.failures(reason)] == 1, "\(reason)") }
            #expect(metrics.keys.filter { $0.hasPrefix("antechamber_tls_handshake_failures_total") }.count == reasons.count)
            let totals = try scene.statusDocument()["totals"] as? [String: Int]
            #expect(totals?["tls_handshakes"] == 3)
            #expect(totals?["tls_handshake_failures"] == reasons.count)
        }
    }

    @Test("Of many that fail some get a line, and the others one together", arguments: [true, false])
    func flood(overTLS: Bool) throws {
        let count = 40
        func scenario(_ scene: Scene) throws {
            for _ in 0..<count {
                let client = try scene.client()
                try client.send(overTLS ? "\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}" : "GET / HTTP/1.1\r\n\r\n")
                _ = try client.rest()
            }
            let single = overTLS ? "no TLS connection" : "sent no PROXY header"
            try eventually("each is in the log, by itself or counted") {
                let log = scene.proxy.child.errors
                let leftOut = log.matches(of: /([0-9]+) more clients came to no request/).reduce(0) { $0 + Int($1.1)! }
                return log.components(separatedBy: single).count - 1 + leftOut == count
            }
            let metrics = try scene.metrics()
            #expect(metrics[Self.failures("malformed")] == (overTLS ? count : 0))
            #expect(
                metrics["antechamber_proxy_header_failures_total{reason=\"no_header\"}"] == (overTLS ? 0 : count))
            #expect(metrics["antechamber_proxy_header_failures_total{reason=\"untrusted_peer\"}"] == 0)
        }
        if overTLS {
            try Scene.playTLS(main: Scene.adminLine, scenario)
        } else {
            try Scene.play(main: Scene.adminLine + "trusted_proxies 127.0.0.1;", listen: "proxy_protocol", scenario)
        }
    }

    @Test("Who is none of the trusted proxies is counted as that")
    func untrusted() throws {
        try Scene.play(main: Scene.adminLine + "trusted_proxies 192.0.2.1;", listen: "proxy_protocol") { scene throws in
            _ = try scene.client().rest()
            #expect(try scene.metrics()["antechamber_proxy_header_failures_total{reason=\"untrusted_peer\"}"] == 1)
        }
    }
}
