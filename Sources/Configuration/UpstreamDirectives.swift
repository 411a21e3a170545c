// The backend: `upstream URL { … }` and what stands in its block.

let upstreamDirectives: [Directive] = [
    Directive(
        name: "keepalive", syntax: "N", contexts: [.upstream], standard: "256",
        summary: "Idle connections to the backend that each worker keeps open for reuse; 0 keeps none.",
        effect: .upstream(Directive.count(\.keepalive, 0...65_536))),
]

/// `upstream` itself.
func applyUpstream(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    var upstream = UpstreamDraft()
    upstream.endpoint = problems.upstreamEndpoint(statement.arguments[0])
    Directive.apply(statement.block ?? [], to: &upstream, problems: problems)
    draft.upstream = upstream
}

extension Problems {
    private static let expected = "http://host[:port] or unix:/path"

    fileprivate func upstreamEndpoint(_ word: Word) -> Endpoint? {
        if word.text.hasPrefix("unix:") { return socketPath(word).map { .unix(path: $0) } }
        let url: URLText
        do {
            url = try URLText(word.text)
        } catch {
            let meant = (try? URLText("http://\(word.text)")) == nil || word.text.contains("://")
                ? "" : "; did you mean 'http://\(word.text)'?"
            self.error(
                "\(quoted(word.text)) is not a URL: \(error.reason); expected \(Self.expected)\(meant)", at: word)
            return nil
        }
        guard !url.hasUserInformation else {
            // Without showing it: the message may go to a log.
            error("this URL holds a user name or password; expected \(Self.expected)", at: word)
            return nil
        }
        switch url.scheme {
        case "http": break
        case "https":
            error("'https://' upstreams are not supported by this version yet", at: word)
            return nil
        default:
            error("unknown scheme \(quoted(url.scheme)); expected \(Self.expected)", at: word)
            return nil
        }
        guard url.path.isEmpty || url.path == "/", !url.hasQuery, !url.hasFragment else {
            error(
                "an upstream has no path or query, requests are forwarded with their own; expected \(Self.expected)",
                at: word)
            return nil
        }
        return .tcp(host: url.host.text, port: url.port ?? 80)
    }
}
