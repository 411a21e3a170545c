// Which server the next request goes to: a worker's own view of a group, without a clock or a socket.
//
// A server is passed over from its first failure on. Once it has rested, one request finds out whether it is back, and
// only that request's answer lets the others return: what nginx does, with `max_fails=1`. Nothing here refuses: where
// no server is up, those that are down are chosen all the same, the most promising first.

import Configuration

/// Places of servers in their group.
struct ServerSet: Equatable {
    private var bits: UInt64 = 0

    func contains(_ index: Int) -> Bool { bits & (1 << UInt64(index)) != 0 }
    mutating func insert(_ index: Int) { bits |= 1 << UInt64(index) }
    mutating func remove(_ index: Int) { bits &= ~(1 << UInt64(index)) }
}

struct Balancer {
    /// How long a server that failed gets no requests: nginx's `fail_timeout`.
    static let restNanoseconds: Int64 = 10_000_000_000

    /// How much is to be hoped of a server. The order is that in which they are chosen.
    enum Standing: Int, Sendable, CaseIterable {
        case up
        /// It has failed lately.
        case resting
        /// Health checks say that it is down: that is known for longer, and of more than one request.
        case unhealthy
        /// Its name has led to no address yet.
        case nowhere
    }

    private struct Server {
        let weight: Int
        /// nginx's `current_weight`: what it is owed of the requests.
        var credit = 0
        var requestsUnderWay = 0
        var hasAddress = false
        var isHealthy = true
        /// When it failed, until it answers again.
        var failedAt: Int64?
        var restsUntil: Int64 = 0

        func standing(at now: Int64) -> Standing {
            if !hasAddress { return .nowhere }
            if !isHealthy { return .unhealthy }
            return failedAt != nil && now < restsUntil ? .resting : .up
        }
    }

    private let balance: UpstreamPolicy.Balance
    private var servers: [Server]

    init(_ policy: UpstreamPolicy) {
        balance = policy.balance
        servers = policy.servers.map { Server(weight: $0.weight) }
    }

    /// The next server of those that were not tried for the request at hand; nil where there is none left.
    ///
    /// - Parameter now: Monotonic nanoseconds.
    mutating func choose(except tried: ServerSet, at now: Int64) -> Int? {
        guard let best = best(except: tried, at: now) else { return nil }
        // nginx's "smooth weighted round-robin balancing" (2012): all who are as good earn their weight, who is owed
        // the most is chosen, and pays what all have earned. Of 5:1:1 that makes a a b a c a a, and no row of five.
        var chosen = best
        var earned = 0
        for index in servers.indices where !tried.contains(index) && !isPreferred(best, to: index, at: now) {
            servers[index].credit += servers[index].weight
            earned += servers[index].weight
            if servers[index].credit > servers[chosen].credit { chosen = index }
        }
        servers[chosen].credit -= earned
        // Others wait for what becomes of this one; and where its client goes away first, for the next to find out.
        if servers[chosen].failedAt != nil { servers[chosen].restsUntil = now + Balancer.restNanoseconds }
        return chosen
    }

    private func best(except tried: ServerSet, at now: Int64) -> Int? {
        var best: Int?
        for index in servers.indices where !tried.contains(index) {
            if let current = best, !isPreferred(index, to: current, at: now) { continue }
            best = index
        }
        return best
    }

    /// Whether `one` comes before `other` whatever they are owed.
    private func isPreferred(_ one: Int, to other: Int, at now: Int64) -> Bool {
        let (one, other) = (servers[one], servers[other])
        let (first, second) = (one.standing(at: now), other.standing(at: now))
        if first != second { return first.rawValue < second.rawValue }
        switch balance {
        case .roundRobin: return false
        case .leastConnections: return one.requestsUnderWay * other.weight < other.requestsUnderWay * one.weight
        }
    }

    /// Takes over what another group knows of a server that this one has, too.
    ///
    /// - Parameter sharesChecks: the same health checks speak of both.
    mutating func adopt(_ index: Int, from other: Balancer, at otherIndex: Int, sharesChecks: Bool) {
        let known = other.servers[otherIndex]
        servers[index].hasAddress = known.hasAddress
        servers[index].failedAt = known.failedAt
        servers[index].restsUntil = known.restsUntil
        if sharesChecks { servers[index].isHealthy = known.isHealthy }
    }

    // MARK: What is known

    func standing(of index: Int, at now: Int64) -> Standing { servers[index].standing(at: now) }
    func requestsUnderWay(at index: Int) -> Int { servers[index].requestsUnderWay }

    // MARK: What became of it

    mutating func requestStarted(at index: Int) { servers[index].requestsUnderWay += 1 }
    mutating func requestEnded(at index: Int) { servers[index].requestsUnderWay -= 1 }

    /// It took no connection, or ended a new one without an answer. True: it was up before.
    mutating func failed(_ index: Int, at now: Int64) -> Bool {
        let wasUp = servers[index].failedAt == nil
        servers[index].failedAt = now
        servers[index].restsUntil = now + Balancer.restNanoseconds
        return wasUp
    }

    /// It answered a request that was given to it at `start`. True: it is up again.
    ///
    /// An answer to a request from before the failure says nothing: a server that shuts down goes on with those.
    mutating func answered(_ index: Int, to start: Int64) -> Bool {
        guard let failedAt = servers[index].failedAt, start > failedAt else { return false }
        servers[index].failedAt = nil
        return true
    }

    /// What its health checks have come to. They have seen it answer: it need not be tried once more by a request.
    mutating func setHealthy(_ index: Int, _ isHealthy: Bool) {
        servers[index].isHealthy = isHealthy
        if isHealthy { servers[index].failedAt = nil }
    }

    mutating func setHasAddress(_ index: Int, _ hasAddress: Bool) {
        servers[index].hasAddress = hasAddress
    }
}
