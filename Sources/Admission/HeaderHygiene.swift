// Which field names a client may never send through, and which only a trusted proxy may.
//
// Backends fold names: CGI, WSGI and many frameworks see `X_Auth_Subject`, `x-auth-subject` and `X.Auth.Subject`
// as one variable. So two names are the same here when their letters and digits are, in any case; a field goes when
// it folds into a reserved prefix, or into a name of the table below.

internal import Bytes
internal import HTTPWire

/// The rule for field names, compiled once for a policy.
public final class HeaderHygiene: Sendable {
    private struct Pattern {
        var folded: [UInt8]
        var isPrefix: Bool
        /// As long as the spelling with its hyphens, which a trusted proxy uses; nil: not even that one may say it.
        var spelling: [UInt8]?
    }

    /// Sorted by their first characters, which is what `places` leads to.
    private let patterns: [Pattern]
    /// Where the patterns are that may begin with a character: most names end the question here.
    private let places: [Range<Int>]

    /// Folds the policy's reserved prefixes, and the names that this proxy sets or keeps out.
    ///
    /// A prefix without a letter or digit would fold into nothing and reserve every name: the configuration refuses it.
    public init(policy: AdmissionPolicy) {
        var patterns: [Pattern] = []
        for prefix in policy.reservedHeaderPrefixes {
            let folded = Self.fold(prefix)
            precondition(!folded.isEmpty, "a reserved prefix has no letter or digit")
            patterns.append(Pattern(folded: folded, isPrefix: true))
        }
        // A name that is set in one place is kept out of all: a client must not have a say in it anywhere.
        let forwarded = policy.rules.flatMap { $0.forward?.fields ?? [] }.map(\.header)
        for name in Identity.fieldNames + ClientCertificate.fieldNames + forwarded {
            patterns.append(Pattern(folded: Self.fold(name), isPrefix: false))
        }
        for row in Self.table {
            let isPrefix = row.name.hasSuffix("-")
            let spelling = row.rule == .trustedOnly ? row.name.utf8.map(ASCII.lowercased) : nil
            patterns.append(Pattern(folded: Self.fold(row.name), isPrefix: isPrefix, spelling: spelling))
        }
        let places = (0..<64).map { bits in patterns.filter { Self.place(of: $0.folded[0]) == bits } }
        self.patterns = places.flatMap { $0 }
        var end = 0
        self.places = places.map { group in
            end += group.count
            return end - group.count..<end
        }
    }

    /// Whether a field of this name is dropped, whoever sent it.
    public func isReserved(_ name: Span<UInt8>) -> Bool { isReserved(name, fromTrusted: false) }

    /// Whether a field of this name is dropped.
    ///
    /// - Parameter fromTrusted: a trusted proxy sent it. Then it may also say what is `trustedOnly`, in that spelling
    ///   alone: another one comes from its client, past its own rules.
    public func isReserved(_ name: Span<UInt8>, fromTrusted: Bool) -> Bool {
        var start = 0
        while start < name.count, !ASCII.isAlphanumeric(name[start]) { start &+= 1 }
        guard start < name.count else { return false }
        for index in places[Self.place(of: ASCII.lowercased(name[start]))]
        where Self.matches(name, from: start, patterns[index]) {
            return !fromTrusted || !Self.isSpelled(name, as: patterns[index])
        }
        return false
    }

    /// Whether the table below has this name, in whatever spelling: the proxy sets it, or knows who may.
    static func isOfForwarding(_ name: String) -> Bool {
        let folded = fold(name)
        return table.contains { row in
            row.name.hasSuffix("-") ? folded.starts(with: fold(row.name)) : folded == fold(row.name)
        }
    }

    private static func matches(_ name: Span<UInt8>, from start: Int, _ pattern: borrowing Pattern) -> Bool {
        var matched = 0
        var index = start
        while index < name.count {
            let byte = name[index]
            index &+= 1
            guard ASCII.isAlphanumeric(byte) else { continue }
            if matched == pattern.folded.count { return pattern.isPrefix }
            guard ASCII.lowercased(byte) == pattern.folded[matched] else { return false }
            matched &+= 1
        }
        return matched == pattern.folded.count
    }

    private static func isSpelled(_ name: Span<UInt8>, as pattern: borrowing Pattern) -> Bool {
        guard let spelling = pattern.spelling, name.count >= spelling.count,
            pattern.isPrefix || name.count == spelling.count
        else { return false }
        for index in name.indices {
            let byte = ASCII.lowercased(name[index])
            if index < spelling.count {
                if byte != spelling[index] { return false }
            } else if !ASCII.isAlphanumeric(byte), byte != UInt8(ascii: "-") {
                return false
            }
        }
        return true
    }

    /// What a name comes to where case and punctuation count for nothing: its letters and digits, in lower case.
    public static func fold(_ name: String) -> [UInt8] {
        name.utf8.filter(ASCII.isAlphanumeric).map(ASCII.lowercased)
    }

    /// Whether `name` comes to `folded`.
    static func folds(_ name: Span<UInt8>, into folded: Span<UInt8>) -> Bool {
        var matched = 0
        for index in name.indices where ASCII.isAlphanumeric(name[index]) {
            guard matched < folded.count, ASCII.lowercased(name[index]) == folded[matched] else { return false }
            matched &+= 1
        }
        return matched == folded.count
    }

    /// Letters take the places 33…58; digits share theirs with p…y, which costs a second look and no more.
    private static func place(of character: UInt8) -> Int { Int(character & 63) }
}

extension HeaderHygiene {
    private enum Rule {
        /// Nobody's field of that name is passed on. What we set, we set ourselves, having read what a trusted proxy said.
        case never
        /// A trusted proxy's is passed on.
        case trustedOnly
    }

    private struct Row {
        /// A name, or a prefix if it ends in a hyphen.
        var name: String
        var rule: Rule

        init(_ name: String, _ rule: Rule) {
            self.name = name
            self.rule = rule
        }
    }

    /// The first row that matches decides.
    private static let table: [Row] = [
        // Ours: written anew for each request (ForwardedFields.swift).
        Row("X-Forwarded-For", .never),
        Row("X-Forwarded-Proto", .never),
        Row("X-Forwarded-Host", .never),
        Row("Forwarded", .never),
        Row("X-Request-Id", .never),
        Row("traceparent", .never),
        Row("tracestate", .never),

        // Another target or method than the one that was judged: IIS and the frameworks that copied it (Symfony,
        // Zend: CVE-2018-14773) route by the first two, ingress controllers write the others for what stands behind.
        // Nobody can have a say in this: the decision and the backend have to be about one request.
        Row("X-Original-URL", .never),
        Row("X-Rewrite-URL", .never),
        Row("X-Original-URI", .never),
        Row("X-Original-Method", .never),
        Row("X-Envoy-Original-Path", .never),
        // Another host, likewise: read for links, tenants and caches.
        Row("X-Original-Host", .never),
        Row("X-Host", .never),
        Row("X-HTTP-Host-Override", .never),
        Row("X-Envoy-Original-Host", .never),

        // CGI programs have it as HTTP_PROXY, the variable by which HTTP clients find a proxy for their own requests:
        // "httpoxy" (CVE-2016-5385 and others). No specification knows a field of that name.
        Row("Proxy", .never),

        // The rest of what a proxy says of the request's way: -Port, -Prefix, -Server, -Ssl, -Uri, -Client-Cert, …
        Row("X-Forwarded-", .trustedOnly),
        Row("X-Original-Forwarded-For", .trustedOnly),
        // TLS that ended in front: frameworks take these for `https`.
        Row("X-Scheme", .trustedOnly),
        Row("X-Url-Scheme", .trustedOnly),
        Row("Front-End-Https", .trustedOnly),
        // The client's address, by the names of proxies and CDNs that frameworks look for.
        Row("X-Real-IP", .trustedOnly),
        Row("X-Client-IP", .trustedOnly),
        Row("Client-IP", .trustedOnly),
        Row("True-Client-IP", .trustedOnly),
        Row("X-Cluster-Client-IP", .trustedOnly),
        Row("X-ProxyUser-IP", .trustedOnly),
        Row("X-Remote-IP", .trustedOnly),
        Row("X-Remote-Addr", .trustedOnly),
        Row("CF-Connecting-IP", .trustedOnly),
        Row("CF-Connecting-IPv6", .trustedOnly),
        Row("Fastly-Client-IP", .trustedOnly),
        // Orders to an Envoy behind us (retries, timeouts, who is internal), which takes them from its peer.
        Row("X-Envoy-", .trustedOnly),
    ]
}
