// What a token costs that is not remembered, beside what OpenSSL alone takes for its signature, in one process.
//
//   TokenBench KEY-SET PUBLIC-KEY TOKENS ISSUER AUDIENCE ROUNDS
//
// KEY-SET is a JWK set, PUBLIC-KEY the same key as PEM, TOKENS has an RS256 token a line. In batches that take turns,
// so that a slow spell of the machine falls on all, it measures the CPU time of
//
//   bare     EVP_PKEY_verify of a ready digest in a ready context: what `openssl speed rsa2048` counts
//   hashed   the same with the hash of the signed bytes before it
//   path     Authenticator.decide: find the token, parse it, JSON, choose issuer and key, verify, claims, identity
//   forged   the same for the token with another's signature, up to its refusal
//   few, many
//            RouteTable.place: a request's location among 10, and among 1,000
//
// and prints nanoseconds for one token, a figure a round, as JSON. A verdict that is not the expected one ends it.

import Admission
import Bytes
import COpenSSL
import Foundation
import HTTPWire
import JOSE

/// What is measured of one token, prepared.
struct Specimen {
    var request: Request
    var forgery: Request
    var signingInput: [UInt8]
    var digest: [UInt8]
    var signature: [UInt8]

    /// - Parameter other: a token whose signature the forgery gets.
    init(_ token: Substring, other: Substring) throws {
        let end = token.lastIndex(of: ".") ?? token.endIndex
        signingInput = Array(token[..<end].utf8)
        signature = try Base64URL.decode(Array(token[end...].dropFirst().utf8).span)
        digest = sha256(signingInput)
        let foreign = other[(other.lastIndex(of: ".") ?? other.endIndex)...]
        request = try Request(token: String(token))
        forgery = try Request(token: String(token[..<end] + foreign))
    }
}

/// A request's head with a token, parsed.
struct Request {
    let bytes: [UInt8]
    let head: RequestHead

    init(token: String = "-", target: String = "/") throws {
        let request = Array(
            "GET \(target) HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer \(token)\r\n\r\n".utf8)
        var parser = RequestHeadParser(headBytesMax: 32_768)
        guard try parser.parse(request.span) else { fail("a request is not complete") }
        bytes = request
        head = parser.head
    }
}

/// OpenSSL's own verification, set up once.
@safe
final class BareVerifier {
    private let context: OpaquePointer

    init(pem: [UInt8]) {
        let key = unsafe pem.withUnsafeBytes { pem in
            unsafe PEM_read_bio_PUBKEY(BIO_new_mem_buf(pem.baseAddress, CInt(pem.count)), nil, nil, nil)
        }
        guard let made = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil), unsafe EVP_PKEY_verify_init(made) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_padding(made, RSA_PKCS1_PADDING) == 1,
            unsafe EVP_PKEY_CTX_set_signature_md(made, EVP_sha256()) == 1
        else { fail("OpenSSL does not take the public key") }
        unsafe context = unsafe made
    }

    func isValid(_ signature: [UInt8], for digest: [UInt8]) -> Bool {
        unsafe EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1
    }
}

func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    unsafe SHA256(bytes, bytes.count, &digest)
    return digest
}

/// CPU time of this thread, in nanoseconds.
func threadNanoseconds() -> Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

func fail(_ reason: String) -> Never {
    FileHandle.standardError.write(Data("TokenBench: \(reason)\n".utf8))
    exit(1)
}

func file(_ path: String) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else { fail("\(path) cannot be read") }
    return Array(data)
}

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count == 6, let rounds = Int(arguments.last ?? ""), rounds > 0 else {
    fail("usage: TokenBench KEY-SET PUBLIC-KEY TOKENS ISSUER AUDIENCE ROUNDS")
}
let given = Array(arguments)

let issuer = IssuerPolicy(identifier: given[3], audiences: [given[4]])
let policy = AdmissionPolicy(issuers: [issuer], tokenCacheEntries: 0)
let authenticator = Authenticator(policy: policy)
authenticator.install(
    KeyMaterial(state: .usable(try KeySet(parsing: file(given[0]).span)), forcedRefreshAllowedAt: .max), forIssuerAt: 0)
let bare = BareVerifier(pem: file(given[1]))
let now = Instant(monotonicNanoseconds: 0, unixSeconds: Int64(Date.now.timeIntervalSince1970))

let tokens = String(decoding: file(given[2]), as: UTF8.self).split(separator: "\n")
guard tokens.count > 1 else { fail("\(given[2]) has to hold two tokens at least") }
let specimens = try tokens.indices.map { try Specimen(tokens[$0], other: tokens[($0 + 1) % tokens.count]) }

let decide = { (request: Request) -> Decision in
    authenticator.decide(
        request.head, in: request.bytes.span, rulesIndex: 0, at: now, certificate: nil, mayAwaitKeys: false)
}

let few = try RouteFinding(among: 10)
let many = try RouteFinding(among: 1000)

/// Each says whether the outcome is the expected one.
let measures: KeyValuePairs<String, (Specimen) -> Bool> = [
    "bare": { bare.isValid($0.signature, for: $0.digest) },
    "hashed": { bare.isValid($0.signature, for: sha256($0.signingInput)) },
    "path": {
        if case .admit = decide($0.request) { true } else { false }
    },
    "forged": {
        if case .refuse(let refusal) = decide($0.forgery) { refusal.code == .badSignature } else { false }
    },
    "few": { _ in few.findsNext() },
    "many": { _ in many.findsNext() },
]

let batch = 250
var figures: [String: [Double]] = [:]
// The first round warms up.
for round in 0...rounds {
    var spent: [String: Int] = [:]
    for start in stride(from: 0, to: specimens.count, by: batch) {
        for (name, measure) in measures {
            let end = min(start + batch, specimens.count)
            let began = threadNanoseconds()
            for index in start..<end {
                guard measure(specimens[index]) else { fail("\(name): token \(index) has an unexpected outcome") }
            }
            spent[name, default: 0] += threadNanoseconds() - began
        }
    }
    if round > 0 {
        for (name, nanoseconds) in spent {
            figures[name, default: []].append(Double(nanoseconds) / Double(specimens.count))
        }
    }
}
print(String(decoding: try JSONEncoder().encode(figures), as: UTF8.self))
