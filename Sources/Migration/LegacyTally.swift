// What one worker has seen of one legacy audience since it last handed that over.

internal import Bytes

/// Counts on the hot path: `record` allocates only where a user agent is new.
public struct LegacyTally: Sendable {
    /// The longest part of a User-Agent that is kept, in bytes.
    public static let userAgentBytesMax = 100

    private struct Agent {
        var hash: UInt64
        var name: String
        var count: UInt64
    }

    public private(set) var requests: UInt64 = 0
    public private(set) var subjects = DistinctCount()
    /// Unix seconds.
    public private(set) var firstSeen: Int64 = .max
    public private(set) var lastSeen: Int64 = .min
    /// The newest `iat` of its tokens, in Unix seconds; nil: none had one.
    public private(set) var lastIssuedAt: Int64?
    /// By the route's index.
    public private(set) var routes: [UInt64]
    private var agents: [Agent] = []

    /// - Parameter routeCount: how many routes the policy has.
    public init(routeCount: Int) {
        routes = Array(repeating: 0, count: routeCount)
    }

    /// Counts one request.
    ///
    /// - Parameters:
    ///   - now: Unix seconds.
    ///   - subject: a hash of issuer and `sub`, every bit as good as random; nil: the token has no subject.
    ///   - issuedAt: the token's `iat`, in Unix seconds.
    ///   - userAgent: the field's value; empty where there is none.
    public mutating func record(
        at now: Int64, subject: UInt64?, issuedAt: Int64?, route: Int, userAgent: Span<UInt8>
    ) {
        requests &+= 1
        if let subject { subjects.insert(subject) }
        firstSeen = min(firstSeen, now)
        lastSeen = max(lastSeen, now)
        if let issuedAt { lastIssuedAt = max(lastIssuedAt ?? issuedAt, issuedAt) }
        routes[route] &+= 1
        record(userAgent.extracting(first: min(userAgent.count, Self.userAgentBytesMax)))
    }

    /// All that was counted, and a fresh start; nil where there was nothing.
    public mutating func take() -> LegacyTally? {
        if requests == 0 { return nil }
        let taken = self
        self = LegacyTally(routeCount: routes.count)
        return taken
    }

    /// The user agents, as `TopList` has them.
    public var userAgents: TopList {
        var list = TopList()
        for agent in agents { list.add(agent.name, count: agent.count) }
        return list
    }

    /// The names of many agents at once are not worth their room: within one handing over, those beyond the bound are
    /// counted as one.
    private mutating func record(_ userAgent: Span<UInt8>) {
        let hash = Self.hash(userAgent)
        for index in agents.indices where agents[index].hash == hash {
            agents[index].count &+= 1
            return
        }
        if agents.count < TopList.entriesMax - 1 {
            agents.append(Agent(hash: hash, name: Self.name(userAgent), count: 1))
        } else if agents.count < TopList.entriesMax {
            // Its hash is nobody's: from here on all new ones end up in the last place.
            agents.append(Agent(hash: hash, name: Self.others, count: 1))
        } else {
            agents[TopList.entriesMax - 1].count &+= 1
        }
    }

    /// What agents beyond the bound are counted as.
    public static let others = "(others)"

    /// FNV-1a: two agents that are made to collide are counted as one, which is all that can be gained.
    private static func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3 }
        return hash
    }

    /// What a client chose, in visible ASCII: it goes to terminals and pages.
    private static func name(_ bytes: Span<UInt8>) -> String {
        if bytes.isEmpty { return "(none)" }
        var name: [UInt8] = []
        for index in bytes.indices {
            let byte = bytes[index]
            name.append(byte >= 0x20 && byte < 0x7F ? byte : UInt8(ascii: "?"))
        }
        return name.span.text()
    }
}
