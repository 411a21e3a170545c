// A compact JWS: taken exactly where the rules written out here take it, and read as they read it. What is taken has one
// spelling: nothing put at any of its seams leaves it a token.

import Bytes
import JOSE

extension FuzzTarget {
    static let jws = FuzzTarget(name: "jws") { bytes throws(Violation) in
        let theirs = Reading(bytes)
        let ours = Reading(parsing: bytes)
        try expect(ours == theirs, "read as \(ours.map { "\($0)" } ?? "none"), not \(theirs.map { "\($0)" } ?? "none")")
        try expect(Reading(parsing: bytes) == ours, "read another way the second time")
        guard ours != nil else { return false }

        let dots = bytes.indices.filter { bytes[$0] == UInt8(ascii: ".") }
        for seam in [0, dots[0], dots[0] + 1, dots[1], dots[1] + 1, bytes.count] {
            for addition: Character in ["=", " ", "\n", ".", "\u{0}"] {
                var changed = bytes
                changed.insert(contentsOf: String(addition).utf8, at: seam)
                try expect(Reading(parsing: changed) == nil, "still a token with \(addition.debugDescription) at \(seam)")
            }
        }
        return true
    }
}

/// What a token says of itself before its signature is checked.
private struct Reading: Equatable {
    var algorithm: [UInt8]
    var keyID: [UInt8]?
    var type: [UInt8]?
    var issuer: [UInt8]?

    /// By the proxy.
    init?(parsing bytes: [UInt8]) {
        guard let token = try? UnverifiedToken(parsing: bytes.span) else { return nil }
        algorithm = Array(token.algorithmName.utf8)
        keyID = token.keyID.map { Array($0.utf8) }
        type = token.type.map { Array($0.utf8) }
        issuer = token.unverifiedIssuer.map { Array($0.utf8) }
    }

    /// By RFC 7515 §7.1, RFC 7519 §7.2 and RFC 7797 §7, and the bounds that are promised.
    init?(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard bytes.count <= 16_384, parts.count == 3, let header = Self.object(parts[0]),
            let claims = Self.object(parts[1]), Self.decoded(parts[2]) != nil,
            let name = header.member("alg")?.text, header.member("crit") == nil,
            header.member("b64") ?? .bool(true) == .bool(true)
        else { return nil }
        for optional in ["kid", "typ"] {
            if let member = header.member(optional), member.text == nil { return nil }
        }
        algorithm = Array(name.utf8)
        keyID = header.member("kid")?.text.map { Array($0.utf8) }
        if keyID?.count ?? 0 > 512 { return nil }
        type = header.member("typ")?.text.map { Array($0.utf8) }
        issuer = claims.member("iss")?.text.map { Array($0.utf8) }
    }

    private static func object(_ part: ArraySlice<UInt8>) -> StrictJSON? {
        guard let bytes = decoded(part), let value = StrictJSON.read(bytes), value.isObject else { return nil }
        return value
    }

    /// Base64URL has a target of its own.
    private static func decoded(_ part: ArraySlice<UInt8>) -> [UInt8]? {
        try? Base64URL.decode(Array(part).span)
    }
}
