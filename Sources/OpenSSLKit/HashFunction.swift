// SHA-2 through EVP. Digests are fetched once for the process: with OpenSSL 3 `EVP_sha256()` and the like are looked
// up anew at every use, which costs as much as hashing a short message.

internal import COpenSSL

/// A hash function of the SHA-2 family (FIPS 180-4).
public enum HashFunction: Sendable, Hashable, CaseIterable {
    case sha256
    case sha384
    case sha512

    /// Length of the digest in bytes.
    public var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    var method: DigestMethod {
        switch self {
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        }
    }
}

/// One fetched digest method; never freed, never changed, shared by all threads.
@safe
struct DigestMethod: @unchecked Sendable {  // An EVP_MD is immutable once fetched.
    let raw: OpaquePointer
    let name: StaticString

    static let sha256 = DigestMethod(fetching: "SHA2-256")
    static let sha384 = DigestMethod(fetching: "SHA2-384")
    static let sha512 = DigestMethod(fetching: "SHA2-512")

    private init(fetching name: StaticString) {
        // Not input's fault and nothing can be done without it: an OpenSSL without SHA-2 is a broken installation.
        guard let raw = unsafe EVP_MD_fetch(nil, "\(name)", nil) else {
            preconditionFailure("this OpenSSL has no \(name)")
        }
        unsafe self.raw = unsafe raw
        self.name = name
    }
}

/// A digest context for reuse, with room for its result: hashing allocates nothing. Confined to its owner.
@safe
struct DigestContext: ~Copyable {
    private let context: Handle
    private let method: DigestMethod
    /// The digest that was computed last.
    let result: UnsafeMutableBufferPointer<UInt8>

    init(_ function: HashFunction) throws(OpenSSLError) {
        context = unsafe try handle("EVP_MD_CTX_new", freedBy: { unsafe EVP_MD_CTX_free($0) }) {
            unsafe EVP_MD_CTX_new()
        }
        method = function.method
        unsafe result = .allocate(capacity: function.byteCount)
        unsafe result.initialize(repeating: 0)
    }

    deinit { unsafe result.deallocate() }

    /// Hashes `bytes` into `result`.
    ///
    /// The error queue is emptied after a failure only: to empty it before each of the three calls, as `succeed` does,
    /// takes as long as to hash 500 bytes. At worst the error's reason is that of an earlier call.
    func digest(_ bytes: Span<UInt8>) throws(OpenSSLError) {
        let isDone = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe EVP_DigestInit_ex2(context.raw, method.raw, nil) == 1
                && EVP_DigestUpdate(context.raw, input.baseAddress, input.count) == 1
                && EVP_DigestFinal_ex(context.raw, result.baseAddress, nil) == 1
        }
        if !isDone { throw .taken(after: "EVP_Digest") }
    }
}
