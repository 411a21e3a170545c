// Every issuer's keys, fetched once while a command waits: `antechamber check --fetch`.

public import Admission
import Reactor
import Synchronization

public enum KeyCheck {
    /// Fetches the keys of every issuer and returns what came of each, in their order. Blocks for as long as the slowest
    /// one may take (`jwks_timeout`, twice where there is discovery).
    ///
    /// - Throws: `SystemError`, or `KeySourceError` where a policy leads to no keys whatever answers.
    public static func run(_ issuers: [IssuerPolicy]) throws -> [KeyFetchReport] {
        let finished = Countdown(issuers.count)
        let loop = try EventLoop(label: "antechamber.check", lingerMilliseconds: 0)
        let bound = loop.bind(loop)
        let collected = Collected(issuers.count)
        try KeyService.fetchOnce(issuers: issuers, loop: loop, userAgent: Proxy.userAgent) { index, report in
            collected.reports.withLock { $0[index] = report }
            finished.arrive()
        }
        loop.resume()
        finished.wait()
        loop.mailbox.post { bound.unwrapped.close() }
        return collected.reports.withLock { $0.map { $0! } }
    }

    private final class Collected: Sendable {
        let reports: Mutex<[KeyFetchReport?]>

        init(_ count: Int) {
            reports = Mutex(Array(repeating: nil, count: count))
        }
    }
}

extension KeyFetchReport: CustomStringConvertible {
    public var description: String {
        switch self {
        case .fetched(let keys, let source, let skipped):
            "\(keys) usable \(keys == 1 ? "key" : "keys") from \(source)" + (skipped.map { ", skipped: \($0)" } ?? "")
        case .failed(let reason):
            "no keys: \(reason)"
        }
    }

    /// Whether tokens of this issuer can be verified.
    public var isUsable: Bool {
        if case .fetched = self { return true }
        return false
    }
}
