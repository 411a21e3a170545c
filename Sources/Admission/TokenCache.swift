// Verified tokens, remembered by their exact bytes.
//
// A token is found by a hash of the last bytes of its signature and then compared in full, so a hit proves that the
// very same bytes were verified before. Sixteen characters of a signature suffice: they are as good as random, the
// issuer alone can choose them, and only what was verified gets in; so nobody without a valid token places
// anything, and nobody with one picks where it lands. The seed, drawn anew in each process, keeps even an issuer's
// accomplice from preparing collisions.
//
// What may change after a token was verified is checked at each look-up: the time, and the issuer's keys.

internal import Bytes

struct TokenCache {
    struct Entry {
        var identity: Identity
        /// The generation of the issuer's keys that last vouched for the token.
        var keyGeneration: UInt32
    }

    private var table: S3FIFO<Entry>
    private let seed: (UInt64, UInt64)

    /// Room for a token and its identity fields, on average: a worker's whole cache stays below entries × 2 KiB.
    static let bytesPerEntryMax = 2048
    /// What an entry takes besides its bytes: the object, its array, the slot and the index.
    private static let overheadBytes = 208

    init(entriesMax: Int) {
        var generator = SystemRandomNumberGenerator()
        seed = (generator.next(), generator.next())
        table = S3FIFO(entriesMax: entriesMax, costMax: entriesMax * Self.bytesPerEntryMax)
    }

    var count: Int { table.count }
    var evictions: UInt64 { table.evictions }

    /// The slot of exactly this token, valid until the next insertion or removal. Allocates nothing.
    func slot(of token: Span<UInt8>) -> Int? {
        guard table.count > 0, let hash = hash(of: token), let slot = table.slot(of: hash),
            table[slot].identity.isToken(token)
        else { return nil }
        return slot
    }

    subscript(slot: Int) -> Entry {
        get { table[slot] }
        set { table[slot] = newValue }
    }

    mutating func touch(_ slot: Int) { table.touch(slot) }

    mutating func remove(_ slot: Int) { table.remove(slot) }

    mutating func insert(_ entry: Entry, token: Span<UInt8>) {
        guard let hash = hash(of: token) else { return }
        table.insert(hash, entry, cost: entry.identity.storageBytes + Self.overheadBytes)
    }

    /// Nil for what is too short to hold a signature of any algorithm.
    private func hash(of token: Span<UInt8>) -> UInt64? {
        guard token.count >= 16 else { return nil }
        let last = Self.word(token, at: token.count &- 8) ^ seed.0
        let lastButOne = Self.word(token, at: token.count &- 16) ^ seed.1
        let product = last.multipliedFullWidth(by: lastButOne)
        return product.high ^ product.low
    }

    private static func word(_ bytes: Span<UInt8>, at offset: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 { word = word &<< 8 | UInt64(bytes[offset &+ index]) }
        return word
    }
}
