// The backend: `upstream URL { … }` and what stands in its block.

import Admission

let upstreamDirectives: [Directive] = [
    Directive(
        name: "server", syntax: "URL [weight=N]", contexts: [.upstream], argumentsMax: 2, isRepeatable: true,
        summary: "One more server that answers alike, up to \(UpstreamPolicy.serversMax). The weight, 1 to 1000, is its "
            + "share of the requests as against the others'. A server that cannot be connected to, or that ends a new "
            + "connection before it answers, is passed over for 10 seconds; then one request tries it again. That it "
            + "failed costs no request that was not sent yet or can be repeated: it goes on to the next server. Where "
            + "no server is up, all are tried.",
        effect: .upstream(applyServer)),
    Directive(
        name: "balance", syntax: "round_robin | least_connections", contexts: [.upstream], standard: "round_robin",
        summary: "How each worker spreads its requests, by the servers' weights: in turn, or to the server with the "
            + "fewest of the worker's requests under way.",
        effect: .upstream(Directive.choice(\.balance))),
    Directive(
        name: "keepalive", syntax: "N", contexts: [.upstream], standard: "256",
        summary: "Idle connections that each worker keeps open for reuse, to all servers together; 0 keeps none.",
        effect: .upstream(Directive.count(\.keepalive, 0...65_536))),
    Directive(
        name: "health_check", syntax: "PATH [interval=DURATION] [rise=N] [fall=N]", contexts: [.upstream],
        argumentsMax: 4,
        summary: "Asks every server for `PATH` once each `interval` (5s); a status from 200 to 399 is good. After `fall` "
            + "(3) bad answers in a row a server gets no more requests, unless no other is up; after `rise` (2) good "
            + "ones it gets them again. At the start all count as up. An answer may take as long as the interval, but "
            + "at least 1s and at most 5s.",
        effect: .upstream(applyHealthCheck)),
    Directive(
        name: "resolve", syntax: "DURATION", contexts: [.upstream], standard: "10s",
        summary: "How often the servers' names are looked up anew. What was found serves on while a look-up fails.",
        effect: .upstream(Directive.duration(\.resolveMilliseconds, from: "1s", to: "24h"))),
]

extension UpstreamDraft {
    /// What `upstream` itself says.
    init(_ statement: Statement, _ problems: Problems) {
        if let url = statement.arguments.first { add(url, weight: 1, problems) }
        Directive.apply(statement.block ?? [], to: &self, problems: problems)
    }
}

private func applyServer(_ statement: Statement, _ draft: inout UpstreamDraft, _ problems: Problems) {
    var weight: Int64 = 1
    let parameters = problems.parameters(statement.arguments.dropFirst(), of: "server", known: ["weight"])
    if let word = parameters["weight"] { weight = problems.count(word, 1...1000) ?? weight }
    draft.add(statement.arguments[0], weight: Int(weight), problems)
}

private func applyHealthCheck(_ statement: Statement, _ draft: inout UpstreamDraft, _ problems: Problems) {
    let target = statement.arguments[0]
    var check = UpstreamPolicy.HealthCheck(target: target.text)
    let isTarget = { (text: String) in
        text.hasPrefix("/") && text.utf8.count <= 1024
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
    }
    if !isTarget(target.text) {
        problems.error(
            "\(quoted(target.text)) is no path to ask for; expected one such as /healthz, of visible ASCII characters "
                + "without '#'",
            at: target)
    }
    let parameters = problems.parameters(
        statement.arguments.dropFirst(), of: "health_check", known: ["interval", "rise", "fall"])
    if let word = parameters["interval"], let value = problems.milliseconds(word, from: "100ms", to: "1h") {
        check.intervalMilliseconds = value
    }
    if let word = parameters["rise"], let value = problems.count(word, 1...100) { check.rise = Int(value) }
    if let word = parameters["fall"], let value = problems.count(word, 1...100) { check.fall = Int(value) }
    draft.healthCheck = check
}

extension UpstreamDraft {
    fileprivate mutating func add(_ url: Word, weight: Int, _ problems: Problems) {
        namesServer = true
        guard let endpoint = problems.upstreamEndpoint(url) else { return }
        if let first = servers.first(where: { $0.server.endpoint == endpoint }) {
            problems.error(
                "the server \(quoted(url.text)) is given twice; the first is at "
                    + problems.description(of: first.word.origin),
                at: url)
        } else if servers.count == UpstreamPolicy.serversMax {
            problems.error("more than \(UpstreamPolicy.serversMax) servers", at: url)
        } else {
            servers.append((UpstreamPolicy.Server(endpoint, weight: weight), url))
        }
    }
}

extension Problems {
    private static let expected = "http://host[:port] or unix:/path"

    fileprivate func upstreamEndpoint(_ word: Word) -> Endpoint? {
        if word.text.hasPrefix("unix:") { return socketPath(word).map { .unix(path: $0) } }
        let url: HTTPURL
        do throws(HTTPURLError) {
            url = try HTTPURL(parsing: word.text)
        } catch {
            if case .otherScheme(let name) = error {
                self.error("unknown scheme \(quoted(name)); expected \(Self.expected)", at: word)
            } else {
                report(error, inURL: word, scheme: .http, expected: Self.expected)
            }
            return nil
        }
        guard url.scheme == .http else {
            error("'https://' upstreams are not supported by this version yet", at: word)
            return nil
        }
        guard url.path == "/", url.query == nil else {
            error(
                "an upstream has no path or query, requests are forwarded with their own; expected \(Self.expected)",
                at: word)
            return nil
        }
        return .tcp(host: url.host.unbracketed, port: url.port)
    }
}
