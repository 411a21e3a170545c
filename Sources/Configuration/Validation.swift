// The checks that only the whole can answer, and the last step from what was said to the configuration.

import Admission
import JOSE

extension MainDraft {
    /// The configuration; nil where anything was or is found to be an error.
    ///
    /// - Parameter whole: The place of what is missing altogether: the file, or the program where there is none.
    func validated(whole: Origin, files: any ConfigurationFiles, problems: Problems) -> ProxyConfiguration? {
        Directive.requireAll(
            in: .main, except: onlyVerifies ? "upstream" : nil, seen: seen, at: whole, problems: problems)
        let policies = issuers.map { $0.validated(files: files, problems: problems) }
        warnOfNearlyEqualIssuers(problems)
        warnOfForeignResource(problems)
        checkLegacyAudienceCount(problems)
        checkProxyProtocol(problems)
        let listenerPolicies = listeners.map { $0.validated(files: files, problems: problems) }
        checkHeaderSizes(problems)
        if let stateDirectory { Self.checkStateDirectory(stateDirectory, files: files, problems: problems) }

        upstream?.requireServer(at: seen["upstream"] ?? whole, problems: problems)
        let upstreamPolicy = upstream?.validated(files: files, problems: problems)
        var rules = [self.rules]
        var limitCount = 0
        let rateLimits = Self.numbered(self.rateLimits, after: &limitCount, problems)
        let locationPolicies = validatedLocations(files: files, problems, addingTo: &rules, rateLimits: rateLimits)
        let mint = validatedMint(files: files, problems: problems)

        guard !problems.hasErrors, upstream != nil || onlyVerifies else { return nil }
        let admission = AdmissionPolicy(
            issuers: policies,
            rules: rules,
            tokenSources: tokenSources.isEmpty ? [.authorization] : tokenSources,
            mint: mint,
            resource: resource?.value,
            reservedHeaderPrefixes: reservedHeaderPrefixes,
            errorDetail: errorDetail,
            tokenCacheEntries: Int(tokenCacheEntries))
        var configuration = ProxyConfiguration(
            upstream: upstreamPolicy,
            route: RoutePolicy(enforcement: enforcement, preflights: preflights, rateLimits: rateLimits),
            locations: locationPolicies,
            admission: admission,
            workers: workers,
            accessLog: accessLog,
            errorLog: errorLog,
            limits: limits,
            timeouts: timeouts,
            tunnels: TunnelPolicy(
                protocols: upgradeProtocols, expiryGraceSeconds: websocketExpiryGraceMilliseconds / 1000),
            gzip: gzip)
        configuration.trustedProxies = trustedProxies
        configuration.admin = admin?.endpoint
        configuration.adminHosts = adminHosts
        configuration.stateDirectory = stateDirectory.map(problems.path)
        if !listenerPolicies.isEmpty { configuration.listeners = listenerPolicies }
        let endpoints = configuration.listeners.map(\.endpoint)
        checkAdmin(besides: endpoints, problems)
        for upstream in ([upstream] + locations.map(\.upstream)).compactMap(\.self) {
            upstream.reportLoops(to: endpoints, problems: problems)
        }
        return problems.hasErrors ? nil : configuration
    }

    /// Over all issuers, as one answer has to hold the use of all of them.
    private func checkLegacyAudienceCount(_ problems: Problems) {
        let words = issuers.flatMap { $0.legacyAudiences.map(\.audience) }
        let most = AdmissionPolicy.legacyAudiencesMax
        guard words.count > most else { return }
        problems.error(
            "more than \(most) legacy audiences, over all issuers; delete those that nobody uses any more "
                + "('antechamber report' says which)",
            at: words[most])
    }

    /// Who lets clients send more than is usual wants it to arrive.
    private func checkHeaderSizes(_ problems: Problems) {
        guard let origin = seen["client_header_max_size"], seen["proxy_header_max_size"] == nil,
            limits.headerBytes > Limits().headerBytes
        else { return }
        problems.warning(
            "heads of more than \(limits.upstreamHeaderBytes) bytes are not sent to the backend; if it takes longer ones, "
                + "raise 'proxy_header_max_size' too",
            at: origin)
    }

    /// Where nobody is trusted, a listener that serves nobody without a PROXY header serves nobody.
    private func checkProxyProtocol(_ problems: Problems) {
        guard trustedProxies.isEmpty, seen["trusted_proxies"] == nil else { return }
        for word in listeners.compactMap(\.proxyProtocol) {
            problems.error(
                "'proxy_protocol' needs 'trusted_proxies': say whose PROXY header is believed, such as "
                    + "'trusted_proxies 10.0.0.0/8;', as anyone else could give a client any address",
                at: word)
        }
    }

    /// The admin pages are for whoever can connect, and for nobody who can only reach a listener.
    private func checkAdmin(besides listeners: [Endpoint], _ problems: Problems) {
        guard let (endpoint, word) = admin else { return }
        if let listener = listeners.first(where: endpoint.collides) {
            problems.error(
                "\(quoted(word.text)) is where clients connect already, with 'listen \(listener)'; give 'admin' an address "
                    + "of its own",
                at: word)
        } else if !endpoint.isOfThisMachine {
            problems.warning(
                "\(quoted(word.text)) can be reached from other machines, and whoever reaches it may read which issuers, "
                    + "keys, servers and clients there are; use 127.0.0.1 or unix:/path, or let a firewall say who may",
                at: word.origin)
        }
    }

    /// What cannot be kept is found now, and not after the restart that needs it.
    private static func checkStateDirectory(_ word: Word, files: any ConfigurationFiles, problems: Problems) {
        let path = problems.path(word)
        do throws(FileProblem) {
            guard try files.isWritableByOthers(directory: path) else { return }
            problems.warning(
                "others can write to \(quoted(path)), and so delete what is kept there; let this user alone do so, with "
                    + "'chmod go-w'",
                at: word.origin)
        } catch {
            problems.error("\(quoted(path)) cannot hold the state: \(error.reason)", at: word)
        }
    }

    /// Two issuers that differ by a slash at the end are one issuer and a slip, most of the time.
    private func warnOfNearlyEqualIssuers(_ problems: Problems) {
        var first: [Substring: Word] = [:]
        for word in issuers.map(\.identifier) where !word.isDamaged {
            let bare = word.text.hasSuffix("/") ? word.text.dropLast() : Substring(word.text)
            if let other = first[bare] {
                problems.warning(
                    "issuer \(quoted(word.text)) differs from the one at \(problems.description(of: other.origin)) "
                        + "by the slash at its end only; tokens of one issuer have one spelling",
                    at: word.origin)
            } else {
                first[bare] = word
            }
        }
    }
}

extension UpstreamDraft {
    func requireServer(at origin: Origin, problems: Problems) {
        if namesServer || problems.isIncomplete { return }
        problems.error(
            "this upstream has no server; give it a URL, 'upstream URL { … }', or 'server URL;' lines in its block",
            at: origin)
    }

    /// Reports each server that is the proxy itself.
    fileprivate func reportLoops(to listeners: [Endpoint], problems: Problems) {
        for server in servers {
            guard let listener = listeners.first(where: { server.endpoint.leads(to: $0) }) else { continue }
            problems.error(
                "the upstream is the proxy itself, which listens on \(listener): each request would come back for ever",
                at: server.word)
        }
    }
}

extension Endpoint {
    /// Whether a connection to this endpoint arrives at that listener, as far as the spelling tells.
    fileprivate func leads(to listener: Endpoint) -> Bool {
        switch (self, listener) {
        case (.unix(let path), .unix(let listening)):
            return path == listening
        case (.tcp(let host, let port), .tcp(let listening, let listeningPort)):
            guard port == listeningPort else { return false }
            let isEverywhere = ["*", "0.0.0.0", "::"].contains(listening)
            return host == listening || isLoopback(host) && (isEverywhere || isLoopback(listening))
        default:
            return false
        }
    }

    /// Whether only one of the two can be listened at.
    fileprivate func collides(with other: Endpoint) -> Bool {
        switch (self, other) {
        case (.unix(let path), .unix(let otherPath)):
            return path == otherPath
        case (.tcp(let host, let port), .tcp(let otherHost, let otherPort)):
            let isEverywhere = [host, otherHost].contains { ["*", "0.0.0.0", "::"].contains($0) }
            return port == otherPort && port != 0 && (host == otherHost || isEverywhere)
        default:
            return false
        }
    }

    /// Whether only this machine's processes can connect to it.
    fileprivate var isOfThisMachine: Bool {
        guard case .tcp(let host, _) = self else { return true }
        return (HTTPURL.Host(parsing: host) ?? HTTPURL.Host(parsing: "[\(host)]"))?.isLoopback ?? false
    }

    /// Connecting to the unspecified address leads to this machine too, on Linux.
    private func isLoopback(_ host: String) -> Bool {
        if host == "0.0.0.0" || host == "::" { return true }
        return (HTTPURL.Host(parsing: host) ?? HTTPURL.Host(parsing: "[\(host)]"))?.isLoopback ?? false
    }
}

extension IssuerDraft {
    fileprivate func validated(files: any ConfigurationFiles, problems: Problems) -> IssuerPolicy {
        Directive.requireAll(in: .issuer, seen: seen, at: identifier.origin, problems: problems)
        warnOfUserInfoAudience(problems)
        if maxStaleMilliseconds < refreshMilliseconds {
            problems.error(
                "keys would be kept for \(maxStaleMilliseconds / 1000)s but fetched only every "
                    + "\(refreshMilliseconds / 1000)s, so that there were none in between; make 'jwks_max_stale' no "
                    + "shorter than 'jwks_refresh'",
                at: seen["jwks_max_stale"] ?? seen["jwks_refresh"] ?? identifier.origin)
        }
        let source = keySource(files: files, problems: problems)
        if problems.checkIssuer(identifier, isDiscovered: source == .discovery) { warnOfPlainFetch(source, problems) }
        return IssuerPolicy(
            identifier: identifier.text,
            audiences: audiences.map(\.text),
            legacyAudiences: validatedLegacyAudiences(problems: problems),
            algorithms: acceptedAlgorithms,
            tokenTypes: tokenTypes,
            leewaySeconds: leewayMilliseconds / 1000,
            maxLifetimeSeconds: maxLifetimeMilliseconds.map { $0 / 1000 },
            requirements: requirements,
            keys: KeyPolicy(
                source: source,
                file: keyFile.map(problems.path),
                refreshSeconds: refreshMilliseconds / 1000,
                maxStaleSeconds: maxStaleMilliseconds / 1000,
                cooldownSeconds: cooldownMilliseconds / 1000,
                timeoutMilliseconds: timeoutMilliseconds,
                certificateAuthorityFile: certificateAuthorityFile.map(problems.path)))
    }

    /// `https://tenant/userinfo` is in the access tokens of every application of a tenant that asked for `openid`.
    private func warnOfUserInfoAudience(_ problems: Problems) {
        guard let first = audiences.first, audiences.allSatisfy({ $0.text.hasSuffix("/userinfo") }) else { return }
        problems.warning(
            "audience \(quoted(first.text)) is the issuer's own userinfo endpoint: the tokens of every application "
                + "that lets users sign in there carry it; use an audience of this API's own",
            at: first.origin)
    }

    private func warnOfPlainFetch(_ source: KeySource, _ problems: Problems) {
        if let keyURL {
            if keyURL.url.scheme == .http {
                problems.warning("the keys are fetched without TLS; fit for development only", at: keyURL.word.origin)
            }
        } else if source == .discovery, identifier.text.lowercased().hasPrefix("http:") {
            problems.warning("the issuer's keys are fetched without TLS; fit for development only", at: identifier.origin)
        }
    }
}
