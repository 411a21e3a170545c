/// base64url without padding (RFC 4648 §5, RFC 7515 §2).
public enum Base64URL {
    public static func encode(_ bytes: Span<UInt8>) -> [UInt8] { fatalError() }
    public static func decode(_ text: Span<UInt8>) throws(Base64URLError) -> [UInt8] { fatalError() }
    public static func decode(_ text: Span<UInt8>, into bytes: inout [UInt8]) throws(Base64URLError) { fatalError() }
}

public enum Base64URLError: Error, Sendable, Equatable {
    case badLength
    case badCharacter(offset: Int)
    case nonCanonical
}
