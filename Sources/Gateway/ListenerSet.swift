// The addresses that the process listens at, and what becomes of them with another configuration.
//
// An address that stays keeps its sockets, so that no connection is lost that the kernel has queued there. New ones are
// bound before anything else changes, and where one of them cannot be, nothing does.

import Configuration
import Reactor

/// One listener of the configuration, bound.
struct BoundListener: Sendable {
    /// What workers know it by.
    let id: Int
    var policy: ListenerPolicy
    /// One for each worker; a Unix socket is the same for all.
    let sockets: [BoundSocket]

    /// With the port that the kernel chose.
    var endpoint: Endpoint { policy.endpoint.bound(to: sockets[0].address) }
}

struct ListenerSet: Sendable {
    /// In the order of the configuration.
    private(set) var listeners: [BoundListener] = []
    private var lastID = 0

    /// Those of the next configuration: what is there already is not bound anew, and stays as it is in this set.
    ///
    /// - Parameter joins: a process that listens at the new ones already is to be taken over from.
    /// - Returns: the set, and those of it that this one does not have.
    func next(
        _ policies: [ListenerPolicy], workers: Int, joins: Bool = false
    ) throws(Proxy.StartFailure) -> (set: ListenerSet, added: [BoundListener]) {
        var next = ListenerSet(lastID: lastID)
        var left = listeners
        var added: [BoundListener] = []
        for policy in policies {
            if let place = left.firstIndex(where: { $0.policy.endpoint == policy.endpoint }) {
                var kept = left.remove(at: place)
                kept.policy = policy
                next.listeners.append(kept)
            } else {
                next.lastID += 1
                let sockets = try Self.bind(policy.endpoint, workers, joins)
                added.append(BoundListener(id: next.lastID, policy: policy, sockets: sockets))
                next.listeners.append(added[added.count - 1])
            }
        }
        return (next, added)
    }

    /// How each entrance serves.
    var policies: [Int: ListenerPolicy] {
        Dictionary(uniqueKeysWithValues: listeners.map { ($0.id, $0.policy) })
    }

    init() {}

    private init(lastID: Int) {
        self.lastID = lastID
    }

    private static func bind(
        _ endpoint: Endpoint, _ count: Int, _ joins: Bool
    ) throws(Proxy.StartFailure) -> [BoundSocket] {
        do throws(SystemError) {
            let first = try BoundSocket(endpoint: endpoint, joins: joins)
            if case .unix = endpoint { return Array(repeating: first, count: count) }
            // The first one may have been given a port by the kernel: the others join it there.
            var sockets = [first]
            while sockets.count < count {
                sockets.append(try BoundSocket(first.address, unixPath: nil, sharesPort: true))
            }
            return sockets
        } catch {
            throw Proxy.StartFailure(description: "cannot listen on \(endpoint): \(error.reason)")
        }
    }
}
