// What an operator reads of an issuer's keys: one line whenever their condition changes.

import Admission
import JOSE
import Observability

extension KeyNote {
    func logLine(of policy: IssuerPolicy) -> (level: LogLevel, message: String) {
        let issuer = "issuer \(policy.identifier): "
        switch self {
        case .serving(let keys, let source):
            // Skipped keys are no alarm: many issuers publish one for encryption beside the others.
            return (.info, issuer + keys.countText(from: source))
        case .servingStored(let keys, let age):
            return (.info, issuer + "\(keys.countText) of state_dir in use, fetched \(age) s ago")
        case .servingStale(let keys, let reason):
            return (.warn, issuer + "keys could not be refreshed, \(keys.countText) from before in use: \(reason)")
        case .servingPinned(let keys, let reason):
            let file = policy.keys.file ?? ""
            return (.warn, issuer + "keys could not be fetched, \(keys.countText) of \(file) in use: \(reason)")
        case .unavailable(let reason):
            return (.error, issuer + "no keys, so its tokens are answered with 503: \(reason)")
        }
    }
}

extension KeySet {
    fileprivate var countText: String { keys.count == 1 ? "1 key" : "\(keys.count) keys" }

    /// How many keys came from where, and which of the others cannot be used, with their reasons.
    func countText(from source: KeyFetch.Source) -> String {
        let skippedText = skipped.isEmpty ? "" : ", \(skipped.count) skipped (\(skipped.summary))"
        return "\(countText) from \(source)\(skippedText)"
    }
}
