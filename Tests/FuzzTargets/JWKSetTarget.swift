// A JWK set: every key that is kept can be used and says so itself, every entry that is skipped has its reason, and skipped
// entries change nothing of the others.

import JOSE

extension FuzzTarget {
    static let jwkSet = FuzzTarget(name: "jwk-set") { bytes throws(Violation) in
        let entries = StrictJSON.read(bytes)?.member("keys")?.elements
        guard let set = try? KeySet(parsing: bytes.span) else { return false }
        guard let entries else { throw Violation(description: "accepted, and it is no JWK set") }
        let looked = min(entries.count, KeySet.entriesMax)
        let places = set.skipped.map(\.index)
        try expect(places == places.sorted() && Set(places).count == places.count, "skipped out of order: \(places)")
        try expect(places.allSatisfy { $0 < looked }, "skipped without being there")
        let kept = (0..<looked).filter { !places.contains($0) }.map { entries[$0] }
        try expect(kept.count == set.keys.count && !kept.isEmpty, "\(set.keys.count) keys of \(kept.count) entries")
        try expect(kept.count <= KeySet.keysMax, "more keys than there may be")
        for (entry, key) in zip(kept, set.keys) { try checkKept(key, entry, in: set) }
        for skipped in set.skipped { try checkSkipped(skipped, entries[skipped.index], isFull: kept.count == KeySet.keysMax) }

        // Without those that are skipped it is the same set.
        let alone = StrictJSON.object([.init(name: Array("keys".unicodeScalars), value: .array(kept))]).rewritten
        guard let again = try? KeySet(parsing: Array(alone.utf8).span) else {
            throw Violation(description: "refused once what is skipped is gone: \(alone)")
        }
        try expect(again.skipped.isEmpty, "skipped once others are gone: \(again.skipped)")
        try expect(again.keys.map(\.thumbprint) == set.keys.map(\.thumbprint), "other keys once others are gone")
        return true
    }
}

private func checkKept(_ key: Key, _ entry: StrictJSON, in set: KeySet) throws(Violation) {
    let fitting = SignatureAlgorithm.allCases.filter { key.fits($0) }
    try expect(!fitting.isEmpty, "a key that fits no algorithm: \(entry.rewritten)")
    try expect(set.contains(key.thumbprint), "a key that the set does not know: \(entry.rewritten)")
    let isKind = ["RSA", "EC", "OKP"].contains(entry.member("kty")?.text)
    try expect(isKind, "a kty that is none: \(entry.rewritten)")
    try expect(entry.member("d") == nil, "a private key: \(entry.rewritten)")
    try expect(entry.member("use") == nil || entry.member("use")?.text == "sig", "not for signatures: \(entry.rewritten)")
    let operations = entry.member("key_ops")?.elements
    try expect(
        entry.member("key_ops") == nil || operations?.contains { $0.text == "verify" } == true,
        "not for verifying: \(entry.rewritten)")
    try expect(isSame(key.keyID, entry.member("kid")), "another key ID: \(entry.rewritten)")
    let alg = entry.member("alg")
    try expect(isSame(key.algorithm?.rawValue, alg) && (alg == nil || fitting.count == 1), "another alg: \(entry.rewritten)")
    if case .rsa(let bits) = key.type { try expect((2048...8192).contains(bits), "an RSA key of \(bits) bits") }
    for algorithm in fitting {
        switch set.selectKey(algorithm: algorithm, keyID: key.keyID) {
        case .key(let chosen): try expect(chosen.fits(algorithm), "a key that does not fit is chosen")
        // Without a key ID, or with one that is given twice, others may fit as well.
        case .ambiguous(let count): try expect(count > 1, "ambiguous among \(count)")
        case .unknown, .unfit: throw Violation(description: "a key that cannot be chosen: \(entry.rewritten)")
        }
    }
}

private func checkSkipped(_ skipped: SkippedKey, _ entry: StrictJSON, isFull: Bool) throws(Violation) {
    switch skipped.reason {
    case .notAnObject: try expect(!entry.isObject, "an object: \(entry.rewritten)")
    case .missingMember(let name): try expect(entry.member(name) == nil, "\(name) is there: \(entry.rewritten)")
    case .badMember(let name): try expect(entry.member(name) != nil, "no \(name): \(entry.rewritten)")
    case .symmetric: try expect(entry.member("kty")?.text == "oct", "no shared secret: \(entry.rewritten)")
    case .privateKey: try expect(entry.member("d") != nil, "no private half: \(entry.rewritten)")
    case .tooManyKeys: try expect(isFull, "there is room: \(entry.rewritten)")
    default: try expect(entry.isObject, "no object: \(entry.rewritten)")
    }
    // What names a key that is of no use is known, so that a token with it causes no fetch.
    if let name = entry.member("kid")?.text, name.utf8.count <= UnverifiedToken.keyIDBytesMax {
        try expect(skipped.keyID.map { Array($0.utf8) } == Array(name.utf8), "its key ID is lost: \(entry.rewritten)")
    }
}

private func isSame(_ text: String?, _ member: StrictJSON?) -> Bool {
    guard let text else { return member == nil }
    return member == .string(Array(text.unicodeScalars))
}
