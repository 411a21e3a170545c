// A parsed JSON text: its bytes and, beside them, a flat tape with one node a value or name, in document order.
//
// A tree of dictionaries and Strings would cost an allocation for each member of a token, most of which nobody asks
// for. The tape costs two for the whole document, and a string becomes a String only when it is read.
//
// Invariants, which JSONParser establishes and every reader relies on: a container's node is followed by the nodes of
// its content, `end` is the index after the last of them; in an object names (of kind string) and values alternate,
// and no two names are the same; offsets lie within the bytes; strings are valid UTF-8 and their escapes are whole.

internal import Bytes

/// One JSON text (RFC 8259), parsed strictly; it owns its bytes. A class, so that the many values that are read from it
/// share one reference.
///
/// Strict means: UTF-8 without a byte order mark, no duplicate member names at any level (RFC 8259 §4 leaves open
/// which one counts, and two readers that disagree are an attack), no lone surrogates, nothing after the value.
public final class JSONDocument: Sendable {
    /// The longest text that is parsed, unless the caller expects a longer one.
    public static let bytesMax = 1 << 20
    /// The deepest nesting of arrays and objects that is parsed; the outermost counts as 1.
    public static let depthMax = 32

    private let bytes: [UInt8]
    private let nodes: [JSONNode]

    /// What a parser found in `bytes`: one text, or several one behind the other, each with its root on the tape.
    init(_ bytes: [UInt8], nodes: [JSONNode]) {
        self.bytes = bytes
        self.nodes = nodes
    }

    /// Parses `bytes` and keeps them.
    ///
    /// - Parameter bytesMax: the longest text that is parsed, below 4 GiB.
    public convenience init(parsing bytes: [UInt8], bytesMax: Int = JSONDocument.bytesMax) throws(JSONError) {
        precondition(bytesMax <= UInt32.max, "the tape's offsets have 32 bits")
        // Refused before a place in them is told in 32 bits.
        if bytes.count > bytesMax { throw JSONError(kind: .tooLarge, offset: bytesMax) }
        var nodes: [JSONNode] = []
        try JSONParser.parse(bytes.span, at: ByteRange(bytes.indices), onto: &nodes)
        self.init(bytes, nodes: nodes)
    }

    /// Parses a copy of `bytes`.
    public convenience init(parsing bytes: Span<UInt8>) throws(JSONError) {
        // Refused before it is copied.
        if bytes.count > Self.bytesMax { throw JSONError(kind: .tooLarge, offset: Self.bytesMax) }
        try self.init(parsing: bytes.copied())
    }

    // A span over storage that this object holds and never changes lives as long as a borrow of the object; the
    // compiler does not derive that through a class's stored property, so these two say it.

    /// The bytes that the nodes' offsets count in.
    var text: Span<UInt8> {
        @_lifetime(borrow self) get {
            let bytes = bytes
            return unsafe _overrideLifetime(bytes.span, borrowing: self)
        }
    }

    var tape: Span<JSONNode> {
        @_lifetime(borrow self) get {
            let nodes = nodes
            return unsafe _overrideLifetime(nodes.span, borrowing: self)
        }
    }

    /// The outermost value.
    public var root: JSONValue { JSONValue(document: self, index: 0) }
}

/// Why a text is not the JSON we accept, and where, in bytes from its start.
public struct JSONError: Error, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// The text ends within a value, or holds none.
        case unexpectedEnd
        /// A byte that no grammar rule allows here.
        case unexpectedByte
        case byteOrderMark
        case invalidUTF8
        /// An escaped surrogate without its partner.
        case loneSurrogate
        case badEscape
        /// A byte below U+0020 within a string.
        case controlCharacter
        /// More levels than `JSONDocument.depthMax`.
        case tooDeep
        /// More bytes than the bound.
        case tooLarge
        /// An object with the same name twice, whatever its spelling.
        case duplicateMember
        /// Something other than white space behind the value.
        case trailingBytes
    }

    public let kind: Kind
    public let offset: Int

    public init(kind: Kind, offset: Int) {
        self.kind = kind
        self.offset = offset
    }
}

/// The kinds of JSON values.
public enum JSONKind: UInt8, Sendable, Equatable {
    case null
    case bool
    case number
    case string
    case array
    case object
}

/// One value or name on the tape: 16 bytes.
struct JSONNode: Sendable {
    /// First byte of a string's content, a number, a literal, or of a container's bracket.
    var offset: UInt32
    /// Bytes of a string's content or a number; elements or members of a container; for a bool 1 is true.
    var count: UInt32
    /// Index of the node behind this one and all its content.
    var end: UInt32
    var kind: JSONKind
    /// Whether a string has escapes.
    var isEscaped: Bool

    var range: Range<Int> { Int(offset)..<(Int(offset) + Int(count)) }
}
