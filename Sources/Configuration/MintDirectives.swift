// Tokens for a backend that verifies tokens itself: `mint { … }`, what stands in its block, and what says that it is used.

import Admission
import JOSE

let mintDirectives: [Directive] = [
    Directive(
        name: "mint", syntax: "", contexts: [.main], argumentsMin: 0, argumentsMax: 0, block: .mint, needsBlock: true,
        summary: """
            How the tokens are made that the backend gets in place of the clients' where `authorization mint` says so: in \
            the shape that it already takes, so that an unchanged `jwt.verify(token, key, {audience, issuer})` admits \
            callers whose own tokens have moved on. Besides `iss`, `aud`, `iat`, `exp` and `jti` they have the caller's \
            `sub`, and what `claim` copies; their `typ` is `JWT`. They never end later than the caller's token by its \
            `exp`, so that `leeway` does not prolong that where tokens are minted.

            The public keys are served as a JWK set at `/.well-known/antechamber/jwks.json` on every listener, for \
            everyone, and caches may keep it for 5 minutes. To change keys, add the new file as the last `key_file`, wait \
            that long, make it the first, and take the old one out once the last token signed with it has ended.
            """,
        effect: .main { statement, draft, problems in
            var mint = MintDraft(origin: statement.name.origin)
            Directive.apply(statement.block ?? [], to: &mint, problems: problems)
            draft.mint = mint
        }),
    Directive(
        name: "key_file", syntax: "PATH", contexts: [.mint], isRepeatable: true,
        whenMissing: "name a file with the private key that tokens are signed with, such as 'openssl genpkey -algorithm EC "
            + "-pkeyopt ec_paramgen_curve:P-256' writes",
        summary: "A private key in PEM (PKCS #8, PKCS #1 or SEC 1), not encrypted: RSA of 2048 bits or more, or P-256. The "
            + "first signs, and all are published, under their RFC 7638 thumbprints as `kid`. This user alone should be "
            + "able to read it.",
        effect: .mint(applyKeyFile)),
    Directive(
        name: "algorithm", syntax: "RS256 | ES256", contexts: [.mint],
        summary: "What tokens are signed with; without it, what fits the first key. Each token costs one private operation, "
            + "which for ES256 takes about a tenth of the time that RS256 takes: prefer it where the backend takes both.",
        effect: .mint { statement, draft, problems in
            let word = statement.arguments[0]
            if let algorithm: MintDraft.Algorithm = problems.choice(word) { draft.algorithm = (algorithm, word) }
        }),
    Directive(
        name: "issuer", syntax: "URL", contexts: [.mint],
        whenMissing: "say which 'iss' the backend expects",
        summary: "The `iss` of the tokens, as the backend expects it.",
        effect: .mint { statement, draft, problems in
            let word = statement.arguments[0]
            if problems.checkIssuer(word, isDiscovered: false) { draft.issuer = word.text }
        }),
    Directive(
        name: "audience", syntax: "A", contexts: [.mint],
        whenMissing: "say which 'aud' the backend expects: the client ID that it verifies, most of the time",
        summary: "The `aud` of the tokens, as the backend expects it.",
        effect: .mint { statement, draft, problems in
            let word = statement.arguments[0]
            if problems.checkAudience(word) { draft.audience = word.text }
        }),
    Directive(
        name: "lifetime", syntax: "DURATION", contexts: [.mint], standard: "60s",
        summary: "How long a token is good for, 10s to 1h. It is sent with each request of the caller's until half of that "
            + "is over, and then replaced; with `token_cache 0` each request has one of its own.",
        effect: .mint(Directive.duration(\.lifetimeMilliseconds, from: "10s", to: "1h", wholeSeconds: true))),
    Directive(
        name: "claim", syntax: "NAME PATH …", contexts: [.mint], argumentsMin: 2, argumentsMax: 64, isRepeatable: true,
        summary: "Copies the claim at `PATH` of the caller's token, one argument a level, as the claim `NAME`: the very "
            + "value, whatever its type, with the digits of its numbers. Without such a claim, or where it is null, there "
            + "is none. `sub` is copied unless this says what it is.",
        effect: .mint(applyClaim)),
]

struct MintDraft: Draft {
    enum Algorithm: String, CaseIterable {
        case rs256 = "RS256"
        case es256 = "ES256"
    }

    static let context = Context.mint
    static let keysMax = 16
    static let claimsMax = 64
    static let keyBytesMax = 64 * 1024
    var seen: [String: Origin] = [:]

    /// Of the block.
    var origin: Origin
    var keyFiles: [Word] = []
    var algorithm: (name: Algorithm, word: Word)?
    var issuer: String?
    var audience: String?
    var lifetimeMilliseconds: Int64 = 60_000
    var claims: [(claim: MintedClaim, word: Word)] = []

    init(origin: Origin) {
        self.origin = origin
    }

    static func action(of effect: Directive.Effect) -> Directive.Action<MintDraft>? {
        if case .mint(let action) = effect { action } else { nil }
    }
}

private func applyKeyFile(_ statement: Statement, _ draft: inout MintDraft, _ problems: Problems) {
    let word = statement.arguments[0]
    if draft.keyFiles.count == MintDraft.keysMax {
        problems.error("more than \(MintDraft.keysMax) keys", at: word)
    } else if let file = problems.file(word) {
        draft.keyFiles.append(file)
    }
}

private func applyClaim(_ statement: Statement, _ draft: inout MintDraft, _ problems: Problems) {
    let word = statement.arguments[0]
    if word.isDamaged { return }
    if MintPolicy.ownClaims.contains(word.text) {
        problems.error("\(quoted(word.text)) is the minted token's own, and cannot be copied", at: word)
    } else if let first = draft.claims.first(where: { $0.claim.name.hasSameBytes(as: word.text) }) {
        problems.error(
            "the claim \(quoted(word.text)) is set twice; the first is at " + problems.description(of: first.word.origin),
            at: word)
    } else if draft.claims.count == MintDraft.claimsMax {
        problems.error("more than \(MintDraft.claimsMax) claims", at: word)
    } else {
        let path = ClaimPath(statement.arguments.dropFirst().map(\.text))
        draft.claims.append((MintedClaim(word.text, path), word))
    }
}

extension MintDraft {
    /// The policy; nil where anything is wrong with it, which is reported.
    fileprivate func validated(files: any ConfigurationFiles, problems: Problems) -> MintPolicy? {
        Directive.requireAll(in: .mint, seen: seen, at: origin, problems: problems)
        var keys: [(signer: TokenSigner, file: Word)] = []
        for file in keyFiles {
            guard let signer = signer(file, files: files, problems: problems) else { continue }
            if let first = keys.first(where: { $0.signer == signer }) {
                problems.error(
                    "\(quoted(problems.path(file))) holds the same key as the file at "
                        + problems.description(of: first.file.origin),
                    at: file)
            } else {
                keys.append((signer, file))
            }
        }
        guard let issuer, let audience, let first = keys.first, keys.count == keyFiles.count else { return nil }
        if let (name, word) = algorithm, first.signer.algorithm.rawValue != name.rawValue {
            problems.error(
                "the first 'key_file', at \(problems.description(of: first.file.origin)), holds a key for "
                    + "\(first.signer.algorithm.rawValue), and not for \(name.rawValue)",
                at: word)
        }
        return MintPolicy(
            keys: keys.map(\.signer), issuer: issuer, audience: audience, lifetimeSeconds: lifetimeMilliseconds / 1000,
            claims: claims.map(\.claim))
    }

    private func signer(_ file: Word, files: any ConfigurationFiles, problems: Problems) -> TokenSigner? {
        guard let bytes = files.read(file, bytesMax: Self.keyBytesMax, problems) else { return nil }
        let path = problems.path(file)
        if files.isReadableByEveryone(path) {
            problems.warning(
                "\(quoted(path)) can be read by every user of this machine, and whoever has read it can sign tokens that the "
                    + "backend takes; take that right away ('chmod o-r'; in a pod 'defaultMode: 0440' and 'fsGroup')",
                at: file.origin)
        }
        do throws(SigningKeyError) {
            return try TokenSigner(pem: bytes.span)
        } catch {
            problems.error("\(quoted(path)) is no key to sign with: \(error.reason)", at: file)
            return nil
        }
    }
}

extension MainDraft {
    /// The `mint { … }` block, held against the places that say `authorization mint`.
    func validatedMint(files: any ConfigurationFiles, problems: Problems) -> MintPolicy? {
        var uses = rules.authorization == .mint ? [seen["authorization"]] : []
        for location in locations where location.authorization == .mint {
            let use = location.seen["authorization"]
            uses.append(use)
            guard let isPublic = location.isPublic else { continue }
            problems.error(
                "'authorization mint' contradicts 'public' at \(problems.description(of: isPublic.origin)): no token is "
                    + "verified here that one could stand for; say 'authorization strip'",
                at: use ?? location.word.origin)
        }
        guard let mint else {
            // Behind an unbalanced brace it may be in the wrong block.
            if problems.isIncomplete { return nil }
            for use in uses {
                problems.error(
                    "'authorization mint' needs a block 'mint { … }' at the top level that says how tokens are made",
                    at: use ?? .setting("authorization"))
            }
            return nil
        }
        if uses.isEmpty {
            problems.warning(
                "nothing says 'authorization mint', so that no token is minted; the keys are published all the same",
                at: mint.origin)
        }
        return mint.validated(files: files, problems: problems)
    }
}
