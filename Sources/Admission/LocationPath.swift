// The path of a `location`, as the operator writes it: plain, so that it can be compared with requests byte for byte.

internal import Bytes

/// What `location [=] PATH` says: one path, or a path with all that lies beneath it.
public struct LocationPath: Sendable, Hashable {
    /// The longest path that can be written, in bytes.
    public static let bytesMax = 1024

    /// Begins with a slash. One at the end counts where the path is exact, and is left out where it is not: there the
    /// root is empty.
    let text: String
    /// This path alone, and nothing beneath it.
    public let isExact: Bool

    /// Reads a path strictly: of characters that stand for themselves in a request, and without a part that a backend
    /// could read in another way.
    public init(parsing text: String, isExact: Bool) throws(LocationPathError) {
        guard text.utf8.first == UInt8(ascii: "/") else { throw .notAPath }
        guard text.utf8.count <= Self.bytesMax else { throw .tooLong }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "%"): throw .escaped
            case UInt8(ascii: "?"), UInt8(ascii: "#"): throw .query
            case UInt8(ascii: ";"): throw .parameter
            case _ where !Self.standsForItself(byte): throw .oddCharacter
            default: break
            }
        }
        // The first part is empty in front of the first slash, and the last one behind a slash at the end.
        let segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for segment in segments where segment == "." || segment == ".." { throw .dotSegment }
        if segments.dropLast().contains("") { throw .emptySegment }
        self.text = isExact || !text.hasSuffix("/") ? text : String(text.dropLast())
        self.isExact = isExact
    }

    /// pchar of RFC 3986 §3.3 and the slash, without escapes and the semicolon.
    private static func standsForItself(_ byte: UInt8) -> Bool {
        ASCII.isAlphanumeric(byte) || "/-._~!$&'()*+,=:@".utf8.contains(byte)
    }
}

extension LocationPath {
    /// What the most lenient backend reads it as, and what kind it is: where this is the same for two, only their
    /// spelling tells them apart.
    public var lenientReading: String {
        (isExact ? "= " : "") + String(decoding: LenientPath.key(of: Array(text.utf8).span), as: UTF8.self)
    }
}

extension LocationPath: CustomStringConvertible {
    /// As an operator would write it: `/api`, `= /health`.
    public var description: String { isExact ? "= \(text)" : text.isEmpty ? "/" : text }
}

/// Why a text is no path of a location.
public enum LocationPathError: Error, Sendable {
    case notAPath, tooLong, escaped, query, parameter, oddCharacter, dotSegment, emptySegment

    /// Goes on where a sentence has named the path.
    public var reason: String {
        switch self {
        case .notAPath: "does not begin with a slash"
        case .tooLong: "is longer than \(LocationPath.bytesMax) bytes"
        case .escaped:
            "needs decoding: requests can spell it in several ways, and a backend may read each as it likes; name a "
                + "path of plain characters"
        case .query: "has a query or fragment; a location is chosen by the path alone"
        case .parameter: "has a ';', behind which some backends do not read on"
        case .oddCharacter: "has a character that never stands in a request's path as it is"
        case .dotSegment: "has a segment '.' or '..'"
        case .emptySegment: "has an empty segment ('//')"
        }
    }
}
