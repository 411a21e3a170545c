// The directives of the top level, in the order in which an operator thinks of them.

import Admission
import Bytes

let mainDirectives: [Directive] = [
    Directive(
        name: "listen", syntax: "ADDRESS [tls] [proxy_protocol]", contexts: [.main], argumentsMax: 8, block: .listen,
        isRepeatable: true, standard: "127.0.0.1:8080",
        summary: "Where clients connect: a port on every address (`8080`), an address and port (`127.0.0.1:8080`, "
            + "`[::]:8080`), or a socket file (`unix:/run/antechamber.sock`). With port 0 the system chooses one. With "
            + "`proxy_protocol` each connection has to come from `trusted_proxies` and to begin with a header of the "
            + "PROXY protocol, version 1 or 2, whose address then is the client's. With `tls` and a block, clients speak TLS: "
            + "1.2 or 1.3, HTTP/1.1 within.",
        effect: .main(applyListen)),
    Directive(
        name: "trusted_proxies", syntax: "CIDR …", contexts: [.main],
        argumentsMax: MainDraft.trustedRangesMax, isRepeatable: true,
        summary: "The proxies in front, as ranges of addresses (`10.0.0.0/8`, `2001:db8::/32`), single addresses, or "
            + "`unix:` for all who connect to a socket file. What they send of `X-Forwarded-For`, `-Proto`, `-Host` "
            + "and the rest of `X-Forwarded-*`, of `Forwarded`, `X-Real-IP` and its like, `X-Request-Id`, "
            + "`traceparent` and `tracestate`, and of the PROXY protocol, is believed; from anyone else it is "
            + "replaced or removed. Name only proxies that set or remove each of these themselves. Without it nobody "
            + "is believed.",
        effect: .main(applyTrustedProxies)),
    Directive(
        name: "upstream", syntax: "[URL]", contexts: [.main], argumentsMin: 0, block: .upstream,
        whenMissing: "say where admitted requests go, with 'upstream URL;', --upstream or ANTECHAMBER_UPSTREAM",
        summary: "The backend: `http://host[:port]`, `https://host[:port]` (port 80 or 443 unless given) or `unix:/path`. It is the first server, "
            + "with a weight of 1; more of them stand in the block, where all of them may. It may be missing where all "
            + "locations are for `verify`.",
        effect: .main { statement, draft, problems in draft.upstream = UpstreamDraft(statement, problems) }),
    Directive(
        name: "issuer", syntax: "URL", contexts: [.main], block: .issuer,
        isRepeatable: true,
        whenMissing: "say whose tokens are trusted, with 'issuer URL { audience A; }', --issuer or "
            + "ANTECHAMBER_ISSUER",
        summary: "A trusted issuer, exactly as its tokens name it in `iss`: the two are compared byte for byte. "
            + "`https`, or `http` for a loopback address.",
        effect: .main(applyIssuer)),
    Directive(
        name: "forward", syntax: "", contexts: [.main], argumentsMin: 0, argumentsMax: 0, block: .forward,
        needsBlock: true,
        summary: "What the backend is told of a token: a header for each claim named in the block, in place of the usual "
            + "`X-Auth-Subject`, `-Issuer`, `-Audience`, `-Client`, `-Scope` and `-Expires`. `X-Auth-Status` is always set, "
            + "and `X-Auth-Legacy-Audience` where a legacy audience matched. A client can send none of these headers "
            + "through, in no spelling and on no route. All claims together may fill 8 KiB; more is refused "
            + "(`malformed_claim`).",
        effect: .main { statement, draft, problems in draft.rules.forward = problems.forwardPolicy(statement) }),
    Directive(
        name: "authorization", syntax: "keep | strip | mint", contexts: [.main], standard: "keep",
        summary: "Whether the backend gets the client's `Authorization` header, as it may read the token itself. With `mint` it "
            + "gets one with a token that is signed here (see the block `mint`) in its place, wherever the client's token "
            + "was; and none at all where no token was verified, on public paths, with preflights and with what "
            + "`report_only` lets through.",
        effect: .main { statement, draft, problems in
            if let policy = problems.authorizationPolicy(statement) { draft.rules.authorization = policy }
        }),
    Directive(
        name: "reserved_headers", syntax: "PREFIX …", contexts: [.main], argumentsMax: 64,
        standard: "X-Auth-",
        summary: "Request headers that no client may send through: every one whose name begins so, in any case, and "
            + "with any other character than a letter or digit read as if it were not there. Replaces the default.",
        effect: .main(applyReservedHeaders)),
    Directive(
        name: "error_detail", syntax: "full | terse", contexts: [.main], standard: "full",
        summary: "Whether a refusal tells the caller what was wrong with a token whose signature held.",
        effect: .main(Directive.choice(\.errorDetail))),
    Directive(
        name: "workers", syntax: "auto | N", contexts: [.main], standard: "auto",
        summary: "Workers that share the connections, 1 to 1024; `auto` is the CPUs this process may use.",
        effect: .main { statement, draft, problems in
            let word = statement.arguments[0]
            if word.text == "auto" {
                draft.workers = .auto
            } else if let count = Quantity.count(word.text), (1...1024).contains(count) {
                draft.workers = .fixed(Int(count))
            } else {
                problems.error("\(quoted(word.text)) is neither 'auto' nor a number from 1 to 1024", at: word)
            }
        }),
    Directive(
        name: "token_cache", syntax: "N", contexts: [.main], standard: "65536",
        summary: "Verified tokens that each worker remembers, up to 16777216; 0 remembers none.",
        effect: .main(Directive.count(\.tokenCacheEntries, 0...16_777_216))),
    Directive(
        name: "state_dir", syntax: "PATH | off", contexts: [.main], standard: "off",
        summary: "A directory for what survives a restart: each issuer's last good keys, which serve from the start, for "
            + "what is left of `jwks_max_stale`, while new ones are fetched; and who still uses the legacy audiences. It "
            + "has to be there, and this user alone should be able to write to it. One proxy at a time has it.",
        effect: .main { statement, draft, problems in
            let word = statement.arguments[0]
            draft.stateDirectory = word.text == "off" ? nil : problems.file(word)
        }),
    adminDirective,
    Directive(
        name: "access_log", syntax: "PATH | stdout | off [json | combined]", contexts: [.main], argumentsMax: 2,
        standard: "stdout json",
        summary: "Where the one line a request leaves goes, and its form: `json`, with all that is known of it, or `combined`, "
            + "as Apache and nginx write it, with the token's subject as the user. Neither has a token or a query in it. No "
            + "request waits for a log: while one cannot be written (a full disk, a pipe that nobody reads), 8 MiB are kept "
            + "for it, and lines beyond that are lost, counted in `antechamber_log_lines_lost_total`, and told of when it "
            + "can be written again. `SIGUSR1` reopens files.",
        effect: .main(applyAccessLog)),
    Directive(
        name: "error_log", syntax: "PATH | stderr [debug | info | notice | warn | error]", contexts: [.main],
        argumentsMax: 2, standard: "stderr info",
        summary: "Where the proxy reports on itself, and the least grave level it reports. `debug` tells why each request was "
            + "refused, too.",
        effect: .main(applyErrorLog)),
    Directive(
        name: "client_header_timeout", syntax: "DURATION", contexts: [.main], standard: "10s",
        summary: "How long a client may take to send the head of a request, and before the first one to agree on TLS.",
        effect: .main(Directive.duration(\.timeouts.clientHeader, from: "1ms", to: "1h"))),
    Directive(
        name: "client_body_timeout", syntax: "DURATION", contexts: [.main], standard: "60s",
        summary: "How long may pass between two reads of a request's body.",
        effect: .main(Directive.duration(\.timeouts.clientBody, from: "1ms", to: "365d"))),
    Directive(
        name: "keepalive_timeout", syntax: "DURATION", contexts: [.main], standard: "75s",
        summary: "How long a client's connection may idle between two requests; 0 closes it after each response.",
        effect: .main(Directive.duration(\.timeouts.keepalive, from: "1ms", to: "365d", zero: true))),
    Directive(
        name: "client_header_max_size", syntax: "SIZE", contexts: [.main], standard: "32k",
        summary: "The most that the head of a request may hold, request line and fields together.",
        effect: .main { statement, draft, problems in
            if let value = problems.bytes(statement.arguments[0], from: "1k", to: "1m") {
                draft.limits.headerBytes = Int(value)
            }
        }),
    Directive(
        name: "proxy_header_max_size", syntax: "SIZE", contexts: [.main], standard: "16k",
        summary: "The most that the head of a request may hold when it goes to the backend, with all that is set for it. A "
            + "longer one is refused (431 `header_too_large`) before anything is sent. 16k is what Node takes "
            + "(`--max-http-header-size`).",
        effect: .main { statement, draft, problems in
            if let value = problems.bytes(statement.arguments[0], from: "1k", to: "2m") {
                draft.limits.upstreamHeaderBytes = Int(value)
            }
        }),
    Directive(
        name: "client_max_body_size", syntax: "SIZE", contexts: [.main], standard: "0",
        summary: "The most that the body of a request may hold; 0 sets no bound.",
        effect: .main { statement, draft, problems in
            if let value = problems.bytes(statement.arguments[0], from: "1", to: "1048576g", zero: true) {
                draft.limits.bodyBytes = UInt64(value)
            }
        }),
    Directive(
        name: "max_connections", syntax: "N", contexts: [.main], standard: "0",
        summary: "Client connections at once, over all workers, up to 16777216; 0 sets no bound.",
        effect: .main { statement, draft, problems in
            if let value = problems.count(statement.arguments[0], 0...16_777_216) {
                draft.limits.connections = Int(value)
            }
        }),
    Directive(
        name: "proxy_connect_timeout", syntax: "DURATION", contexts: [.main], standard: "5s",
        summary: "How long connecting to the backend may take.",
        effect: .main(Directive.duration(\.timeouts.proxyConnect, from: "1ms", to: "1h"))),
    Directive(
        name: "proxy_send_timeout", syntax: "DURATION", contexts: [.main], standard: "60s",
        summary: "How long may pass between two writes to the backend.",
        effect: .main(Directive.duration(\.timeouts.proxySend, from: "1ms", to: "365d"))),
    Directive(
        name: "proxy_read_timeout", syntax: "DURATION", contexts: [.main], standard: "60s",
        summary: "How long may pass between two reads from the backend.",
        effect: .main(Directive.duration(\.timeouts.proxyRead, from: "1ms", to: "365d"))),
    Directive(
        name: "upgrade", syntax: "PROTOCOL … | off", contexts: [.main], argumentsMax: 16, standard: "websocket",
        summary: "Protocols that a request may switch its connection to (RFC 9110 §7.8), by their names in the Upgrade "
            + "field. Where the backend switches, bytes pass both ways unread. A request that asks for another protocol, "
            + "or has a body, goes on as a plain one. `h2c` cannot be listed.",
        effect: .main(applyUpgrade)),
    Directive(
        name: "websocket_expiry_grace", syntax: "DURATION", contexts: [.main], standard: "60s",
        summary: "How long a connection that switched protocols may outlive the token that opened it.",
        effect: .main(
            Directive.duration(\.websocketExpiryGraceMilliseconds, from: "0s", to: "3650d", wholeSeconds: true))),
    Directive(
        name: "shutdown_timeout", syntax: "DURATION", contexts: [.main], standard: "30s",
        summary: "How long requests in flight may go on after SIGTERM or SIGINT.",
        effect: .main(Directive.duration(\.timeouts.shutdown, from: "1ms", to: "24h"))),
]

private func applyTrustedProxies(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    for word in statement.arguments where !word.isDamaged {
        if word.text == "unix:" {
            draft.trustedProxies.includesUnixSockets = true
        } else if let range = problems.addressRange(word) {
            if draft.trustedProxies.ranges.contains(range) {
                problems.warning("\(quoted(word.text)) is listed twice", at: word.origin)
            } else if draft.trustedProxies.ranges.count == MainDraft.trustedRangesMax {
                problems.error("more than \(MainDraft.trustedRangesMax) ranges", at: word)
                return
            } else {
                draft.trustedProxies.ranges.append(range)
            }
        }
    }
}

extension Problems {
    fileprivate func addressRange(_ word: Word) -> AddressRange? {
        let text = quoted(word.text)
        do throws(AddressRangeError) {
            let range = try AddressRange(parsing: word.text)
            if range.isEverything {
                warning("\(text) is everyone: any client can say whose its requests are", at: word.origin)
            }
            return range
        } catch {
            switch error {
            case .notAnAddress:
                let unix = word.text.hasPrefix("unix:") ? "; 'unix:' alone stands for all socket files" : ""
                self.error(
                    "\(text) is not an address or a range of them; expected 10.0.0.0/8, 2001:db8::/32, 127.0.0.1 or unix:"
                        + unix,
                    at: word)
            case .prefixOutOfRange(let bitsMax):
                self.error("\(text) has no prefix length of 0 to \(bitsMax) behind its slash", at: word)
            case .hasHostBits(let network):
                self.error("\(text) has bits set behind its prefix; did you mean '\(network)'?", at: word)
            }
            return nil
        }
    }
}

private func applyReservedHeaders(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    // Without these a request cannot be understood, or carries no token.
    let needed = [
        "Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "TE", "Trailer",
        "Authorization",
    ]
    var prefixes: [String] = []
    for word in statement.arguments {
        let folded = HeaderHygiene.fold(word.text)
        if !word.text.utf8.allSatisfy(ASCII.isToken) || folded.isEmpty {
            problems.error("\(quoted(word.text)) cannot begin the name of a header", at: word)
        } else if let caught = needed.first(where: { HeaderHygiene.fold($0).starts(with: folded) }) {
            problems.error("\(quoted(word.text)) would remove '\(caught)', which requests cannot do without", at: word)
        } else {
            prefixes.append(word.text)
        }
    }
    if prefixes.count == statement.arguments.count,
        !prefixes.contains(where: { HeaderHygiene.fold("X-Auth-").starts(with: HeaderHygiene.fold($0)) })
    {
        problems.warning(
            "'X-Auth-' is no longer reserved: a client can send headers of that prefix through, save those that are "
                + "set for the backend",
            at: statement.name.origin)
    }
    draft.reservedHeaderPrefixes = prefixes
}

private func applyUpgrade(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    var protocols: [String] = []
    for word in statement.arguments {
        if word.text == "off", statement.arguments.count == 1 {
            break
        } else if word.text == "off" {
            problems.error("'off' stands alone, or not at all", at: word)
        } else if UpgradeRule.carriesRequests(word.text) {
            problems.error(
                "\(quoted(word.text)) cannot be allowed: requests within it would reach the backend without a token",
                at: word)
        } else if word.text.isEmpty || !word.text.utf8.allSatisfy({ ASCII.isToken($0) || $0 == UInt8(ascii: "/") }) {
            problems.error("\(quoted(word.text)) is not the name of a protocol; expected websocket, say", at: word)
        } else if protocols.contains(where: { $0.lowercased() == word.text.lowercased() }) {
            problems.warning("\(quoted(word.text)) is listed twice", at: word.origin)
        } else {
            protocols.append(word.text)
        }
    }
    draft.upgradeProtocols = protocols
}

private func applyAccessLog(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    let word = statement.arguments[0]
    if statement.arguments.count == 2 {
        let format = statement.arguments[1]
        if word.text == "off" {
            problems.error("'access_log off' takes no format", at: format)
        } else if let format: AccessLog.Format = problems.choice(format) {
            draft.accessLog.format = format
        }
    }
    switch word.text {
    case "off": draft.accessLog.destination = .off
    case "stdout": draft.accessLog.destination = .standardOutput
    case "stderr": problems.error("'access_log' goes to stdout, to a file, or is off", at: word)
    default:
        if let file = problems.file(word) { draft.accessLog.destination = .file(problems.path(file)) }
    }
}

private func applyErrorLog(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    let word = statement.arguments[0]
    switch word.text {
    case "stderr": draft.errorLog.destination = .standardError
    case "off", "stdout": problems.error("'error_log' goes to stderr or to a file", at: word)
    default:
        if let file = problems.file(word) { draft.errorLog.destination = .file(problems.path(file)) }
    }
    if statement.arguments.count == 2, let level: ErrorLog.Level = problems.choice(statement.arguments[1]) {
        draft.errorLog.level = level
    }
}
