// `/metrics`: the names are a contract, and every label value is of the configuration or of a closed set.

import Admission
import JOSE
import Observability
import Reactor

struct MetricsPage {
    /// What requests are counted under that lie in no location: no location's path is spelled so.
    static let mainRoute = "main"

    private let status: ProcessStatus
    private let usage: ProcessUsage

    init(_ status: ProcessStatus, usage: ProcessUsage) {
        self.status = status
        self.usage = usage
    }

    func write(to page: Exposition) {
        writeRequests(to: page)
        writeTokens(to: page)
        writeLimits(to: page)
        writeKeys(to: page)
        writeConnections(to: page)
        writeArrivals(to: page)
        writeConfiguration(to: page)
        writeProcess(to: page)
    }

    private func writeRequests(to page: Exposition) {
        let metrics = status.total.metrics
        let names = status.process.names
        page.counter("antechamber_requests_total", "Requests that are over, by what became of them.") { samples in
            for (route, verdicts) in zip(names.routes, metrics.requests) {
                for (verdict, counts) in zip(AccessRecord.Verdict.allCases, verdicts) {
                    for (code, count) in counts.counted {
                        samples.add(
                            count,
                            [
                                "route": route, "verdict": verdict.rawValue,
                                "status": code.map { String($0) } ?? "none",
                            ])
                    }
                }
            }
        }
        page.counter(
            "antechamber_refusals_total",
            "Requests refused, or reported only, or cut short, by the reason; no issuer: none was found out."
        ) { samples in
            for (issuer, counts) in zip(names.issuers, metrics.refusals) {
                for code in RefusalCode.allCases {
                    if let count = counts[code] { samples.add(count, ["code": code.rawValue, "issuer": issuer]) }
                }
            }
        }
        page.histogram(
            "antechamber_request_duration_seconds",
            "From a request's first byte to its response's last; connections that switched protocols are left out.",
            metrics.duration)
        page.histogram(
            "antechamber_upstream_duration_seconds",
            "From a request's first byte to the backend to the response's last byte from there.",
            metrics.upstreamDuration)
        page.counter(
            "antechamber_legacy_audience_requests_total", "Requests admitted for an audience that is on its way out."
        ) { samples in
            // One that is configured now may have the name of one that was.
            var counts: [[String]: UInt64] = [:]
            for (audience, count) in zip(names.audiences, metrics.legacyRequests) {
                counts[[audience.issuer, audience.name], default: 0] &+= count
            }
            for audience in names.audiences {
                guard let count = counts.removeValue(forKey: [audience.issuer, audience.name]) else { continue }
                samples.add(count, ["issuer": audience.issuer, "name": audience.name])
            }
        }
    }

    private func writeTokens(to page: Exposition) {
        let tokens = status.total.tokens
        page.counter("antechamber_token_cache_hits_total", "Requests with a token that was remembered.") {
            $0.add(tokens.cacheHits)
        }
        page.counter("antechamber_token_cache_misses_total", "Requests with a token that was not.") {
            $0.add(tokens.cacheMisses)
        }
        page.counter("antechamber_token_cache_evictions_total", "Remembered tokens that made room for others.") {
            $0.add(tokens.cacheEvictions)
        }
        page.counter("antechamber_minted_tokens_total", "Tokens signed here for the backend.") { $0.add(tokens.minted) }
        page.counter("antechamber_signature_verifications_total", "Signatures verified, good and bad ones.") { samples in
            for algorithm in SignatureAlgorithm.allCases {
                if let count = tokens.verifications[algorithm] { samples.add(count, ["alg": algorithm.rawValue]) }
            }
        }
    }

    private func writeLimits(to page: Exposition) {
        if status.limits.isEmpty { return }
        page.gauge("antechamber_rate_limit_callers", "Callers that a limit remembers, of 65536 at most.") { samples in
            for (limit, figures) in status.limits {
                samples.add(UInt64(figures.callers), ["route": limit.route, "limit": limit.limit])
            }
        }
        page.counter("antechamber_rate_limit_refusals_total", "Requests beyond a limit.") { samples in
            for (limit, figures) in status.limits {
                samples.add(figures.refusals, ["route": limit.route, "limit": limit.limit])
            }
        }
        page.counter(
            "antechamber_rate_limit_evictions_total",
            "Callers that a limit has forgotten for others, although they had sent something lately."
        ) { samples in
            for (limit, figures) in status.limits {
                samples.add(figures.evictions, ["route": limit.route, "limit": limit.limit])
            }
        }
    }

    private func writeKeys(to page: Exposition) {
        page.counter("antechamber_jwks_fetches_total", "Attempts to get an issuer's keys that are over.") { samples in
            for issuer in status.issuers {
                for outcome in KeyHistory.Outcome.allCases {
                    samples.add(
                        issuer.history.count(of: outcome), ["issuer": issuer.issuer, "outcome": outcome.rawValue])
                }
            }
        }
        page.gauge(
            "antechamber_jwks_age_seconds", "How long ago the keys in use were fetched; absent where none are in use."
        ) { samples in
            for issuer in status.issuers {
                if let age = issuer.ageSeconds { samples.add(UInt64(max(0, age)), ["issuer": issuer.issuer]) }
            }
        }
        page.gauge("antechamber_jwks_keys", "Keys in use.") { samples in
            for issuer in status.issuers { samples.add(UInt64(issuer.keys?.keys.count ?? 0), ["issuer": issuer.issuer]) }
        }
    }

    private func writeConnections(to page: Exposition) {
        let connections = status.total.connections
        page.counter("antechamber_log_lines_lost_total", "Lines of a log that could not be written.") { samples in
            samples.add(status.logLosses.access.count, ["log": "access"])
            samples.add(status.logLosses.error.count, ["log": "error"])
        }
        page.gauge("antechamber_connections", "Open connections; active ones have a request under way.") { samples in
            let figures = [
                ("client", "active", connections.clientActive), ("client", "idle", connections.clientIdle),
                ("client", "handshake", connections.clientHandshaking),
                ("upstream", "active", connections.upstreamActive), ("upstream", "idle", connections.upstreamIdle),
            ]
            for (side, state, count) in figures { samples.add(UInt64(max(0, count)), ["side": side, "state": state]) }
        }
    }

    private func writeArrivals(to page: Exposition) {
        let arrivals = status.total.metrics.arrivals
        page.counter("antechamber_tls_handshakes_total", "TLS handshakes with clients that came to a connection.") {
            $0.add(arrivals.handshakes &- arrivals.resumedHandshakes, ["session": "new"])
            $0.add(arrivals.resumedHandshakes, ["session": "resumed"])
        }
        page.counter(
            "antechamber_tls_handshake_failures_total", "TLS handshakes with clients that came to none, by the reason."
        ) { samples in
            for reason in HandshakeFailure.allCases {
                samples.add(arrivals.handshakeFailures[reason] ?? 0, ["reason": reason.rawValue])
            }
        }
        page.counter(
            "antechamber_proxy_header_failures_total",
            "Connections closed for want of a PROXY header, or of a trusted proxy that sends it."
        ) { samples in
            for reason in ProxyHeaderFailure.allCases {
                samples.add(arrivals.proxyHeaderFailures[reason] ?? 0, ["reason": reason.rawValue])
            }
        }
    }

    private func writeConfiguration(to page: Exposition) {
        page.counter("antechamber_config_reloads_total", "Reloads of the configuration, by what became of them.") {
            $0.add(status.reloads.succeeded, ["outcome": "succeeded"])
            $0.add(status.reloads.refused, ["outcome": "refused"])
        }
        page.gauge(
            "antechamber_config_last_reload_success_timestamp_seconds",
            "When the configuration that is served was loaded, since unix epoch in seconds."
        ) {
            $0.add(seconds: Double(status.process.configuredAtWall / 1_000_000) / 1e3)
        }
    }

    /// The names are those of Prometheus's own client libraries.
    private func writeProcess(to page: Exposition) {
        page.counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.") {
            $0.add(seconds: Double(usage.cpuNanoseconds) / 1e9)
        }
        page.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.") {
            $0.add(seconds: Double(status.process.startedAtWall / 1_000_000) / 1e3)
        }
        if let bytes = usage.residentBytes {
            page.gauge("process_resident_memory_bytes", "Resident memory size in bytes.") { $0.add(bytes) }
        }
        if let bytes = usage.virtualBytes {
            page.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.") { $0.add(bytes) }
        }
        if let count = usage.openDescriptors {
            page.gauge("process_open_fds", "Number of open file descriptors.") { $0.add(count) }
        }
        if let count = usage.descriptorsMax {
            page.gauge("process_max_fds", "Maximum number of open file descriptors.") { $0.add(count) }
        }
    }
}
