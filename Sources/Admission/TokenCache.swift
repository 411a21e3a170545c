// Verified tokens, remembered by their exact bytes and by the rules they were admitted under: a token that is used in
// places with other rules is verified once for each.
//
// Of the token itself only the SHA-256 is kept: equal digests are equal tokens, an entry takes a third of the memory
// that the token would, and no bearer token lies about in the proxy's memory. Hashing 800 bytes costs about half a
// microsecond; verifying the signature again would cost fifteen.
//
// What may change after a token was verified is checked at each look-up: the time, and the issuer's keys.

internal import JOSE

struct TokenCache: ~Copyable {
    /// What a verdict is remembered by. Both parts are compared in full.
    struct Name: Equatable {
        let digest: TokenDigest
        let rulesIndex: Int

        init(_ digest: TokenDigest, _ rulesIndex: Int) {
            self.digest = digest
            self.rulesIndex = rulesIndex
        }

        /// The digest's prefix is as good as random; an odd factor keeps one token's names apart from each other.
        var hash: UInt64 { digest.prefix &+ UInt64(truncatingIfNeeded: rulesIndex) &* 0x9E37_79B9_7F4A_7C15 }
    }

    struct Entry {
        let name: Name
        var identity: Identity
        /// The generation of the issuer's keys that last vouched for the token.
        var keyGeneration: UInt32
    }

    private var table: S3FIFO<Entry>

    /// Room for an entry's identity fields, on average: a worker's whole cache stays below entries × 1 KiB.
    static let bytesPerEntryMax = 1024
    /// The same where each may have a minted token of some 800 bytes among them.
    static let bytesPerMintingEntryMax = 2048
    /// What an entry takes besides those: the object, its array, the slot and the index.
    static let overheadBytes = 248

    init(entriesMax: Int, mints: Bool) {
        // A single entry may take an eighth: even a cache of one has room for the largest identity.
        let largest = (mints ? Identity.mintingLinesBytesMax : Identity.ownLinesBytesMax) + Self.overheadBytes
        let bytesPerEntry = mints ? Self.bytesPerMintingEntryMax : Self.bytesPerEntryMax
        self.init(entriesMax: entriesMax, bytesMax: max(entriesMax * bytesPerEntry, 8 * largest))
    }

    init(entriesMax: Int, bytesMax: Int) {
        table = S3FIFO(entriesMax: entriesMax, costMax: bytesMax)
    }

    var count: Int { table.count }
    var bytes: Int { table.cost }
    var evictions: UInt64 { table.evictions }

    /// The slot of exactly this token and these rules, valid until the next insertion or removal. Allocates nothing.
    func slot(of name: Name) -> Int? {
        guard let slot = table.slot(of: name.hash), table[slot].name == name else { return nil }
        return slot
    }

    subscript(slot: Int) -> Entry {
        get { table[slot] }
        set { table[slot] = newValue }
    }

    mutating func touch(_ slot: Int) { table.touch(slot) }

    mutating func remove(_ slot: Int) { table.remove(slot) }

    mutating func insert(_ entry: Entry) {
        table.insert(entry.name.hash, entry, cost: entry.identity.storageBytes + Self.overheadBytes)
    }
}
