// An issuer's last good keys as they lie in `state_dir`, so that a restart on a bad day does not begin without any.
//
//     antechamber keys 1 SHA-256 OF ALL THAT FOLLOWS THIS LINE, IN HEXADECIMAL
//     {"issuer":"https://issuer.example/","source":"https://issuer.example/jwks","fetched_at":1800000000}
//     the JWK set, byte for byte as it was fetched
//
// and, where the configuration named it, the `jwks_uri` in the second line.
//
// Whoever reads it believes it as if it had been fetched at that time, so it is taken whole or not at all. What it is for
// is in it, since its name is no proof: keys are never those of another issuer, nor come from where the operator no
// longer has them come from.

import Admission
import Bytes
import JOSE

struct StoredKeys: Equatable {
    /// The longest that the two lines in front of the keys may be.
    private static let headBytesMax = 16 * 1024
    /// The longest file that is read.
    static let bytesMax = headBytesMax + KeySet.bytesMax
    /// How far in the future a file may have been written: as far as clocks that are kept in step are off.
    static let futureSecondsMax: Int64 = 60

    private static let form = SealedFile(kind: "keys", version: "1")

    var issuer: String
    /// The `jwks_uri` of the configuration; nil: the issuer's metadata told.
    var configuredURL: String?
    /// Where they were fetched.
    var source: String
    /// By the wall clock, in seconds since 1970.
    var fetchedAt: Int64
    /// The JWK set.
    var document: [UInt8]

    /// One file an issuer, by a name that no issuer can choose.
    static func fileName(ofIssuer issuer: String) -> String { form.name(for: issuer) }

    /// The whole file.
    func encoded() -> [UInt8] {
        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        json.beginObject()
        json.member("issuer", issuer)
        json.member("jwks_uri", configuredURL)
        json.member("source", source)
        json.member("fetched_at", fetchedAt)
        json.endObject()
        buffer.append(ASCII.lf)
        return Self.form.encoded(buffer.readable.copied() + document)
    }

    /// What the bytes of a file hold, whomever it is for.
    init(parsing bytes: [UInt8]) throws(StoredKeysProblem) {
        let rest: [UInt8]
        do throws(SealedFileProblem) { rest = try Self.form.contents(of: bytes) } catch { throw .sealed(error) }
        guard let secondEnd = rest.prefix(Self.headBytesMax).firstIndex(of: ASCII.lf),
            let head = try? JSONDocument(parsing: Array(rest[..<secondEnd])).root,
            let issuer = head["issuer"]?.string, let source = head["source"]?.string,
            head["jwks_uri"].map({ $0.kind == .string }) ?? true, let fetchedAt = head["fetched_at"]?.integer
        else { throw .sealed(.damaged) }
        self.issuer = issuer
        self.source = source
        self.fetchedAt = fetchedAt
        configuredURL = head["jwks_uri"]?.string
        document = Array(rest[(secondEnd + 1)...])
    }

    init(issuer: String, configuredURL: String?, source: String, fetchedAt: Int64, document: [UInt8]) {
        self.issuer = issuer
        self.configuredURL = configuredURL
        self.source = source
        self.fetchedAt = fetchedAt
        self.document = document
    }

    /// The keys, where they are what this issuer's policy would have fetched and are still good at `unixSeconds`, and
    /// how long ago they were fetched. The wall clock is all there is to tell that, as no other one lives through a
    /// restart: where it was set back since, the keys' age is not known, and they are not taken.
    func keys(for policy: IssuerPolicy, at unixSeconds: Int64) throws(StoredKeysProblem) -> (KeySet, ageSeconds: Int64) {
        guard issuer.hasSameBytes(as: policy.identifier) else { throw .ofAnotherIssuer(issuer) }
        guard configuredURL.map({ Array($0.utf8) }) == policy.keys.configuredURL.map({ Array($0.utf8) }) else { throw .fromElsewhere(source) }
        let (age, isTooFar) = unixSeconds.subtractingReportingOverflow(fetchedAt)
        guard !isTooFar, age >= -Self.futureSecondsMax else { throw .fromTheFuture }
        guard age < policy.keys.maxStaleSeconds else { throw .tooOld(seconds: age) }
        do throws(KeySetError) {
            return (try KeySet(parsing: document.span), max(0, age))
        } catch {
            throw .unusable(error.reason)
        }
    }
}

extension KeyPolicy {
    /// The `jwks_uri` that was written down; nil: discovery, or a file alone.
    var configuredURL: String? {
        if case .uri(let url) = source { url } else { nil }
    }
}

/// Why stored keys are not taken.
enum StoredKeysProblem: Error, Equatable {
    case sealed(SealedFileProblem)
    case ofAnotherIssuer(String)
    /// From a place that the configuration does not name any more.
    case fromElsewhere(String)
    /// The clock was set back since they were fetched, or was ahead then.
    case fromTheFuture
    case tooOld(seconds: Int64)
    case unusable(String)

    var reason: String {
        switch self {
        case .sealed(let problem): problem.reason
        case .ofAnotherIssuer(let issuer): "they are those of another issuer, \(issuer.forLog)"
        case .fromElsewhere(let source): "they are from \(source.forLog), which the configuration no longer says"
        case .fromTheFuture: "they were fetched later than it is now, so the clock was set"
        case .tooOld(let seconds): "they were fetched \(seconds) s ago, which is beyond jwks_max_stale"
        case .unusable(let reason): reason
        }
    }
}
