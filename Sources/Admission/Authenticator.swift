internal import Bytes
public import HTTPWire

/// Decides who is admitted. One per worker, confined to it.
public final class Authenticator {
    public struct Counters: Sendable, Equatable {
        public var cacheHits: UInt64 = 0
        public var cacheMisses: UInt64 = 0
        public var cacheEvictions: UInt64 = 0
        public var signatureVerifications: UInt64 = 0
    }
    public private(set) var counters = Counters()
    public let policy: AdmissionPolicy
    public init(policy: AdmissionPolicy) { self.policy = policy }
    /// Takes over what is known of one issuer's keys.
    public func install(_ keys: KeyMaterial, forIssuerAt index: Int) { fatalError() }
    public func decide(_ head: borrowing RequestHead, in bytes: Span<UInt8>, at now: Instant, mayAwaitKeys: Bool) -> Decision { fatalError() }
}
