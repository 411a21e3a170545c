// Which location a request's path belongs to, and which paths are refused because backends could see another one.
//
// The rule, for a configuration that has locations:
//
//   1. A dot segment in whatever spelling (`..`, `%2e%2e`, `..;x`, `..%2f`), two slashes at the start, and an escaped
//      slash behind a semicolon can lead anywhere: refused.
//   2. The location is looked up in the most lenient reading of the path (LenientPath): the exact one, else the one of
//      the longest prefix, by whole segments.
//   3. The request has to spell that location as the configuration does, byte for byte. Where it does not (`/ADMIN`,
//      `/%61dmin`, `/admin;x`, `/x%2f..`), backends would disagree on whose path it is: refused. Only a location that
//      asks for nothing, as it is public, has no claim: there the path counts as one that lies elsewhere.
//   4. Beneath a public location, the path has to be plain to its end.
//
// So a spelling can lead away from a location's rule only to where nothing is asked for either, and to a public one
// never. What no location is about, the IDs of `/projects/group%2Fname` for instance, is none of the table's business.
//
// The cost grows with the length of the path alone: one hash over its bytes, looked up at each segment's end as far
// down as locations go.

internal import Bytes
public import HTTPWire

/// The locations of a configuration, compiled. Allocates nothing when asked.
public struct RouteTable: Sendable {
    /// One location, as far as finding it is concerned.
    public struct Location: Sendable {
        public var path: LocationPath
        /// Whether its requests need no token.
        public var isPublic: Bool
        /// Whether any request could do what a request to it can: it is public, and takes every method.
        public var asksForNothing: Bool

        public init(_ path: LocationPath, isPublic: Bool, asksForNothing: Bool) {
            self.path = path
            self.isPublic = isPublic
            self.asksForNothing = asksForNothing
        }
    }

    private struct Entry {
        /// In `texts`.
        let text: ByteRange
        let isExact: Bool
        let isPublic: Bool
        let asksForNothing: Bool
        /// Place among the configuration's locations.
        let place: Int
    }

    /// The locations that a lenient reader cannot tell apart: mostly one, or one that is exact and one that is not.
    private struct Group {
        let hash: UInt64
        /// In `texts`.
        let key: ByteRange
        /// In `entries`.
        let members: Range<Int>
    }

    private var texts: [UInt8] = []
    private var entries: [Entry] = []
    private var groups: [Group] = []
    /// Places in `groups`, open addressing; -1 is free. At most half full.
    private var slots: [Int32]
    private let mask: Int
    /// Segments of the deepest location.
    private var depthMax = 0

    /// - Parameter locations: each path and kind once. Their order gives each its place.
    public init(_ locations: [Location]) {
        var size = 4
        while size < 2 * locations.count { size *= 2 }
        slots = Array(repeating: -1, count: size)
        mask = size - 1
        let keyed = locations.enumerated().map { place, location in
            (key: LenientPath.key(of: Array(location.path.text.utf8).span), place: place, location: location)
        }
        for (key, members) in Dictionary(grouping: keyed, by: \.key) {
            let first = entries.count
            for member in members {
                let location = member.location
                entries.append(
                    Entry(
                        text: store(Array(location.path.text.utf8)), isExact: location.path.isExact,
                        isPublic: location.isPublic, asksForNothing: location.asksForNothing, place: member.place))
            }
            insert(Group(hash: Self.hash(key), key: store(key), members: first..<entries.count))
            depthMax = max(depthMax, key.count { $0 == UInt8(ascii: "/") })
        }
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// The place of the location that a request's path belongs to; nil: it lies in none of them, or asks for the server
    /// as a whole.
    ///
    /// - Parameter bytes: those that `head` was parsed from.
    /// - Throws: the refusal of a path that a backend could read as one with other rules.
    public func place(of head: borrowing RequestHead, in bytes: Span<UInt8>) throws(Refusal) -> Int? {
        if isEmpty { return nil }
        // An absolute-form target without a path asks for the root, or, as `*` does, for the server as a whole.
        if head.path.isEmpty {
            if head.method == .options, head.query == nil { return nil }
            let root: [1 of UInt8] = [UInt8(ascii: "/")]
            return try place(of: root.span)
        }
        let path = bytes.slice(head.path)
        return path.equals("*") ? nil : try place(of: path)
    }

    /// The place of the location that this path belongs to; nil: it lies in none of them.
    ///
    /// - Parameter path: a request's, with its leading slash.
    /// - Throws: the refusal of a path that a backend could read as one with other rules.
    public func place(of path: Span<UInt8>) throws(Refusal) -> Int? {
        var reading = LenientPath()
        var search = Search()
        var depth = 0
        while let byte = reading.next(in: path) {
            if byte == UInt8(ascii: "/") {
                if depth <= depthMax { look(for: &search, exact: false, in: path) }
                depth &+= 1
            }
            search.add(byte)
        }
        if let detour = reading.detour { throw Self.refusal(of: detour) }
        if depth <= depthMax {
            look(for: &search, exact: false, in: path)
            look(for: &search, exact: true, in: path)
        }
        if search.isClaimed { throw Self.otherSpelling }
        guard let found = search.found else { return nil }
        if entries[found].isPublic, !reading.isPlain { throw Self.notPlain }
        return entries[found].place
    }

    // MARK: The search

    /// How far a search has come: from the root down to the deepest location.
    private struct Search {
        var hash = RouteTable.hashSeed
        var byteCount = 0
        /// In `entries`.
        var found: Int?
        /// The deepest location so far is not spelled as it should be, and asks for something.
        var isClaimed = false

        @inline(__always)
        mutating func add(_ byte: UInt8) {
            hash = (hash ^ UInt64(byte)) &* RouteTable.hashPrime
            byteCount &+= 1
        }
    }

    private func look(for search: inout Search, exact: Bool, in path: Span<UInt8>) {
        guard let group = group(search, in: path) else { return }
        var claims = false
        for index in groups[group].members where entries[index].isExact == exact {
            if isSpelled(entries[index], in: path) {
                search.found = index
                search.isClaimed = false
                return
            }
            if !entries[index].asksForNothing { claims = true }
        }
        if claims { search.isClaimed = true }
    }

    /// The group whose key is what the search has read so far.
    private func group(_ search: borrowing Search, in path: Span<UInt8>) -> Int? {
        var slot = Int(truncatingIfNeeded: search.hash &>> 32) & mask
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            let key = groups[index].key
            if groups[index].hash == search.hash, Int(key.count) == search.byteCount,
                LenientPath.begins(path, with: texts.span.slice(key))
            {
                return index
            }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    private func isSpelled(_ entry: Entry, in path: Span<UInt8>) -> Bool {
        let text = texts.span.slice(entry.text)
        if entry.isExact { return path.equals(text) }
        return path.count >= text.count && path.extracting(first: text.count).equals(text)
            && (path.count == text.count || path[text.count] == UInt8(ascii: "/"))
    }

    // FNV-1a: the keys are the operator's, and what hashes like one of them is compared with it.
    private static let hashSeed: UInt64 = 0xCBF2_9CE4_8422_2325
    private static let hashPrime: UInt64 = 0x0000_0100_0000_01B3

    private static func hash(_ key: [UInt8]) -> UInt64 {
        var search = Search()
        for byte in key { search.add(byte) }
        return search.hash
    }

    // MARK: Compiling

    private mutating func store(_ bytes: [UInt8]) -> ByteRange {
        texts += bytes
        return ByteRange(offset: texts.count - bytes.count, count: bytes.count)
    }

    private mutating func insert(_ group: Group) {
        var slot = Int(truncatingIfNeeded: group.hash &>> 32) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = Int32(groups.count)
        groups.append(group)
    }
}

extension RouteTable {
    private static func refusal(of detour: LenientPath.Detour) -> Refusal {
        switch detour {
        case .dotSegment: dotSegment
        case .emptyStart: emptyStart
        case .slashInParameter: slashInParameter
        }
    }

    private static let dotSegment = Refusal(
        .badRequest, "The path has a segment . or .. in one spelling or another.",
        hint: "Send the path that it comes to.")

    private static let emptyStart = Refusal(
        .badRequest, "The path begins with two slashes, which some servers read as the beginning of a host.",
        hint: "See whether a base URL that ends in a slash was put in front of a path that begins with one.")

    private static let slashInParameter = Refusal(
        .badRequest, "The path has an escaped slash, backslash, question mark or number sign behind a semicolon.")

    private static let otherSpelling = Refusal(
        .badRequest, "The path could be read as another one, for which there are other rules.",
        hint: "Spell it as it is documented: letters in their case, no needless escape, no slash too many.")

    private static let notPlain = Refusal(
        .badRequest, "The path has an escaped slash, an empty segment, a semicolon, or an escape of an escape.",
        hint: "What is open to everyone is served under plain paths only.")
}
