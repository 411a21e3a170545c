// A trusted issuer: `issuer URL { … }` and what stands in its block.

import Bytes
import Admission
import JOSE

let issuerDirectives: [Directive] = [
    Directive(
        name: "audience", syntax: "A …", contexts: [.issuer], argumentsMax: 64, isRepeatable: true,
        whenMissing: "without one, every token this issuer signs, for whatever application, would be admitted; say "
            + "whom its tokens must be for, with 'audience A;', --audience or ANTECHAMBER_AUDIENCE",
        summary: "Whom a token must be for: any one of these in its `aud` suffices.",
        effect: .issuer(applyAudience)),
    Directive(
        name: "legacy_audience", syntax: "A", contexts: [.issuer], block: .legacyAudience, isRepeatable: true,
        summary: "An audience that is still accepted while its clients move to `audience`, such as a client ID. A token "
            + "that has a new audience too counts as moved. Of the others the backend hears in "
            + "`X-Auth-Legacy-Audience`, and the client in `Deprecation`, `Sunset` and `Link`. At most "
            + "\(AdmissionPolicy.legacyAudiencesMax) over all issuers. `antechamber report` tells which are still used.",
        effect: .issuer(applyLegacyAudience)),
    Directive(
        name: "jwks_uri", syntax: "URL", contexts: [.issuer],
        summary: "Where the issuer publishes its keys. Without it (and without `jwks_file`) its metadata tells: "
            + "OpenID Connect Discovery, then RFC 8414.",
        effect: .issuer { statement, draft, problems in
            let word = statement.arguments[0]
            draft.keyURL = problems.trustedURL(word).map { (word, $0) }
        }),
    Directive(
        name: "jwks_file", syntax: "PATH", contexts: [.issuer],
        summary: "A file with the issuer's keys: a JWK set, or PEM with one or more blocks of `PUBLIC KEY`, "
            + "`RSA PUBLIC KEY` or `CERTIFICATE`, of which the keys alone count. As PEM has no key IDs, exactly one of "
            + "its keys must fit a token's algorithm, whatever the token's `kid`. Alone the file is the only source and "
            + "nothing is fetched; beside `jwks_uri` it is the last resort when that fails.",
        effect: .issuer { statement, draft, problems in draft.keyFile = problems.file(statement.arguments[0]) }),
    Directive(
        name: "secret_file", syntax: "PATH", contexts: [.issuer],
        summary: "A file with a secret that the issuer signs with as well (HS256, HS384, HS512), instead of public keys: "
            + "its bytes as they stand, less one line end at the end. Nothing is decoded: what `openssl rand -base64 48` "
            + "writes is a secret of 64 characters. Put a line end behind a secret of random bytes, which may end in one "
            + "itself. It must be as long as the algorithm's hash: 32, 48 or 64 bytes. Read anew every `jwks_refresh`.",
        effect: .issuer { statement, draft, problems in draft.secretFile = problems.file(statement.arguments[0]) }),
    Directive(
        name: "algorithms", syntax: "NAME …", contexts: [.issuer], argumentsMax: 16,
        standard: SignatureAlgorithm.asymmetric.map(\.rawValue).joined(separator: " "),
        summary: "The signature algorithms that are accepted. `none` never is. With `secret_file` they are of HS256 (alone "
            + "the default there), HS384 and HS512; without it, none of these.",
        effect: .issuer(applyAlgorithms)),
    Directive(
        name: "token_types", syntax: "TYPE …", contexts: [.issuer], argumentsMax: 16,
        standard: "at+jwt JWT -",
        summary: "The accepted `typ` of a token, in any case; `-` is a token without one. `at+jwt` alone is RFC 9068.",
        effect: .issuer(applyTokenTypes)),
    Directive(
        name: "leeway", syntax: "DURATION", contexts: [.issuer], standard: "30s",
        summary: "How far the issuer's clock may be off when `exp`, `nbf` and `iat` are judged; at most 10m.",
        effect: .issuer(
            Directive.duration(\.leewayMilliseconds, from: "0s", to: "10m", wholeSeconds: true))),
    Directive(
        name: "max_lifetime", syntax: "DURATION | off", contexts: [.issuer], standard: "off",
        summary: "Refuses tokens that are valid for longer from `iat` to `exp`.",
        effect: .issuer { statement, draft, problems in
            let word = statement.arguments[0]
            draft.maxLifetimeMilliseconds =
                word.text == "off" ? nil : problems.milliseconds(word, from: "1s", to: "3650d", wholeSeconds: true)
        }),
    Directive(
        name: "require", syntax: Problems.requireSyntax, contexts: [.issuer], argumentsMin: 2, argumentsMax: 64,
        isRepeatable: true, summary: Problems.requireSummary,
        effect: .issuer { statement, draft, problems in problems.require(statement, into: &draft.requirements) }),
    Directive(
        name: "jwks_refresh", syntax: "DURATION", contexts: [.issuer], standard: "10m",
        summary: "How often the keys are fetched anew, in the background; the `max-age` of the response may say "
            + "otherwise.",
        effect: .issuer(Directive.duration(\.refreshMilliseconds, from: "1s", to: "24h", wholeSeconds: true))),
    Directive(
        name: "jwks_max_stale", syntax: "DURATION", contexts: [.issuer], standard: "24h",
        summary: "How long keys serve on while they cannot be fetched.",
        effect: .issuer(Directive.duration(\.maxStaleMilliseconds, from: "1s", to: "365d", wholeSeconds: true))),
    Directive(
        name: "jwks_cooldown", syntax: "DURATION", contexts: [.issuer], standard: "30s",
        summary: "The least time between two fetches that tokens with an unknown key ID cause.",
        effect: .issuer(Directive.duration(\.cooldownMilliseconds, from: "1s", to: "1h", wholeSeconds: true))),
    Directive(
        name: "jwks_timeout", syntax: "DURATION", contexts: [.issuer], standard: "5s",
        summary: "How long one fetch may take.",
        effect: .issuer(Directive.duration(\.timeoutMilliseconds, from: "1ms", to: "60s"))),
    Directive(
        name: "jwks_ca", syntax: "FILE", contexts: [.issuer],
        summary: "A PEM file of the authorities that may vouch for the issuer's server, instead of the system's.",
        effect: .issuer { statement, draft, problems in
            draft.certificateAuthorityFile = problems.file(statement.arguments[0])
        }),
]

/// `issuer` itself.
func applyIssuer(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    let word = statement.arguments[0]
    var issuer = IssuerDraft(identifier: word)
    Directive.apply(statement.block ?? [], to: &issuer, problems: problems)
    if draft.issuers.count == MainDraft.issuersMax {
        problems.error("more than \(MainDraft.issuersMax) issuers", at: word)
    } else if let first = draft.issuers.first(where: { $0.identifier.text.hasSameBytes(as: word.text) }) {
        problems.error(
            "issuer \(quoted(word.text)) is given twice; the first is at "
                + problems.description(of: first.identifier.origin),
            at: word)
    } else {
        draft.issuers.append(issuer)
    }
}

extension Problems {
    /// False: it is none, and reported.
    func checkAudience(_ word: Word) -> Bool {
        if !word.text.isEmpty, word.text.utf8.count <= 1024, !word.text.unicodeScalars.contains(where: isControl) {
            return true
        }
        error("\(quoted(word.text)) is not an audience; expected 1 to 1024 bytes of text", at: word)
        return false
    }

    /// `iss` is compared as text. Only where keys are looked for at the issuer itself must it be a URL that can be
    /// trusted with that. False: it is an error.
    func checkIssuer(_ word: Word, isDiscovered: Bool) -> Bool {
        if isDiscovered {
            guard let url = trustedURL(word, instead: "name its jwks_uri or jwks_file") else { return false }
            if url.query != nil {
                error(
                    "\(quoted(word.text)) has a query, so its metadata cannot be found (RFC 8414 §2); name its jwks_uri "
                        + "or jwks_file",
                    at: word)
                return false
            }
        } else if word.text.isEmpty || word.text.utf8.count > 1024
            || word.text.unicodeScalars.contains(where: { isControl($0) || $0 == " " })
        {
            error("\(quoted(word.text)) is no issuer; expected what tokens have in 'iss', without spaces", at: word)
            return false
        }
        return true
    }
}

private func applyAudience(_ statement: Statement, _ draft: inout IssuerDraft, _ problems: Problems) {
    for word in statement.arguments {
        guard problems.checkAudience(word) else { continue }
        if draft.audiences.contains(where: { $0.text.hasSameBytes(as: word.text) }) {
            problems.warning("audience \(quoted(word.text)) is listed twice", at: word.origin)
        } else if draft.audiences.count == IssuerDraft.audiencesMax {
            problems.error("more than \(IssuerDraft.audiencesMax) audiences", at: word)
        } else {
            draft.audiences.append(word)
        }
    }
}

private func applyAlgorithms(_ statement: Statement, _ draft: inout IssuerDraft, _ problems: Problems) {
    for word in statement.arguments {
        if word.text.lowercased() == "none" {
            problems.error("'none' is never accepted: a token without a signature proves nothing", at: word)
        } else if let algorithm: SignatureAlgorithm = problems.choice(word) {
            if draft.algorithms.contains(where: { $0.algorithm == algorithm }) {
                problems.warning("\(quoted(word.text)) is listed twice", at: word.origin)
            } else {
                draft.algorithms.append((algorithm, word))
            }
        }
    }
}

private func applyTokenTypes(_ statement: Statement, _ draft: inout IssuerDraft, _ problems: Problems) {
    var types: [TokenType] = []
    var spellings: Set<String> = []
    for word in statement.arguments {
        // restricted-name characters of RFC 6838 §4.2, and the slash of a full media type.
        let isType = word.text.utf8.count <= 127 && !word.text.isEmpty
            && word.text.utf8.allSatisfy { ASCII.isAlphanumeric($0) || "!#$&-^_.+/".utf8.contains($0) }
            && (word.text == "-" || ASCII.isAlphanumeric(word.text.utf8.first!))
        if !isType {
            problems.error("\(quoted(word.text)) is not a token type; expected at+jwt, JWT, or - for none", at: word)
        } else if !spellings.insert(word.text.lowercased()).inserted {
            problems.warning("\(quoted(word.text)) is listed twice", at: word.origin)
        } else {
            types.append(word.text == "-" ? .absent : .named(word.text))
        }
    }
    draft.tokenTypes = types
}
