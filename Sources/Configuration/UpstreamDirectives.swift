// The backend: `upstream URL { … }` and what stands in its block.

import Admission

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
