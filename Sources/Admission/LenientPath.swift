// A request's path as the most lenient backend would read it: the one normalisation that paths are looked up by.
//
// Backends differ. Some take `%2f`, `%5c` and `\` for slashes, some take many slashes for one, or cut a segment at `;`,
// most decode the other escapes, some decode twice, and some (Express, IIS) read `/ADMIN` as `/admin` and `/admin/`
// as `/admin`. This reading does all of it at once. What any of them reads as a plain path, this reading reads so too;
// so a location that is not found by it is found by nobody. What can lead anywhere, whatever it is read as, is told
// apart (`Detour`).
//
// Nothing is written anew: the backend gets the client's own bytes. Only RouteTable sees this.

internal import Bytes

/// Reads a path byte by byte: `/a/b` for `/A//%62/;x`. Of the root there is nothing to read.
struct LenientPath {
    /// No `%2f`, `%5c`, `;`, empty segment or the like so far: every backend finds the same segments.
    private(set) var isPlain = true
    /// The first thing that no reading can be made of.
    private(set) var detour: Detour?

    enum Detour {
        /// A segment is `.` or `..`, in whatever spelling.
        case dotSegment
        /// `//host/path` is how a URL without its scheme begins (RFC 3986 §4.2), and some backends read it as one.
        case emptyStart
        /// `/a;x%2fy/b` is `/a/b` to one and `/a/y/b` to the next.
        case slashInParameter
    }

    private var position = 0
    private var isFirstSegment = true
    /// Bytes of the segment so far, and how many of them are dots.
    private var nameBytes = 0
    private var dots = 0
    /// The slash in front of the segment was given out.
    private var hasSlash = false
    /// The rest of the segment is a parameter.
    private var isCut = false
    /// An escaped `?` or `#`: to some the path ends here.
    private var isOver = false

    /// The next byte, in lower case; nil at the end, from where on the properties are final. A slash is given out only
    /// in front of a segment that is not empty.
    ///
    /// - Parameter path: the same for each call. It begins with a slash.
    @inline(__always)
    mutating func next(in path: Span<UInt8>) -> UInt8? {
        while position < path.count {
            var byte = path[position]
            var end = position &+ 1
            let isEscaped = byte == UInt8(ascii: "%")
            if isEscaped { (byte, end) = decode(path) }
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "\\"):
                if isEscaped { isPlain = false }
                if isEscaped, isCut { take(.slashInParameter) }
                if position > 0 { endSegment(isLast: false) }
                position = end
            case UInt8(ascii: ";"):
                isPlain = false
                isCut = true
                position = end
            case UInt8(ascii: "?"), UInt8(ascii: "#"), 0:
                isPlain = false
                if isCut { take(.slashInParameter) }
                isCut = true
                isOver = true
                position = end
            case _ where isCut:
                position = end
            case _ where !hasSlash && !isOver:
                hasSlash = true
                return UInt8(ascii: "/")
            default:
                nameBytes &+= 1
                if byte == UInt8(ascii: ".") { dots &+= 1 }
                position = end
                if !isOver { return ASCII.lowercased(byte) }
            }
        }
        if path.count > 1 { endSegment(isLast: true) }
        return nil
    }

    private mutating func take(_ new: Detour) { detour = detour ?? new }

    private mutating func endSegment(isLast: Bool) {
        if nameBytes == 0 {
            if isFirstSegment { take(.emptyStart) }
            if !isLast { isPlain = false }
        } else if nameBytes == dots, dots <= 2 {
            take(.dotSegment)
        }
        isFirstSegment = false
        nameBytes = 0
        dots = 0
        hasSlash = false
        isCut = false
    }

    /// What stands at `position` once its escapes are decoded as often as anybody does, and where it ends.
    private mutating func decode(_ path: Span<UInt8>) -> (byte: UInt8, end: Int) {
        let once = Self.decoded(path, at: position, rounds: 1)
        let fully = Self.decoded(path, at: position, rounds: Self.decodingRoundsMax)
        if once.end != fully.end { isPlain = false }
        return fully
    }

    /// A gateway that decodes in front of an application that does makes two.
    private static let decodingRoundsMax = 3

    /// One character of what `rounds` passes of decoding leave of `path`; whatever is no escape stays as it is.
    private static func decoded(_ path: Span<UInt8>, at place: Int, rounds: Int) -> (byte: UInt8, end: Int) {
        guard rounds > 0, path[place] == UInt8(ascii: "%") else { return (path[place], place &+ 1) }
        let mark = decoded(path, at: place, rounds: rounds &- 1)
        guard mark.byte == UInt8(ascii: "%"), mark.end < path.count else { return mark }
        let high = decoded(path, at: mark.end, rounds: rounds &- 1)
        guard let highValue = ASCII.hexValue(high.byte), high.end < path.count else { return mark }
        let low = decoded(path, at: high.end, rounds: rounds &- 1)
        guard let lowValue = ASCII.hexValue(low.byte) else { return mark }
        return (highValue &<< 4 | lowValue, low.end)
    }
}

extension LenientPath {
    /// Whether `path` reads as `key`, or as something that goes on from there.
    static func begins(_ path: Span<UInt8>, with key: Span<UInt8>) -> Bool {
        var reading = LenientPath()
        for index in key.indices where reading.next(in: path) != key[index] { return false }
        return true
    }

    /// All that is to be read of a path.
    static func key(of path: Span<UInt8>) -> [UInt8] {
        var reading = LenientPath()
        var key: [UInt8] = []
        while let byte = reading.next(in: path) { key.append(byte) }
        return key
    }
}
