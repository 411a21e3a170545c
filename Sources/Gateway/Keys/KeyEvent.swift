// What an operator reads of an issuer's keys: one line whenever their condition changes.

internal import Admission
public import Configuration
internal import JOSE

/// A change in the condition of an issuer's keys.
public struct KeyEvent: Sendable {
    public var issuerIndex: Int
    public var level: ErrorLog.Level
    public var message: String
}

extension KeyEvent {
    init(issuerIndex: Int, policy: IssuerPolicy, _ note: KeyNote) {
        self.issuerIndex = issuerIndex
        let issuer = "issuer \(policy.identifier): "
        switch note {
        case .serving(let keys, let source):
            // Skipped keys are no alarm: many issuers publish one for encryption beside the others.
            level = .info
            message = issuer + "\(keys.countText) from \(source)\(keys.skippedText)"
        case .servingStale(let keys, let reason):
            level = .warn
            message = issuer + "keys could not be refreshed, \(keys.countText) from before in use: \(reason)"
        case .servingPinned(let keys, let reason):
            level = .warn
            let file = policy.keys.file ?? ""
            message = issuer + "keys could not be fetched, \(keys.countText) of \(file) in use: \(reason)"
        case .unavailable(let reason):
            level = .error
            message = issuer + "no keys, so its tokens are answered with 503: \(reason)"
        }
    }
}

extension KeySet {
    fileprivate var countText: String { keys.count == 1 ? "1 key" : "\(keys.count) keys" }

    fileprivate var skippedText: String {
        skipped.isEmpty ? "" : ", \(skipped.count) skipped (\(skipped.summary))"
    }
}
