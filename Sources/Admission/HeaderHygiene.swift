// Which field names a client may never send through.
//
// Backends fold names: CGI, WSGI and many frameworks see `X_Auth_Subject`, `x-auth-subject` and `X.Auth.Subject`
// as one variable. So two names are the same here when their letters and digits are, in any case; a client's
// field goes when it folds into a reserved prefix, or into a name that we set ourselves.

internal import Bytes
internal import HTTPWire

/// The rule for field names, compiled once for a policy.
public struct HeaderHygiene: Sendable {
    private struct Pattern {
        var folded: [UInt8]
        var isPrefix: Bool
    }

    private let patterns: [Pattern]
    /// The letters and digits that some pattern starts with, as a bit each: most names end the question here.
    private let firstCharacters: UInt64

    /// Folds the policy's reserved prefixes, and the names that this proxy sets.
    ///
    /// A prefix without a letter or digit would fold into nothing and reserve every name: the configuration refuses it.
    public init(policy: AdmissionPolicy) {
        var patterns: [Pattern] = []
        for prefix in policy.reservedHeaderPrefixes {
            let folded = Self.fold(prefix)
            precondition(!folded.isEmpty, "a reserved prefix has no letter or digit")
            patterns.append(Pattern(folded: folded, isPrefix: true))
        }
        // X-Forwarded-For, -Proto and -Host are ours to say; -Port, -Prefix and the rest say the same kind of
        // thing, and nobody in front of us is trusted yet.
        patterns.append(Pattern(folded: Self.fold("X-Forwarded-"), isPrefix: true))
        // What traces and request IDs a stranger sends would be taken for our own.
        for name in ["Forwarded", "X-Request-Id", "traceparent", "tracestate"] + Identity.fieldNames {
            patterns.append(Pattern(folded: Self.fold(name), isPrefix: false))
        }
        self.patterns = patterns
        firstCharacters = patterns.reduce(0) { $0 | Self.bit(of: $1.folded[0]) }
    }

    /// Whether a client's field of this name is dropped.
    public func isReserved(_ name: Span<UInt8>) -> Bool {
        var start = 0
        while start < name.count, !ASCII.isAlphanumeric(name[start]) { start &+= 1 }
        guard start < name.count else { return false }
        guard firstCharacters & Self.bit(of: ASCII.lowercased(name[start])) != 0 else { return false }
        for index in patterns.indices where Self.matches(name, from: start, patterns[index]) { return true }
        return false
    }

    private static func matches(_ name: Span<UInt8>, from start: Int, _ pattern: borrowing Pattern) -> Bool {
        var matched = 0
        var index = start
        while index < name.count {
            let byte = name[index]
            index &+= 1
            guard ASCII.isAlphanumeric(byte) else { continue }
            if matched == pattern.folded.count { return pattern.isPrefix }
            guard ASCII.lowercased(byte) == pattern.folded[matched] else { return false }
            matched &+= 1
        }
        return matched == pattern.folded.count
    }

    /// What a name comes to where case and punctuation count for nothing: its letters and digits, in lower case.
    public static func fold(_ name: String) -> [UInt8] {
        name.utf8.filter(ASCII.isAlphanumeric).map(ASCII.lowercased)
    }

    /// Letters take the bits 33…58; digits share bits with p…y, which costs a second look and no more.
    private static func bit(of character: UInt8) -> UInt64 {
        1 &<< UInt64(character & 63)
    }
}
