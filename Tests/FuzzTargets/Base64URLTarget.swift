// base64url: each bytes have one spelling and each spelling one meaning, by the count of bits alone.

import Bytes

extension FuzzTarget {
    static let base64URL = FuzzTarget(name: "base64url") { bytes throws(Violation) in
        // Any bytes can be spelled.
        let spelled = Base64URL.encode(bytes.span)
        try expect((try? Base64URL.decode(spelled.span)) == bytes, "it is not what its spelling decodes to")
        try expect(decodedByBits(spelled) == bytes, "its spelling means something else")

        // Some are a spelling.
        let theirs = decodedByBits(bytes)
        var reused = [UInt8](repeating: 0xEE, count: Int(bytes.first ?? 0))
        let error: Base64URLError?
        do throws(Base64URLError) {
            try Base64URL.decode(bytes.span, into: &reused)
            error = nil
        } catch let thrown {
            error = thrown
        }
        guard let theirs else {
            try expect(error != nil, "decoded, to \(reused)")
            if case .badCharacter(let offset) = error {
                try expect(value(of: bytes[offset]) == nil, "the character at \(offset) is a good one")
                try expect(bytes[..<offset].allSatisfy { value(of: $0) != nil }, "there is one before \(offset)")
            }
            return false
        }
        try expect(error == nil, "refused, though it spells \(theirs)")
        try expect(reused == theirs, "decoded to \(reused), not \(theirs)")
        try expect(Base64URL.decodedByteCount(bytes.count) == theirs.count, "foretold as another length")
        try expect(Base64URL.encode(theirs.span) == bytes, "what it means has another spelling")
        return true
    }
}

/// RFC 4648 §5, a bit at a time; nil where the text is not canonical.
private func decodedByBits(_ text: [UInt8]) -> [UInt8]? {
    var bits: [Bool] = []
    for character in text {
        guard let value = value(of: character) else { return nil }
        bits += (0..<6).reversed().map { value >> $0 & 1 == 1 }
    }
    let spare = bits.count % 8
    guard spare < 6, !bits.suffix(spare).contains(true) else { return nil }
    return stride(from: 0, to: bits.count - spare, by: 8).map { start in
        bits[start..<(start + 8)].reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
    }
}

private let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
private let valuesByCharacter = Dictionary(uniqueKeysWithValues: zip(alphabet, 0...))

private func value(of character: UInt8) -> Int? { valuesByCharacter[character] }
