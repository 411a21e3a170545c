// `/status`: the process as one JSON document, for people and for the page that draws it.

import Admission
import Bytes
import Configuration
import JOSE
import Observability

struct StatusDocument {
    private let status: ProcessStatus

    init(_ status: ProcessStatus) {
        self.status = status
    }

    func write(to json: inout JSONWriter) {
        let process = status.process
        json.object { json in
            json.member("version", process.version)
            json.member("started_at", RFC3339.text(process.startedAtWall / 1_000_000_000))
            json.member("uptime_seconds", (status.now - process.startedAt) / 1_000_000_000)
            json.member("draining", status.isDraining)
            Readiness(issuers: status.issuers, upstreams: status.upstreams, isDraining: status.isDraining)
                .writeMembers(to: &json)
            json.name("configuration")
            json.object { json in
                json.member("loaded_at", RFC3339.text(process.configuredAtWall / 1_000_000_000))
                json.member("number", Int64(process.generation))
                json.member("reloads", Int64(clamping: status.reloads.succeeded))
                json.member("reloads_refused", Int64(clamping: status.reloads.refused))
            }
            json.name("listeners")
            json.array(process.listeners) { json, endpoint in json.string(endpoint.description) }
            json.name("issuers")
            json.array(status.issuers, writeIssuer)
            json.name("upstreams")
            json.array(Array(zip(status.upstreams, status.total.upstreams))) { json, upstream in
                writeUpstream(&json, upstream.0, upstream.1)
            }
            json.name("rate_limits")
            json.array(status.limits) { json, limit in
                json.object { json in
                    json.member("route", limit.limit.route)
                    json.member("limit", limit.limit.limit)
                    json.member("callers", Int64(limit.figures.callers))
                    json.member("refusals", Int64(clamping: limit.figures.refusals))
                    json.member("evictions", Int64(clamping: limit.figures.evictions))
                }
            }
            json.name("workers")
            json.array(status.workers) { json, worker in
                json.object { json in
                    json.member("requests", Int64(clamping: worker.metrics.requestCount))
                    json.member("remembered_tokens", Int64(worker.rememberedTokens))
                    writeConnections(&json, worker.connections)
                }
            }
            writeConnections(&json, status.total.connections)
            writeTotals(&json)
            writeRequests(&json)
        }
    }

    private func writeIssuer(_ json: inout JSONWriter, _ issuer: IssuerStatus) {
        json.object { json in
            json.member("issuer", issuer.issuer)
            switch issuer.material.state {
            case .pending: json.member("state", "pending")
            case .unavailable: json.member("state", "unavailable")
            case .usable: json.member("state", "usable")
            }
            json.member("keys", Int64(issuer.keys?.keys.count ?? 0))
            json.name("key_ids")
            // What an issuer publishes: cut, as it can be of any length.
            json.array(issuer.keys?.keys.compactMap(\.keyID) ?? []) { json, keyID in json.string(keyID.forLog) }
            if let age = issuer.ageSeconds { json.member("age_seconds", age) }
            json.name("fetches")
            json.object { json in
                for outcome in KeyHistory.Outcome.allCases {
                    json.member(outcome.rawValue, Int64(clamping: issuer.history.count(of: outcome)))
                }
            }
            guard let last = issuer.history.last else { return }
            json.name("last_fetch")
            json.object { json in
                json.member("outcome", last.outcome.rawValue)
                json.member("detail", last.detail)
                json.member("seconds_ago", (status.now - last.endedAt) / 1_000_000_000)
            }
        }
    }

    private func writeUpstream(
        _ json: inout JSONWriter, _ upstream: UpstreamHealth, _ figures: [UpstreamServerFigures]
    ) {
        let servers = figures.indices.map { index in
            (upstream.policy.servers[index].endpoint, upstream.serversShownUp?[index], figures[index])
        }
        json.object { json in
            json.name("servers")
            json.array(servers) { json, server in
                let (endpoint, isShownUp, figures) = server
                json.object { json in
                    json.member("server", endpoint.description)
                    if let isShownUp { json.member("health_checks_pass", isShownUp) }
                    json.name("workers")
                    json.object { json in
                        for standing in Balancer.Standing.allCases {
                            json.member(standing.word, Int64(figures.standings[standing] ?? 0))
                        }
                    }
                    json.member("requests_under_way", Int64(figures.requestsUnderWay))
                    json.member("idle_connections", Int64(figures.idleConnections))
                }
            }
        }
    }

    private func writeConnections(_ json: inout JSONWriter, _ connections: ConnectionFigures) {
        json.name("connections")
        json.object { json in
            json.member("client_active", Int64(connections.clientActive))
            json.member("client_idle", Int64(connections.clientIdle))
            json.member("client_handshaking", Int64(connections.clientHandshaking))
            json.member("upstream_active", Int64(connections.upstreamActive))
            json.member("upstream_idle", Int64(connections.upstreamIdle))
        }
    }

    /// What became of requests, why, and how long they took: what the page draws.
    private func writeRequests(_ json: inout JSONWriter) {
        let metrics = status.total.metrics
        json.name("verdicts")
        json.object { json in
            for verdict in AccessRecord.Verdict.allCases {
                json.member(verdict.rawValue, Int64(clamping: metrics.requestCount(verdict)))
            }
        }
        json.name("refusals")
        json.array(metrics.refusalCounts) { json, refusal in
            json.object { json in
                json.member("code", refusal.code.rawValue)
                json.member("requests", Int64(clamping: refusal.count))
            }
        }
        json.name("request_duration")
        json.object { json in
            json.member("sum_nanoseconds", Int64(clamping: metrics.duration.sumNanoseconds))
            json.name("buckets")
            json.array(Array(metrics.duration.counts.enumerated())) { json, bucket in
                json.object { json in
                    // The last one holds those beyond every bound.
                    if bucket.offset < DurationHistogram.bounds.count {
                        json.member("up_to_microseconds", DurationHistogram.bounds[bucket.offset].nanoseconds / 1000)
                    }
                    json.member("requests", Int64(clamping: bucket.element))
                }
            }
        }
    }

    private func writeTotals(_ json: inout JSONWriter) {
        let total = status.total
        json.name("totals")
        json.object { json in
            json.member("requests", Int64(clamping: total.metrics.requestCount))
            json.member("refusals", Int64(clamping: total.metrics.refusalCount))
            json.member("token_cache_hits", Int64(clamping: total.tokens.cacheHits))
            json.member("token_cache_misses", Int64(clamping: total.tokens.cacheMisses))
            json.member("token_cache_evictions", Int64(clamping: total.tokens.cacheEvictions))
            json.member(
                "signature_verifications", Int64(clamping: total.tokens.verifications.values.reduce(0, &+)))
            let arrivals = total.metrics.arrivals
            json.member("tls_handshakes", Int64(clamping: arrivals.handshakes))
            json.member(
                "tls_handshake_failures", Int64(clamping: arrivals.handshakeFailures.values.reduce(0, &+)))
        }
    }
}

extension Balancer.Standing {
    /// As an operator reads it.
    fileprivate var word: String {
        switch self {
        case .up: "up"
        case .resting: "failed_lately"
        case .unhealthy: "health_checks_fail"
        case .nowhere: "no_address"
        }
    }
}
