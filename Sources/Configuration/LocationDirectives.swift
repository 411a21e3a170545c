// Rules for some paths: `location [=] PATH { … }`, what stands in its block, and the directives of the top level that
// only locations share.

import Admission
import Bytes

let locationDirectives: [Directive] = [
    Directive(
        name: "location", syntax: "[=] PATH", contexts: [.main], argumentsMax: 2, block: .location, needsBlock: true,
        isRepeatable: true,
        summary: locationSummary,
        effect: .main(applyLocation)),
    Directive(
        name: "enforce", syntax: "on | report_only", contexts: [.main], standard: "on",
        summary: "`report_only` forwards a request that would be refused for its token, or for lack of one or of "
            + "keys, with `X-Auth-Status: report_only; reason=CODE` and no other header of ours; the log says "
            + "so too. Whatever else is wrong with a request is refused all the same.",
        effect: .main(Directive.choice(\.enforcement))),
    Directive(
        name: "cors_preflight", syntax: "forward | require_token", contexts: [.main], standard: "forward",
        summary: "What becomes of a CORS preflight: an `OPTIONS` request with one `Origin` and one "
            + "`Access-Control-Request-Method`, which browsers send without a token. `forward` passes it on as "
            + "`X-Auth-Status: anonymous`, whatever `methods` says; the backend decides. It has no body and no "
            + "field that names another method, or it is none.",
        effect: .main(Directive.choice(\.preflights))),

    Directive(
        name: "public", syntax: "", contexts: [.location], argumentsMin: 0, argumentsMax: 0,
        summary: "Requests need no token. One that comes all the same is passed on and not looked at; the backend "
            + "gets `X-Auth-Status: anonymous` and no other header of ours, whoever sends some.",
        effect: .location { statement, draft, _ in draft.isPublic = statement.name }),
    Directive(
        name: "verify", syntax: "", contexts: [.location], argumentsMin: 0, argumentsMax: 0,
        summary: "For a proxy in front that asks whether a request may pass, as nginx's `auth_request`, Traefik's "
            + "`forwardAuth`, Caddy's `forward_auth` and Envoy's `ext_authz` do. A request whose token is good gets 200 "
            + "with the header fields that a backend would get, `Authorization` among them where `authorization mint` "
            + "makes one, and no body; any other the refusal. What is judged is "
            + "the request that comes here, by this location's rules: its token, its method, `enforce`, "
            + "`cors_preflight`. Nothing is believed of what `X-Original-*` or `X-Forwarded-*` say of another one, so "
            + "that paths with other rules have verify locations of their own. A body is not needed and not waited "
            + "for. Where all locations are such, `upstream` may be missing, and requests elsewhere get `404 not_found`.",
        effect: .location { statement, draft, _ in draft.isVerify = statement.name }),
    Directive(
        name: "methods", syntax: "NAME …", contexts: [.location], argumentsMax: 32,
        summary: "The methods that are served, as requests spell them; every other gets `405 method_not_allowed`. "
            + "`GET` brings `HEAD` along.",
        effect: .location(applyMethods)),
    Directive(
        name: "upstream", syntax: "[URL]", contexts: [.location], argumentsMin: 0, block: .upstream,
        summary: "Another backend for these requests. They go to it with the path as it came.",
        effect: .location { statement, draft, problems in
            draft.upstream = UpstreamDraft(statement, problems)
        }),
    Directive(
        name: "require", syntax: Problems.requireSyntax, contexts: [.location], argumentsMin: 2, argumentsMax: 64,
        isRepeatable: true,
        summary: "As inside `issuer`, for these requests: besides what the token's issuer requires.",
        effect: .location { statement, draft, problems in problems.require(statement, into: &draft.requirements) }),
    Directive(
        name: "forward", syntax: "", contexts: [.location], argumentsMin: 0, argumentsMax: 0, block: .forward,
        needsBlock: true,
        summary: "As at the top level, for these requests, and in place of what is said there.",
        effect: .location { statement, draft, problems in draft.forward = problems.forwardPolicy(statement) }),
    Directive(
        name: "authorization", syntax: "keep | strip | mint", contexts: [.location],
        summary: "As at the top level, for these requests. Where they are for `verify`, `mint` puts the token into the "
            + "answer, and `keep` puts none there.",
        effect: .location { statement, draft, problems in
            draft.authorization = problems.authorizationPolicy(statement)
        }),
    Directive(
        name: "enforce", syntax: "on | report_only", contexts: [.location],
        summary: "As at the top level, for these requests.",
        effect: .location { statement, draft, problems in
            draft.enforcement = problems.choice(statement.arguments[0])
        }),
    Directive(
        name: "cors_preflight", syntax: "forward | require_token", contexts: [.location],
        summary: "As at the top level, for these requests.",
        effect: .location { statement, draft, problems in draft.preflights = problems.choice(statement.arguments[0]) }),
    Directive(
        name: "proxy_read_timeout", syntax: "DURATION", contexts: [.location],
        summary: "As at the top level, for these requests.",
        effect: .location { statement, draft, problems in
            draft.readTimeoutMilliseconds = problems.milliseconds(statement.arguments[0], from: "1ms", to: "365d")
        }),
    Directive(
        name: "client_max_body_size", syntax: "SIZE", contexts: [.location],
        summary: "As at the top level, for these requests.",
        effect: .location { statement, draft, problems in
            draft.bodyBytesMax = problems.bytes(statement.arguments[0], from: "1", to: "1048576g", zero: true)
        }),
]

/// The rule at the top of RouteTable.swift, for operators.
private let locationSummary = """
    Rules for the requests of one path and all beneath it, or with `=` of that path alone. An exact location wins, \
    then the longest prefix, by whole segments: `/api` has `/api/x` in it and neither `/apix` nor `/api.json`. What \
    a location does not say holds as at the top level, and so does everything for requests that lie in none: they \
    need a token. The query has no say. `PATH` is written without escapes, and regular expressions are not taken.

    Backends read paths in different ways, so that a path could be one thing here and another there. Once there is a \
    location, these rules keep the two together. What is refused is refused with `bad_request`; what goes on goes on \
    as the client spelled it.

    1. A segment `.` or `..` is refused in whatever spelling (`%2e%2e`, `..;x`, `..%2f`, `%252e%252e`), and so are a \
    path that begins with `//` and an escaped slash behind a `;`.
    2. The location is looked up in the most lenient reading of the path: `%2f`, `%5c` and many slashes are one \
    slash, a `;` ends its segment, `%3f` and `%23` end the path, other escapes are decoded, up to three times, \
    letters match in any case, and a slash at the end counts for nothing.
    3. A request that does not spell the location found as it is written here, byte for byte, is refused: `/ADMIN`, \
    `/%61dmin`, `/admin;x`, and for `= /admin` also `/admin/`. Who wants two spellings writes two locations. A \
    public location that takes all methods has nothing to evade: there such a request simply does not lie in it.
    4. Beneath a public location the path has to be plain to its end: no `%2f`, `%5c`, `;`, `//`, nor an escape of \
    an escape.

    So `/projects/group%2Fname` passes where no location is about it.
    """

struct LocationDraft: Draft {
    static let context = Context.location
    var seen: [String: Origin] = [:]

    /// nil: what was written is none, and was reported.
    var path: LocationPath?
    /// The path as it was written.
    var word: Word
    /// The directive, where it is given.
    var isPublic: Word?
    /// Likewise.
    var isVerify: Word?
    var methods: [String]?
    var upstream: UpstreamDraft?
    var enforcement: Enforcement?
    var preflights: PreflightRule?
    var readTimeoutMilliseconds: Int64?
    var bodyBytesMax: Int64?
    var requirements = Requirements()
    var forward: ForwardPolicy?
    var authorization: AuthorizationPolicy?
    var rateLimits: [RateLimitDraft] = []

    static func action(of effect: Directive.Effect) -> Directive.Action<LocationDraft>? {
        if case .location(let action) = effect { action } else { nil }
    }
}

private func applyLocation(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    var location = LocationDraft(word: statement.arguments.last!)
    location.path = problems.locationPath(statement.arguments)
    Directive.apply(statement.block ?? [], to: &location, problems: problems)
    if draft.locations.count == MainDraft.locationsMax {
        problems.error("more than \(MainDraft.locationsMax) locations", at: statement.name)
    } else {
        draft.locations.append(location)
    }
}

extension Problems {
    /// `PATH`, `= PATH` or `=PATH`.
    fileprivate func locationPath(_ arguments: [Word]) -> LocationPath? {
        var word = arguments.last!
        var isExact = false
        if arguments.count == 2 {
            switch arguments[0].text {
            case "=":
                isExact = true
            case "~", "~*":
                error(
                    "regular expressions are not taken: a backend may read a path in another way than an expression "
                        + "does; name the path, which has all beneath it in it",
                    at: arguments[0])
                return nil
            case "^~":
                error("'^~' is not needed: there are no regular expressions that could come first", at: arguments[0])
                return nil
            default:
                error("\(quoted(arguments[0].text)) is no modifier; expected location [=] PATH { … }", at: arguments[0])
                return nil
            }
        } else if word.text.hasPrefix("=") {
            isExact = true
            word.text.removeFirst()
        }
        if word.isDamaged { return nil }
        do throws(LocationPathError) {
            return try LocationPath(parsing: word.text, isExact: isExact)
        } catch {
            self.error("\(quoted(word.text)) is no path of a location: it \(error.reason)", at: word)
            return nil
        }
    }
}

private func applyMethods(_ statement: Statement, _ draft: inout LocationDraft, _ problems: Problems) {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    var methods: [String] = []
    for word in statement.arguments where !word.isDamaged {
        let upper = word.text.uppercased()
        if ["CONNECT", "TRACE"].contains(upper) {
            problems.error("\(quoted(word.text)) is never served", at: word)
        } else if word.text.isEmpty || !word.text.utf8.allSatisfy(ASCII.isToken) {
            problems.error("\(quoted(word.text)) is no method; expected GET, say", at: word)
        } else if word.text != upper, known.contains(upper) {
            problems.error("methods are told apart by case; did you mean '\(upper)'?", at: word)
        } else if methods.contains(where: { $0.hasSameBytes(as: word.text) }) {
            problems.warning("\(quoted(word.text)) is listed twice", at: word.origin)
        } else {
            methods.append(word.text)
        }
    }
    draft.methods = methods
}

// MARK: What only the whole can answer

extension MainDraft {
    /// - Parameters:
    ///   - rules: the main level's; a location that says something of its own about tokens adds another one.
    ///   - rateLimits: the main level's.
    func validatedLocations(
        files: any ConfigurationFiles, _ problems: Problems, addingTo rules: inout [AccessRules], rateLimits: [RateLimit]
    ) -> [LocationPolicy] {
        var limitCount = rateLimits.count
        reportTwins(problems)
        return locations.compactMap { location in
            location.reportContradictions(problems)
            if let upstream = location.upstream {
                upstream.requireServer(at: location.seen["upstream"] ?? location.word.origin, problems: problems)
            }
            guard let path = location.path else { return nil }
            let rulesIndex = location.hasRules ? rules.count : 0
            if location.hasRules { rules.append(location.rules(beneath: self.rules)) }
            let ownLimits = Self.numbered(location.rateLimits, after: &limitCount, problems)
            return LocationPolicy(
                path: path,
                route: RoutePolicy(
                    isPublic: location.isPublic != nil, methods: location.methods,
                    enforcement: location.enforcement ?? enforcement, preflights: location.preflights ?? preflights,
                    rulesIndex: rulesIndex, rateLimits: location.rateLimits.isEmpty ? rateLimits : ownLimits),
                upstream: location.upstream?.validated(files: files, problems: problems), isVerify: location.isVerify != nil,
                readTimeoutMilliseconds: location.readTimeoutMilliseconds ?? timeouts.proxyRead,
                // A body is announced, and stays where it is.
                bodyBytesMax: location.isVerify != nil ? 0 : location.bodyBytesMax.map { UInt64($0) } ?? limits.bodyBytes)
        }
    }

    /// Nothing is forwarded, so that nobody has to say where to.
    var onlyVerifies: Bool { !locations.isEmpty && locations.allSatisfy { $0.isVerify != nil } }

    /// Two locations for one path, and such as a backend may read as one.
    private func reportTwins(_ problems: Problems) {
        var spelled: [LocationPath: Word] = [:]
        var read: [String: Word] = [:]
        for location in locations {
            guard let path = location.path else { continue }
            if let first = spelled[path] {
                problems.error(
                    "there is a location for \(quoted(path.description)) already, at "
                        + problems.description(of: first.origin),
                    at: location.word)
            } else if let first = read[path.lenientReading] {
                problems.warning(
                    "a backend that takes no notice of case, or of a slash at the end, reads this as the path of the "
                        + "location at \(problems.description(of: first.origin)); see to it that both ask for the same",
                    at: location.word.origin)
            }
            spelled[path] = spelled[path] ?? location.word
            read[path.lenientReading] = read[path.lenientReading] ?? location.word
        }
    }
}

extension LocationDraft {
    /// Directives about tokens, in a location that asks for none.
    private static let tokenDirectives = ["enforce", "cors_preflight", "require", "forward"]
    /// Directives about what goes to a backend, in a location from which nothing does.
    private static let backendDirectives = ["upstream", "proxy_read_timeout", "client_max_body_size"]

    /// Whether it says anything that the main level does not, so that a token is judged anew here.
    fileprivate var hasRules: Bool {
        ["require", "forward", "authorization"].contains { seen[$0] != nil }
    }

    /// What is required here adds up; what is forwarded replaces the main level's, as a directive does in nginx.
    fileprivate func rules(beneath main: AccessRules) -> AccessRules {
        AccessRules(
            requirements: main.requirements.and(requirements), forward: forward ?? main.forward,
            authorization: authorization ?? main.authorization)
    }

    fileprivate func reportContradictions(_ problems: Problems) {
        if let isPublic {
            report(Self.tokenDirectives + ["verify"], against: isPublic, "no request here is asked for a token", problems)
        }
        if let isVerify {
            // What is minted is for the proxy that asks; there is nothing that could be kept from anyone.
            let names = Self.backendDirectives + (authorization == .strip ? ["authorization"] : [])
            report(names, against: isVerify, "no request here goes to a backend", problems)
        }
    }

    private func report(_ names: [String], against word: Word, _ reason: String, _ problems: Problems) {
        for name in names {
            guard let origin = seen[name] else { continue }
            problems.error(
                "'\(name)' contradicts '\(word.text)' at \(problems.description(of: word.origin)): \(reason); take one of "
                    + "them out",
                at: origin)
        }
    }
}
