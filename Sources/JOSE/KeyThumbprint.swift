internal import Bytes
internal import OpenSSLKit

/// The SHA-256 thumbprint of RFC 7638: what a key is, whatever it is called. Two keys are the same exactly if their
/// thumbprints are.
public struct KeyThumbprint: Sendable, Hashable, CustomStringConvertible {
    /// The digest, big-endian.
    private let words: InlineWords

    /// Hashes the canonical JWK: only the required members, names in lexicographic order, no white space (RFC 7638
    /// §3.2). `members` has them in that order, values as they stand between the quotes.
    init(of members: [(name: String, value: String)]) throws(OpenSSLError) {
        let json = "{" + members.map { "\"\($0.name)\":\"\($0.value)\"" }.joined(separator: ",") + "}"
        words = InlineWords(try digest(Array(json.utf8).span, with: .sha256))
    }

    /// The 43 base64url characters that the RFC's examples show.
    public var description: String { Base64URL.encode(words.bytes.span).span.text() }
}

/// Thirty-two bytes without an allocation, to be copied and compared as they are.
private struct InlineWords: Sendable, Hashable {
    private var a: UInt64 = 0
    private var b: UInt64 = 0
    private var c: UInt64 = 0
    private var d: UInt64 = 0

    init(_ bytes: [UInt8]) {
        precondition(bytes.count == 32)
        func word(_ index: Int) -> UInt64 { bytes[index..<(index + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
        (a, b, c, d) = (word(0), word(8), word(16), word(24))
    }

    var bytes: [UInt8] {
        [a, b, c, d].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }
}
