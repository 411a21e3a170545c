// The backend: `upstream URL { … }` and what stands in its block.

import Admission
import OpenSSLKit

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
    Directive(
        name: "tls_ca", syntax: "FILE", contexts: [.upstream],
        summary: "The authorities, in PEM, that vouch for `https` servers; without it, those that the system trusts.",
        effect: .upstream { statement, draft, problems in draft.authorities = problems.file(statement.arguments[0]) }),
    Directive(
        name: "tls_server_name", syntax: "NAME", contexts: [.upstream],
        summary: "The name that `https` servers are asked for (SNI) and have to have in their certificates, or the address; "
            + "without it, the host of each one's URL.",
        effect: .upstream { statement, draft, problems in
            let word = statement.arguments[0]
            guard let host = HTTPURL.Host(parsing: word.text) ?? HTTPURL.Host(parsing: "[\(word.text)]") else {
                problems.error("\(quoted(word.text)) is not the name of a server; expected api.example.com, say", at: word)
                return
            }
            draft.serverName = host.serverName
        }),
    Directive(
        name: "tls_verify", syntax: "on | off", contexts: [.upstream], standard: "on",
        summary: "Whether `https` servers have to prove who they are. With `off` anyone on the way there can read and change "
            + "what passes.",
        effect: .upstream { statement, draft, problems in
            if let isOn: Switch = problems.choice(statement.arguments[0]) { draft.verifiesServers = isOn == .on }
        }),
]

extension HTTPURL.Host {
    fileprivate var serverName: TLSServerName {
        switch self {
        case .name(let name): .name(name)
        case .ipv4(let address), .ipv6(let address): .address(address)
        }
    }
}

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
        guard let (endpoint, tlsName) = problems.upstreamEndpoint(url) else { return }
        if let first = servers.first(where: { $0.endpoint == endpoint }) {
            problems.error(
                "the server \(quoted(url.text)) is given twice; the first is at "
                    + problems.description(of: first.word.origin),
                at: url)
        } else if servers.count == UpstreamPolicy.serversMax {
            problems.error("more than \(UpstreamPolicy.serversMax) servers", at: url)
        } else {
            servers.append(ServerDraft(endpoint: endpoint, weight: weight, tlsName: tlsName, word: url))
        }
    }
}

extension UpstreamDraft {
    /// The backend; what is wrong with its authorities is reported.
    func validated(files: any ConfigurationFiles, problems: Problems) -> UpstreamPolicy {
        let context = clientContext(files: files, problems: problems)
        return UpstreamPolicy(
            servers: servers.map { server in
                let peer = context.flatMap { context in
                    server.tlsName.map { TLSPeer(context, serverName ?? $0) }
                }
                return UpstreamPolicy.Server(server.endpoint, weight: server.weight, tls: peer)
            },
            balance: balance, keepalive: Int(keepalive), healthCheck: healthCheck, resolveMilliseconds: resolveMilliseconds)
    }

    /// Nil where no server speaks TLS, or an error was reported.
    private func clientContext(files: any ConfigurationFiles, problems: Problems) -> TLSClientContext? {
        guard let first = servers.first(where: { $0.tlsName != nil }) else {
            for name in ["tls_ca", "tls_server_name", "tls_verify"] {
                guard let origin = seen[name], !problems.hasErrors else { continue }
                problems.warning("'\(name)' has no effect: no server's URL is https://", at: origin)
            }
            return nil
        }
        if !verifiesServers {
            problems.warning(
                "the servers need not prove who they are: whoever is on the way there can read the tokens, and answer in "
                    + "their place; name who vouches for them instead, with 'tls_ca'",
                at: seen["tls_verify"] ?? first.word.origin)
        }
        var known: [Certificate]?
        if let authorities {
            guard let found = files.authorities(authorities, countMax: ListenerDraft.authoritiesMax, problems) else { return nil }
            known = found
        }
        do throws(OpenSSLError) {
            return try TLSClientContext(authorities: known, verifies: verifiesServers)
        } catch {
            problems.error("OpenSSL does not take what is given for TLS: \(error.reason)", at: first.word)
            return nil
        }
    }
}

extension Problems {
    private static let expected = "http://host[:port], https://host[:port] or unix:/path"

    /// Where it is, and, if it speaks TLS, who it is.
    fileprivate func upstreamEndpoint(_ word: Word) -> (Endpoint, TLSServerName?)? {
        if word.text.hasPrefix("unix:") { return socketPath(word).map { (.unix(path: $0), nil) } }
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
        guard url.path == "/", url.query == nil else {
            error(
                "an upstream has no path or query, requests are forwarded with their own; expected \(Self.expected)",
                at: word)
            return nil
        }
        return (
            .tcp(host: url.host.unbracketed, port: url.port), url.scheme == .https ? url.host.serverName : nil
        )
    }
}
