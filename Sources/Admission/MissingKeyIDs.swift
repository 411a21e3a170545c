// Key IDs that an issuer was asked for and does not have.
//
// A client that goes on using a token of a key that is long gone would otherwise force a fetch at the end of each
// cooldown, and a new key's first token would come within one most of the time, and be refused. Remembered, it forces
// one in several.
//
// Who knows a key ID before it is published can have it remembered too, and so keep its first tokens out: hence for a
// few cooldowns only, until the set changes at the latest, and never by the answer to a fetch that was under way when
// the token came, as that may be older than the token.

/// Stands for a key ID, at a size that does not depend on it. Seeded anew in each process: nobody can look for two key
/// IDs that are taken for one.
public struct KeyIDHash: Sendable, Hashable {
    private let value: Int

    /// Of the bytes of `keyID`.
    public init(_ keyID: String) {
        var hasher = Hasher()
        for byte in keyID.utf8 { hasher.combine(byte) }
        value = hasher.finalize()
    }
}

/// Key IDs that are refused without a fetch for a while: a value, which workers have a snapshot of.
public struct MissingKeyIDs: Sendable {
    /// The most that are remembered. Others are not, which costs them no more than a fetch a cooldown.
    public static let countMax = 256

    /// Until when each of them is, in monotonic nanoseconds.
    private var lapses: [KeyIDHash: Int64] = [:]

    public init() {}

    public var count: Int { lapses.count }

    /// Whether this one was found missing, and not too long ago.
    public func contains(_ keyID: KeyIDHash, at now: Int64) -> Bool {
        lapses[keyID].map { now < $0 } ?? false
    }

    /// Takes those in that there is room for: nothing that is remembered makes room before its time.
    mutating func insert(_ keyIDs: some Sequence<KeyIDHash>, until lapse: Int64, at now: Int64) {
        lapses = lapses.filter { now < $0.value }
        for keyID in keyIDs where lapses[keyID] != nil || lapses.count < Self.countMax { lapses[keyID] = lapse }
    }

    /// Whatever was missing may be there by now.
    mutating func removeAll() {
        lapses = [:]
    }
}
