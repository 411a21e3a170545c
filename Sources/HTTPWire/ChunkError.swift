/// Why a chunked body is refused. Nothing after the error can be trusted to be a message boundary: the connection
/// closes.
public struct ChunkError: Error, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// Breaks the grammar of RFC 9112 §7.1.
        case malformed
        /// Chunk extensions beyond their cap, of one chunk or of all.
        case extensionsTooLarge
        /// A trailer section beyond its cap of bytes or fields.
        case trailersTooLarge
    }

    public var kind: Kind
    /// What was wrong: a constant text that holds nothing the peer sent.
    public var detail: String

    public init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}
