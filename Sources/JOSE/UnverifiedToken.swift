// A compact JWS, taken apart. Everything here is structure: nothing a token says is believed before SignatureVerifier
// has checked it, and the only part of the claims that can be read before then is `iss`, which chooses whose keys to
// check it with.

public import Bytes

/// A compact JWS (RFC 7515 §3.1) whose claims are a JSON object (RFC 7519 §7.2), structurally sound and unverified.
///
/// It owns a copy of its parts, so what is verified later is what was parsed, whatever became of the buffer it came
/// from. `jwk`, `jku`, `x5u` and `x5c` in its header are not looked at: a token does not choose its own key.
public final class UnverifiedToken: Sendable {
    /// The longest token that is parsed, in bytes.
    public static let bytesMax = 16_384
    /// The longest `kid` that is taken, in bytes of UTF-8.
    public static let keyIDBytesMax = 512

    /// The algorithm, where `alg` names one that we know; `none` and the like are not among them.
    public let algorithm: SignatureAlgorithm?
    /// `alg`: a string.
    private let algorithmValue: JSONValue
    /// `kid`: a string.
    let keyIDValue: JSONValue?
    /// `typ` as written.
    public let type: String?

    /// An object.
    let claims: JSONValue
    /// The token's parts: the header and the payload as they were encoded, with the dot between them, and behind that
    /// the three parts decoded. One array, as there is one for each token that comes.
    let parts: JSONDocument
    /// What was signed (RFC 7515 §5.2, step 8).
    let signingInputPlace: ByteRange
    let signaturePlace: ByteRange

    public init(parsing bytes: Span<UInt8>) throws(TokenSyntaxError) {
        if bytes.count > Self.bytesMax { throw .tooLarge }
        let dots = try Self.findDots(bytes)
        var parts: [UInt8] = []
        // Decoding takes place in what is decoded.
        parts.reserveCapacity(dots.second + bytes.count)
        parts.append(copying: bytes.extracting(0..<dots.second))
        signingInputPlace = ByteRange(parts.indices)
        let headerPlace = try Self.decode(.header, bytes.extracting(0..<dots.first), appendingTo: &parts)
        let claimsPlace = try Self.decode(.payload, bytes.extracting((dots.first + 1)..<dots.second), appendingTo: &parts)
        signaturePlace = try Self.decode(.signature, bytes.extracting((dots.second + 1)..<bytes.count), appendingTo: &parts)
        var nodes: [JSONNode] = []
        try Self.parseObject(.header, parts.span, headerPlace, onto: &nodes)
        let claimsIndex = nodes.count
        try Self.parseObject(.payload, parts.span, claimsPlace, onto: &nodes)
        let document = JSONDocument(parts, nodes: nodes)
        (algorithmValue, keyIDValue, type) = try Self.checkHeader(JSONValue(document: document, index: 0))
        algorithm = SignatureAlgorithm(name: algorithmValue)
        claims = JSONValue(document: document, index: claimsIndex)
        self.parts = document
    }

    /// `alg` as written.
    public var algorithmName: String { algorithmValue.string ?? "" }

    public var keyID: String? { keyIDValue?.string }

    /// `iss`, if it is a string. May be used only to choose the policy to verify with.
    public var unverifiedIssuer: String? { claims["iss"]?.string }

    /// Whether `iss` is this string, byte for byte. To choose the policy to verify with likewise.
    public func hasUnverifiedIssuer(_ issuer: String) -> Bool { claims["iss"]?.isString(issuer) ?? false }

    /// The two dots of a compact JWS. All are counted, in one pass that keeps nothing, so that the caller can be told
    /// what it sent instead.
    private static func findDots(
        _ bytes: Span<UInt8>
    ) throws(TokenSyntaxError) -> (first: Int, second: Int) {
        if !bytes.isEmpty, bytes[0] == UInt8(ascii: "{") { throw .jsonSerialization }
        var count = 0
        var first = 0
        var second = 0
        var start = 0
        while let dot = bytes.firstIndex(of: UInt8(ascii: "."), from: start) {
            if count == 0 { first = dot }
            if count == 1 { second = dot }
            count += 1
            start = dot + 1
        }
        switch count {
        case 0: throw .opaque
        case 2: return (first, second)
        case 4: throw .encrypted
        default: throw .wrongPartCount(count + 1)
        }
    }

    private static func checkHeader(
        _ header: JSONValue
    ) throws(TokenSyntaxError) -> (algorithm: JSONValue, keyID: JSONValue?, type: String?) {
        guard let algorithm = header["alg"] else { throw .missingAlgorithm }
        guard algorithm.kind == .string else { throw .badAlgorithm }
        // RFC 7515 §4.1.11: whoever does not understand all that `crit` names must refuse; we understand none, and a
        // list that is empty or no list is not allowed either.
        if header["crit"] != nil { throw .criticalExtension }
        // RFC 7797 §7 forbids `b64` in a JWT.
        if let encoded = header["b64"], encoded.bool != true { throw .unencodedPayload }
        let keyID = header["kid"]
        if let keyID {
            guard let length = keyID.withText({ $0.count }), length <= keyIDBytesMax else { throw .badKeyID }
        }
        var type: String?
        if let member = header["typ"] {
            guard let text = member.string else { throw .badType }
            type = text
        }
        return (algorithm, keyID, type)
    }

    private static func parseObject(
        _ part: TokenPart, _ parts: Span<UInt8>, _ place: ByteRange, onto nodes: inout [JSONNode]
    ) throws(TokenSyntaxError) {
        let root = nodes.count
        do { try JSONParser.parse(parts, at: place, onto: &nodes) } catch { throw .badJSON(part, error) }
        if nodes[root].kind != .object { throw .notAnObject(part) }
    }

    /// Returns the place of what the part spells.
    private static func decode(
        _ part: TokenPart, _ text: Span<UInt8>, appendingTo parts: inout [UInt8]
    ) throws(TokenSyntaxError) -> ByteRange {
        let start = parts.count
        do { try Base64URL.decode(text, appendingTo: &parts) } catch { throw .badBase64(part, error) }
        return ByteRange(start..<parts.count)
    }
}

/// A part of a compact JWS.
public enum TokenPart: Sendable, Equatable {
    case header
    case payload
    case signature
}

/// Why bytes are not a token that we could verify; precise, so that the caller can be told what it sent instead.
public enum TokenSyntaxError: Error, Sendable, Equatable {
    /// More than `UnverifiedToken.bytesMax` bytes.
    case tooLarge
    /// Not a dot in it: an opaque token, such as an issuer hands out when no audience was asked for.
    case opaque
    /// The JSON serialisation of a JWS or a JWE (RFC 7515 §7.2).
    case jsonSerialization
    /// Five parts: a JWE (RFC 7516 §3.1).
    case encrypted
    /// So many parts, where a JWS has three.
    case wrongPartCount(Int)
    case badBase64(TokenPart, Base64URLError)
    case badJSON(TokenPart, JSONError)
    /// JSON, but no object.
    case notAnObject(TokenPart)
    case missingAlgorithm
    /// `alg` is no string.
    case badAlgorithm
    /// `kid` is no string, or longer than `UnverifiedToken.keyIDBytesMax`.
    case badKeyID
    /// `typ` is no string.
    case badType
    /// A `crit` header (RFC 7515 §4.1.11).
    case criticalExtension
    /// `b64` with another value than true (RFC 7797).
    case unencodedPayload
}
