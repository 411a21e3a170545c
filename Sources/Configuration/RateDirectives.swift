// How many requests one caller may send: `limit_requests`, at the top level and in locations.

import Admission

let rateDirectives: [Directive] = [
    Directive(
        name: "limit_requests", syntax: "subject | client | address rate=N(r/s | r/m) [burst=N] | off", contexts: [.main],
        argumentsMax: 3, isRepeatable: true, standard: "off",
        summary: """
            How many requests one caller may send: `limit_requests subject rate=100r/s burst=200;`. Callers are told apart by \
            the token's `sub`, by its client (`azp` or `client_id`), or by the address that requests come from (of IPv6 its \
            first 64 bits); by the next of these where one is not known, as of a request without a verified token. `burst` is \
            how many may come at once, a second's worth unless said otherwise. More get `429 rate_limited` with \
            `Retry-After`, `RateLimit` and `RateLimit-Policy`, and count for nothing; a limit on addresses is looked at before \
            the token is. All workers count together, each process by itself. Several lines hold all together.

            Each limit remembers 65536 callers, who are the ones that have used up the most: a flood of others does not make \
            it forget one that is limited.
            """,
        effect: .main { statement, draft, problems in problems.limitRequests(statement, into: &draft.rateLimits) }),
    Directive(
        name: "limit_requests", syntax: "subject | client | address rate=N(r/s | r/m) [burst=N] | off", contexts: [.location],
        argumentsMax: 3, isRepeatable: true,
        summary: "As at the top level, for these requests, and in place of what is said there; `off`, or what counts only "
            + "requests to here.",
        effect: .location { statement, draft, problems in problems.limitRequests(statement, into: &draft.rateLimits) }),
]

/// A limit as it is written: its place among all is known when all are.
struct RateLimitDraft {
    /// Each has a table of callers.
    static let limitsMax = 64

    /// nil: `off`.
    var limit: RateLimit?
    var word: Word
}

extension Problems {
    fileprivate func limitRequests(_ statement: Statement, into limits: inout [RateLimitDraft]) {
        let word = statement.arguments[0]
        if word.text == "off", statement.arguments.count == 1 {
            limits.append(RateLimitDraft(limit: nil, word: word))
            return
        }
        let parameters = parameters(statement.arguments.dropFirst(), of: "limit_requests", known: ["rate", "burst"])
        guard let key: RateLimit.Key = choice(word) else { return }
        guard let rate = parameters["rate"] else {
            error("'limit_requests' needs a rate, such as rate=100r/s or rate=30r/m", at: word)
            return
        }
        guard let (requests, seconds) = self.rate(rate) else { return }
        var burst = max(1, (requests + seconds - 1) / seconds)
        if let word = parameters["burst"] {
            guard let value = count(word, 1...RateLimit.burstMax) else { return }
            burst = value
        }
        let interval = seconds * 1_000_000_000 / requests
        limits.append(RateLimitDraft(limit: RateLimit(key, intervalNanoseconds: interval, burst: burst, index: 0), word: word))
    }

    /// `100r/s` or `30r/m`: requests, and in how many seconds.
    private func rate(_ word: Word) -> (requests: Int64, seconds: Int64)? {
        for (unit, seconds) in [("r/s", 1), ("r/m", 60)] as [(String, Int64)] where word.text.hasSuffix(unit) {
            if let requests = Quantity.count(String(word.text.dropLast(unit.count))), (1...1_000_000).contains(requests) {
                return (requests, seconds)
            }
        }
        error("\(quoted(word.text)) is no rate; expected 1r/m to 1000000r/s, such as 100r/s or 30r/m", at: word)
        return nil
    }
}

extension MainDraft {
    /// The limits of one place, each with its place among all.
    ///
    /// - Parameter count: of the limits so far.
    static func numbered(_ drafts: [RateLimitDraft], after count: inout Int, _ problems: Problems) -> [RateLimit] {
        if drafts.count > 1, let off = drafts.first(where: { $0.limit == nil }) {
            problems.error("'off' stands alone, or not at all", at: off.word)
        }
        return drafts.compactMap { draft in
            guard var limit = draft.limit else { return nil }
            if count == RateLimitDraft.limitsMax {
                problems.error("more than \(RateLimitDraft.limitsMax) limits", at: draft.word)
                return nil
            }
            limit.index = count
            count += 1
            return limit
        }
    }
}
