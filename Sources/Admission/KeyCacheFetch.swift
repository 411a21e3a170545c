// What the key cache asks for, and what it can be answered: the reading of one answer, without any state.

internal import Bytes
public import JOSE

/// One thing to be fetched or read for an issuer.
public struct KeyFetch: Sendable, Equatable {
    public enum Source: Sendable, Equatable, CustomStringConvertible {
        /// The issuer's metadata: to be answered with where its keys are.
        case metadata(HTTPURL)
        case keys(HTTPURL)
        /// A JWK set or keys in PEM on disk.
        case file(String)
        /// What was stored of the issuer's keys before a restart: to be answered with `stored`.
        case stored
        /// A shared secret on disk.
        case secret(String)

        /// The URL or the path, or what else it is.
        public var description: String {
            switch self {
            case .metadata(let url), .keys(let url): url.description
            case .file(let path), .secret(let path): path
            case .stored: "state_dir"
            }
        }
    }

    /// Tells this fetch from every other of its cache: an answer to an older one is ignored.
    public var id: UInt64
    public var source: Source
    /// Monotonic nanoseconds: what is not there by then counts as failed.
    public var deadline: Int64

    public init(id: UInt64, source: Source, deadline: Int64) {
        self.id = id
        self.source = source
        self.deadline = deadline
    }
}

/// What a fetch came to.
public enum KeyFetchResult: Sendable {
    case metadata(keysURL: HTTPURL)
    /// `maxAgeSeconds` is for how much longer the server calls its answer fresh; nil where it does not say.
    case keys(KeySet, maxAgeSeconds: Int64?)
    /// Keys that were fetched so long ago, by the wall clock.
    case stored(KeySet, ageSeconds: Int64)
    case failed(KeyFetchFailure)
}

/// Why a fetch gave nothing, and what that says of the next one.
public struct KeyFetchFailure: Error, Sendable, Equatable {
    /// For a log; the same text whenever the same thing goes wrong.
    public var reason: String
    /// The server answered, just not with what was wanted: it may have that elsewhere.
    public var mayBeElsewhere: Bool
    /// How long the server asks to be left alone.
    public var retryAfterSeconds: Int64?

    public init(reason: String, mayBeElsewhere: Bool = false, retryAfterSeconds: Int64? = nil) {
        self.reason = reason
        self.mayBeElsewhere = mayBeElsewhere
        self.retryAfterSeconds = retryAfterSeconds
    }
}

/// A whole HTTP response, as far as it matters here; field values are nil where the field is missing.
public struct KeyResponse: Sendable {
    public var status: Int
    public var body: [UInt8]
    public var contentType: String?
    public var cacheControl: String?
    public var age: String?
    public var retryAfter: String?

    public init(
        status: Int, body: [UInt8], contentType: String? = nil, cacheControl: String? = nil, age: String? = nil,
        retryAfter: String? = nil
    ) {
        self.status = status
        self.body = body
        self.contentType = contentType
        self.cacheControl = cacheControl
        self.age = age
        self.retryAfter = retryAfter
    }

    /// Reads this as the answer to a fetch of `issuer`'s metadata.
    public func asMetadata(ofIssuer issuer: String) -> KeyFetchResult {
        if let failure = statusFailure { return .failed(failure) }
        do throws(DiscoveryError) {
            return .metadata(keysURL: try Discovery.keysURL(inMetadata: body, ofIssuer: issuer))
        } catch {
            // Sites answer unknown paths with a page of theirs: only that, or nothing, is worth a second place.
            if case .notJSON = error { return .failed(KeyFetchFailure(reason: error.reason + webPage, mayBeElsewhere: true)) }
            return .failed(KeyFetchFailure(reason: error.reason))
        }
    }

    /// Reads this as a JWK set.
    public func asKeys() -> KeyFetchResult {
        if let failure = statusFailure { return .failed(failure) }
        do throws(KeySetError) {
            let keys = try KeySet(parsing: body.span)
            return .keys(keys, maxAgeSeconds: KeyResponse.maxAgeSeconds(cacheControl: cacheControl, age: age))
        } catch {
            if case .badJSON(let json) = error, json.kind != .duplicateMember {
                return .failed(KeyFetchFailure(reason: error.reason + webPage))
            }
            return .failed(KeyFetchFailure(reason: error.reason))
        }
    }

    /// `max-age` less the time the answer has spent in caches (RFC 9111 §4.2); nil without a `max-age`.
    static func maxAgeSeconds(cacheControl: String?, age: String?) -> Int64? {
        for directive in (cacheControl ?? "").split(separator: ",") {
            let parts = directive.split(separator: "=", maxSplits: 1).map { $0.filter { !" \t\"".contains($0) } }
            if parts.count == 2, parts[0].lowercased() == "max-age", let seconds = decimal(parts[1]) {
                return max(0, seconds - (age.flatMap(decimal) ?? 0))
            }
        }
        return nil
    }

    private var statusFailure: KeyFetchFailure? {
        if status == 200 { return nil }
        return KeyFetchFailure(
            reason: "the server answered \(status)", mayBeElsewhere: true,
            retryAfterSeconds: retryAfter.flatMap(KeyResponse.decimal))
    }

    /// What follows "not JSON", where the server says what it is instead.
    private var webPage: String {
        contentType?.lowercased().hasPrefix("text/html") == true ? " but a web page" : ""
    }

    /// delta-seconds (RFC 9111 §1.2.2), held to what no sum here can overflow.
    private static func decimal(_ text: String) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return min(Int64(text) ?? .max, Int64(Int32.max))
    }
}

extension KeySetError {
    /// For a log.
    public var reason: String {
        switch self {
        case .tooLarge: "the key set is larger than \(KeySet.bytesMax) bytes"
        case .badJSON(let error) where error.kind == .duplicateMember: "the key set has a member twice"
        case .badJSON: "the key set is not JSON"
        case .badPEM: "a PEM block has no end or is not base64"
        case .notAKeySet: "this is no JWK set: it has no array \"keys\""
        case .noUsableKey(let skipped) where skipped.isEmpty: "the key set is empty"
        case .noUsableKey(let skipped): "none of the \(skipped.count) keys can be used: \(skipped.summary)"
        }
    }
}

extension [SkippedKey] {
    /// The first few with their reasons.
    public var summary: String {
        let shown = prefix(5).map { key in
            "\(key.keyID.map { "kid \($0.forLog)" } ?? "number \(key.index + 1)"): \(key.reason.reason)"
        }
        return shown.joined(separator: "; ") + (count > 5 ? "; …" : "")
    }
}

extension UnusableKey {
    /// For a log.
    public var reason: String {
        switch self {
        case .notAnObject: "no JSON object"
        case .missingMember(let name): "no \(name)"
        case .badMember(let name): "\(name) is malformed"
        case .unsupportedKeyType: "unknown key type"
        case .symmetric: "a shared secret, which has no place in a key set"
        case .unsupportedCurve: "unknown curve"
        case .rsaTooSmall(let bits): "RSA modulus of \(bits) bits is too short"
        case .rsaTooLarge(let bits): "RSA modulus of \(bits) bits is too long"
        case .badRSANumber: "exponent or modulus is none that RSA has"
        case .notOnCurve: "the point is not on its curve"
        case .smallOrder: "the point is of small order, so that anything would be signed by it"
        case .notForSignatures: "not for signatures"
        case .privateKey: "the private half is published"
        case .badBlock: "the PEM block is not what it says it is"
        case .unsupportedAlgorithm: "its alg is not supported"
        case .algorithmMismatch: "its alg does not go with its type"
        case .tooManyKeys: "more than \(KeySet.keysMax) keys"
        case .refusedByOpenSSL: "refused by OpenSSL"
        }
    }
}

extension String {
    /// Bounded, and without anything that could end a log line or drive a terminal.
    public var forLog: String {
        let shown = unicodeScalars.prefix(200).map { $0.value >= 0x20 && $0.value < 0x7F ? Character($0) : "?" }
        return String(shown) + (unicodeScalars.count > 200 ? "…" : "")
    }
}
