// What is counted, after traffic that is known: on the page that Prometheus reads, and in the status.

import Foundation
import Testing

@Suite("Metrics", .scenario)
struct MetricsTests {
    private static let issuerBlock = """
        legacy_audience SDFWRGRRSFDF3214 { name web; }
        legacy_audience CLI7F3KQ2ZPX9W1V { name cli; }
        """

    /// Known traffic: 3 admitted, of which one is remembered and one has a legacy audience; 4 refused.
    private func play(workers: Int = 1, main: String = "", _ check: (Scene) throws -> Void) throws {
        let main = Scene.adminLine + main
        try Scene.play(issuerBlock: Self.issuerBlock, main: main, workers: workers, origin: { connection in
            while let request = try connection.request() {
                try connection.answer(status: request.startLine.contains("/missing") ? "404 Not Found" : "200 OK")
            }
        }) { scene throws in
            let client = try scene.client()
            func send(_ path: String, _ token: String?, expecting status: Int) throws {
                try client.get(path, token: token)
                let response = try client.response()
                #expect(response.status == status, "\(response.text)")
            }
            let token = scene.token()
            try send("/", token, expecting: 200)
            try send("/missing", token, expecting: 404)
            try send("/", scene.token(audience: "SDFWRGRRSFDF3214"), expecting: 200)
            try send("/", nil, expecting: 401)
            try send("/", scene.token(audience: "https://other.example"), expecting: 401)
            try send("/", scene.token(claims: ["exp": .number(1_000_000_000)]), expecting: 401)
            try send("/", "not-a-token", expecting: 401)
            try check(scene)
        }
    }

    @Test("Requests, refusals, tokens and keys are counted as they happened, over all workers", arguments: [1, 3])
    func counters(workers: Int) throws {
        try play(workers: workers) { scene throws in
            let metrics = try scene.metrics()
            let issuer = scene.issuer.identifier
            let expected = [
                "antechamber_requests_total{route=\"main\",verdict=\"verified\",status=\"200\"}": 2,
                "antechamber_requests_total{route=\"main\",verdict=\"verified\",status=\"404\"}": 1,
                "antechamber_requests_total{route=\"main\",verdict=\"refused\",status=\"401\"}": 4,
                "antechamber_refusals_total{code=\"missing_token\",issuer=\"\"}": 1,
                "antechamber_refusals_total{code=\"malformed_token\",issuer=\"\"}": 1,
                "antechamber_refusals_total{code=\"wrong_audience\",issuer=\"\(issuer)\"}": 1,
                "antechamber_refusals_total{code=\"token_expired\",issuer=\"\(issuer)\"}": 1,
                "antechamber_request_duration_seconds_count": 7,
                "antechamber_request_duration_seconds_bucket{le=\"+Inf\"}": 7,
                "antechamber_upstream_duration_seconds_count": 3,
                "antechamber_token_cache_hits_total": 1,
                // The first time of the good one, the legacy one, and three that were refused.
                "antechamber_token_cache_misses_total": 5,
                "antechamber_token_cache_evictions_total": 0,
                "antechamber_signature_verifications_total{alg=\"ES256\"}": 4,
                "antechamber_jwks_fetches_total{issuer=\"\(issuer)\",outcome=\"succeeded\"}": 1,
                "antechamber_jwks_fetches_total{issuer=\"\(issuer)\",outcome=\"failed\"}": 0,
                "antechamber_jwks_keys{issuer=\"\(issuer)\"}": 1,
                "antechamber_legacy_audience_requests_total{issuer=\"\(issuer)\",name=\"web\"}": 1,
                "antechamber_connections{side=\"client\",state=\"active\"}": 0,
                "antechamber_connections{side=\"client\",state=\"idle\"}": 1,
                "antechamber_connections{side=\"client\",state=\"handshake\"}": 0,
                "antechamber_connections{side=\"upstream\",state=\"active\"}": 0,
                "antechamber_connections{side=\"upstream\",state=\"idle\"}": 1,
            ]
            for (sample, value) in expected { #expect(metrics[sample] == value, "\(sample)") }
            let refused = metrics.filter { $0.key.hasPrefix("antechamber_refusals_total") }
            #expect(refused.count == 4, "\(refused)")
            let age = try #require(metrics["antechamber_jwks_age_seconds{issuer=\"\(issuer)\"}"])
            #expect((0...600).contains(age))
        }
    }

    private struct Family: Decodable {
        struct Sample: Decodable {
            var name: String
            var labels: [String: String]
            var value: Double
        }
        var name: String
        var type: String
        var help: String
        var samples: [Sample]
    }

    @Test(
        "Prometheus's own parser reads the page, hostile names included",
        .enabled(if: PythonTools.areInstalled, "the Python tools are missing: use scripts/test"))
    func parser() throws {
        // An issuer whose keys are named can be called anything.
        let hostile = #"issuer 'c"l\\i{x="1"}2' { audience a; jwks_uri http://127.0.0.1:9/; }"#
        try play(main: hostile) { scene throws in
            let file = scene.folder.appending(path: "metrics.txt")
            try Data(scene.admin("/metrics").body).write(to: file)
            let families: [Family] = try PythonTools.run("read_metrics.py", [file.path], in: scene.folder)
            let types = Dictionary(uniqueKeysWithValues: families.map { ($0.name, $0.type) })
            // The parser leaves the counters' `_total` away.
            let expected = [
                "antechamber_requests": "counter", "antechamber_refusals": "counter",
                "antechamber_request_duration_seconds": "histogram",
                "antechamber_upstream_duration_seconds": "histogram",
                "antechamber_legacy_audience_requests": "counter",
                "antechamber_token_cache_hits": "counter", "antechamber_token_cache_misses": "counter",
                "antechamber_token_cache_evictions": "counter", "antechamber_signature_verifications": "counter",
                "antechamber_jwks_fetches": "counter", "antechamber_jwks_age_seconds": "gauge",
                "antechamber_jwks_keys": "gauge", "antechamber_connections": "gauge",
                "antechamber_tls_handshakes": "counter", "antechamber_tls_handshake_failures": "counter",
                "antechamber_proxy_header_failures": "counter",
                "process_cpu_seconds": "counter", "process_start_time_seconds": "gauge",
                "process_resident_memory_bytes": "gauge", "process_virtual_memory_bytes": "gauge",
                "process_open_fds": "gauge", "process_max_fds": "gauge",
            ]
            for (name, type) in expected { #expect(types[name] == type, "\(name)") }
            #expect(families.allSatisfy { !$0.help.isEmpty && !$0.samples.isEmpty })

            let samples = families.flatMap(\.samples)
            let names = Set(samples.filter { $0.name.contains("legacy") }.map { $0.labels["name"] })
            #expect(names == ["web", "cli"])
            let issuers = Set(samples.filter { $0.name == "antechamber_jwks_keys" }.map { $0.labels["issuer"] })
            #expect(issuers == [scene.issuer.identifier, #"c"l\i{x="1"}2"#])
            // No sample twice, and no value of a request's or a token's.
            let keys = samples.map { "\($0.name)\($0.labels.sorted { $0.key < $1.key })" }
            #expect(Set(keys).count == keys.count)
            #expect(!keys.contains { $0.contains("other.example") || $0.contains("missing\"") && $0.contains("route") })

            let values = Dictionary(samples.filter { $0.labels.isEmpty }.map { ($0.name, $0.value) }) { $1 }
            let now = Date().timeIntervalSince1970
            #expect((now - 3600...now + 1).contains(values["process_start_time_seconds"] ?? 0))
            #expect((values["process_cpu_seconds_total"] ?? 0) > 0)
            #expect((values["process_resident_memory_bytes"] ?? 0) > 1_000_000)
            #expect((values["process_open_fds"] ?? 0) > 3)
            #expect((values["process_max_fds"] ?? 0) > 3)
        }
    }

    @Test("The status has the same figures, the keys by their IDs, and how each server stands")
    func status() throws {
        try play(workers: 2) { scene throws in
            let status = try scene.statusDocument()
            #expect(status["version"] is String && status["started_at"] is String)
            #expect(status["listeners"] as? [String] == ["127.0.0.1:\(scene.proxy.port)"])
            let totals = status["totals"] as? [String: Int]
            #expect(totals?["requests"] == 7)
            #expect(totals?["refusals"] == 4)
            #expect(totals?["token_cache_hits"] == 1)
            #expect(totals?["signature_verifications"] == 4)
            #expect(
                status["verdicts"] as? [String: Int] == ["verified": 3, "refused": 4, "anonymous": 0, "report_only": 0])
            let refusals = (status["refusals"] as? [[String: Any]] ?? []).map { "\($0["code"]!) \($0["requests"]!)" }
            #expect(
                Set(refusals) == ["missing_token 1", "malformed_token 1", "wrong_audience 1", "token_expired 1"]
                    && refusals.count == 4)
            let duration = try #require(status["request_duration"] as? [String: Any])
            #expect(duration["sum_nanoseconds"] as? Int ?? 0 > 0)
            let buckets = try #require(duration["buckets"] as? [[String: Int]])
            #expect(buckets.reduce(0) { $0 + ($1["requests"] ?? 0) } == 7)
            let bounds = buckets.map { $0["up_to_microseconds"] }
            #expect(bounds.first == 100 && bounds.last == .some(nil) && bounds.dropLast().allSatisfy { $0 != nil })
            #expect(status["ready"] as? Bool == true && (status["missing"] as? [Any])?.isEmpty == true)

            let workers = status["workers"] as? [[String: Any]] ?? []
            #expect(workers.count == 2)
            #expect(workers.compactMap { $0["requests"] as? Int }.sorted() == [0, 7])
            #expect((status["connections"] as? [String: Int])?["client_idle"] == 1)

            let issuer = try #require((status["issuers"] as? [[String: Any]])?.first)
            #expect(issuer["issuer"] as? String == scene.issuer.identifier)
            #expect(issuer["state"] as? String == "usable")
            #expect((issuer["key_ids"] as? [String])?.count == 1)
            #expect(issuer["age_seconds"] is Int)
            #expect((issuer["last_fetch"] as? [String: Any])?["outcome"] as? String == "succeeded")
            #expect((issuer["last_fetch"] as? [String: Any])?["detail"] as? String == scene.issuer.keySetURL)

            let group = try #require((status["upstreams"] as? [[String: Any]])?.first)
            let server = try #require((group["servers"] as? [[String: Any]])?.first)
            #expect(server["server"] as? String == "127.0.0.1:\(scene.origin.port)")
            #expect((server["workers"] as? [String: Int])?["up"] == 2)
            #expect(server["idle_connections"] as? Int == 1)
        }
    }

    @Test("What goes wrong with the backend is a refusal with its code, of a request that was verified")
    func upstreamFailure() throws {
        let closed = try ScriptedOrigin(isOpen: false)
        try Scene.play(main: Scene.adminLine, upstream: "127.0.0.1:\(closed.port)") { scene throws in
            try scene.get(token: scene.token(), expecting: 502)
            let metrics = try scene.metrics()
            #expect(metrics["antechamber_requests_total{route=\"main\",verdict=\"verified\",status=\"502\"}"] == 1)
            let issuer = scene.issuer.identifier
            #expect(metrics["antechamber_refusals_total{code=\"upstream_unreachable\",issuer=\"\(issuer)\"}"] == 1)
            #expect(metrics["antechamber_upstream_duration_seconds_count"] == 0)
        }
    }

    @Test("A location is a route of its own, and what it waives is counted as that")
    func routes() throws {
        let locations = "location /open { public; } location = /open { } location /shadow { enforce report_only; }"
        try Scene.play(main: Scene.adminLine + locations) { scene throws in
            try scene.get("/open/1", expecting: 200)
            try scene.get("/open", expecting: 401)
            try scene.get("/shadow", expecting: 200)
            try scene.get("/shadow", token: scene.token(), expecting: 200)
            try scene.get("/elsewhere", token: scene.token(), expecting: 200)
            let metrics = try scene.metrics().filter {
                $0.key.hasPrefix("antechamber_requests_total") || $0.key.hasPrefix("antechamber_refusals_total")
            }
            #expect(
                metrics == [
                    "antechamber_requests_total{route=\"/open\",verdict=\"anonymous\",status=\"200\"}": 1,
                    "antechamber_requests_total{route=\"= /open\",verdict=\"refused\",status=\"401\"}": 1,
                    "antechamber_requests_total{route=\"/shadow\",verdict=\"report_only\",status=\"200\"}": 1,
                    "antechamber_requests_total{route=\"/shadow\",verdict=\"verified\",status=\"200\"}": 1,
                    "antechamber_requests_total{route=\"main\",verdict=\"verified\",status=\"200\"}": 1,
                    "antechamber_refusals_total{code=\"missing_token\",issuer=\"\"}": 2,
                ])
        }
    }

    @Test("A request that is under way is a connection on either side, and is counted when it is over")
    func underWay() throws {
        try Scene.play(main: Scene.adminLine, origin: { $0.waitForClose() }) { scene throws in
            let client = try scene.client()
            try client.get(token: scene.token())
            try eventually("the request is upstream") { !scene.origin.received.isEmpty }
            let during = try scene.metrics()
            #expect(during["antechamber_connections{side=\"client\",state=\"active\"}"] == 1)
            #expect(during["antechamber_connections{side=\"upstream\",state=\"active\"}"] == 1)
            #expect(during["antechamber_request_duration_seconds_count"] == 0)
            client.socket.reset()
            try eventually("it is over") {
                let after = try scene.metrics()
                return after["antechamber_requests_total{route=\"main\",verdict=\"verified\",status=\"499\"}"] == 1
                    && after["antechamber_connections{side=\"client\",state=\"active\"}"] == 0
                    && after["antechamber_connections{side=\"upstream\",state=\"active\"}"] == 0
            }
        }
    }
}
