// The checks that only the whole can answer, and the last step from what was said to the configuration.

import Admission

extension MainDraft {
    /// The configuration; nil where anything was or is found to be an error.
    ///
    /// - Parameter whole: The place of what is missing altogether: the file, or the program where there is none.
    func validated(whole: Origin, files: any ConfigurationFiles, problems: Problems) -> ProxyConfiguration? {
        Directive.requireAll(in: .main, seen: seen, at: whole, problems: problems)
        let policies = issuers.map { $0.validated(files: files, problems: problems) }
        warnOfNearlyEqualIssuers(problems)

        guard !problems.hasErrors, let upstream, let endpoint = upstream.endpoint else { return nil }
        let admission = AdmissionPolicy(
            issuers: policies,
            reservedHeaderPrefixes: reservedHeaderPrefixes,
            errorDetail: errorDetail,
            tokenCacheEntries: Int(tokenCacheEntries))
        var configuration = ProxyConfiguration(
            upstream: UpstreamPolicy(endpoint: endpoint, keepalive: Int(upstream.keepalive)),
            admission: admission,
            workers: workers,
            accessLog: accessLog,
            errorLog: errorLog,
            limits: limits,
            timeouts: timeouts)
        if !listeners.isEmpty { configuration.listeners = listeners.map(\.endpoint) }
        if let listener = configuration.listeners.first(where: { endpoint.leads(to: $0) }) {
            problems.error(
                "the upstream is the proxy itself, which listens on \(listener): each request would come back for ever",
                at: seen["upstream"] ?? whole)
            return nil
        }
        return configuration
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

    private func isLoopback(_ host: String) -> Bool {
        (HTTPURL.Host(parsing: host) ?? HTTPURL.Host(parsing: "[\(host)]"))?.isLoopback ?? false
    }
}

extension IssuerDraft {
    fileprivate func validated(files: any ConfigurationFiles, problems: Problems) -> IssuerPolicy {
        Directive.requireAll(in: .issuer, seen: seen, at: identifier.origin, problems: problems)
        warnOfUserInfoAudience(problems)
        warnOfPlainFetch(problems)
        let isFileOnly = keyFile != nil && seen["jwks_uri"] == nil
        if isFileOnly { warnOfUnusedFetchSettings(problems) }
        if maxStaleMilliseconds < refreshMilliseconds {
            problems.warning(
                "keys are kept for \(maxStaleMilliseconds / 1000)s but fetched only every "
                    + "\(refreshMilliseconds / 1000)s, so there are none in between",
                at: seen["jwks_max_stale"] ?? identifier.origin)
        }
        for file in [keyFile, certificateAuthorityFile].compactMap({ $0 }) {
            check(file, files: files, problems: problems)
        }

        let source: KeySource = keyURL.map { .uri($0.word.text) } ?? (isFileOnly ? .fileOnly : .discovery)
        return IssuerPolicy(
            identifier: identifier.text,
            audiences: audiences.map(\.text),
            algorithms: algorithms,
            tokenTypes: tokenTypes,
            leewaySeconds: leewayMilliseconds / 1000,
            maxLifetimeSeconds: maxLifetimeMilliseconds.map { $0 / 1000 },
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

    private func warnOfPlainFetch(_ problems: Problems) {
        if let keyURL {
            if keyURL.url.scheme == .http {
                problems.warning("the keys are fetched without TLS; fit for development only", at: keyURL.word.origin)
            }
        } else if keyFile == nil, url?.scheme == .http {
            problems.warning("the issuer's keys are fetched without TLS; fit for development only", at: identifier.origin)
        }
    }

    private func warnOfUnusedFetchSettings(_ problems: Problems) {
        for name in ["jwks_refresh", "jwks_max_stale", "jwks_cooldown", "jwks_timeout", "jwks_ca"] {
            if let origin = seen[name] {
                problems.warning(
                    "'\(name)' has no effect: the keys come from 'jwks_file' alone, and nothing is fetched", at: origin)
            }
        }
    }

    private func check(_ file: Word, files: any ConfigurationFiles, problems: Problems) {
        let path = problems.path(file)
        do {
            _ = try files.read(path, bytesMax: Self.keyFileBytesMax)
        } catch {
            problems.error("\(quoted(path)) cannot be read: \(error.reason)", at: file)
        }
    }
}
