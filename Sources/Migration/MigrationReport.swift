// Whether the old audiences can go: what several proxies in front of one API know of their use, merged and judged.
//
// The answer is a merge gate's, so whatever is not known counts against it: a proxy that could not be asked, one whose
// answer cannot be read, one that was counted already, one whose clock is another one. There is no way to leave such a
// proxy out of a report.

internal import Bytes
internal import JOSE

/// The use of every legacy audience in a window, over all proxies that were asked.
public struct MigrationReport: Sendable {
    /// The longest answer of one proxy, in bytes: what it knows of as many legacy audiences as there can be.
    public static let answerBytesMax = 24 << 20
    /// What a proxy's clock may differ by from ours, in seconds: a window that is told by another clock is another one.
    public static let clockSkewSecondsMax: Int64 = 300

    /// One legacy audience.
    public struct Row: Sendable, Equatable {
        public var issuer: String
        public var name: String
        public var audience: String
        /// Where it is on its way; where proxies disagree, that of the first.
        public var phase: String
        public var use: LegacyUse
        /// At how many proxies it is configured.
        public var proxyCount: Int
    }

    /// One proxy that has answered.
    public struct Proxy: Sendable, Equatable {
        /// How it was asked for.
        public var address: String
        /// No other process is called so.
        var instance: String
        /// Since when all of its counts are complete, in Unix seconds; nil: it has no legacy audience.
        public var countedSince: Int64?
    }

    /// One proxy of which nothing is known.
    public struct Failure: Sendable, Equatable {
        public var address: String
        public var reason: String
    }

    /// What a merge gate asks for.
    public enum Verdict: String, Sendable {
        /// No proxy has seen a legacy audience in the window.
        case unused
        case inUse = "in_use"
        /// It cannot be told.
        case unknown
    }

    /// The window's beginning, in Unix seconds.
    public let start: Int64
    /// The window's end, in Unix seconds.
    public let now: Int64
    /// Whether proxies must have counted for all of the window.
    public let needsWholeWindow: Bool
    /// In the order in which they were first named.
    public private(set) var rows: [Row] = []
    public private(set) var proxies: [Proxy] = []
    public private(set) var failures: [Failure] = []

    /// A report on the time from `start` to `now`, in Unix seconds.
    ///
    /// - Parameter needsWholeWindow: nothing is said to be unused by a proxy that has not counted for so long.
    public init(since start: Int64, now: Int64, needsWholeWindow: Bool = false) {
        self.start = start
        self.now = now
        self.needsWholeWindow = needsWholeWindow
    }

    /// Adds what the proxy at `address` has answered to `/migration`, or that it is no answer.
    public mutating func add(_ answer: [UInt8], from address: String) {
        do throws(MigrationAnswerProblem) {
            let answer = try MigrationAnswer(parsing: answer)
            if let known = proxies.first(where: { $0.instance == answer.instance }) {
                throw .sameProxy(known.address)
            }
            let skew = answer.time - now
            if skew.magnitude > Self.clockSkewSecondsMax.magnitude { throw .otherTime(skew) }
            add(answer, from: address)
        } catch {
            addFailure(error.reason, of: address)
        }
    }

    /// Adds that the proxy at `address` could not be asked.
    public mutating func addFailure(_ reason: String, of address: String) {
        failures.append(Failure(address: address, reason: reason))
    }

    private mutating func add(_ answer: MigrationAnswer, from address: String) {
        proxies.append(
            Proxy(
                address: address, instance: answer.instance,
                countedSince: answer.audiences.map(\.countedSince).max()))
        for audience in answer.audiences {
            let known = rows.firstIndex {
                $0.issuer.hasSameBytes(as: audience.issuer) && $0.audience.hasSameBytes(as: audience.audience)
            }
            if let known {
                rows[known].use.merge(audience.use)
                rows[known].proxyCount += 1
            } else {
                rows.append(
                    Row(
                        issuer: audience.issuer, name: audience.name, audience: audience.audience,
                        phase: audience.phase, use: audience.use, proxyCount: 1))
            }
        }
    }

    // MARK: What it says

    public var verdict: Verdict {
        if proxies.isEmpty || !failures.isEmpty { return .unknown }
        if !used.isEmpty { return .inUse }
        return needsWholeWindow && !lateProxies.isEmpty ? .unknown : .unused
    }

    /// The rows whose audience was used in the window.
    public var used: [Row] { rows.filter { $0.use.isUsed(since: start) } }

    /// The proxies that know nothing of the window's beginning.
    public var lateProxies: [Proxy] { proxies.filter { $0.countedSince ?? 0 > start } }
}
