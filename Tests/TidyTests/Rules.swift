// The house rules that a compiler does not check, as tables. Extend them here; the tests beside this
// file only read them. An exception names its file and its reason, and one that is no longer needed
// is itself a failure, so the lists stay short.

import Testing

enum Rules {
    /// Who may import what. The arrows of ARCHITECTURE.md: a module that is not named in a row cannot
    /// be reached from it, and only the rows that say so touch the outside world.
    static let imports: [String: Set<String>] = [
        // Sans-I/O.
        "Bytes": ["Glibc"],
        "HTTPWire": ["Bytes"],
        "JOSE": ["Bytes", "OpenSSLKit"],
        "Admission": ["Bytes", "HTTPWire", "JOSE"],
        "Migration": ["Bytes", "JOSE"],
        "Configuration": ["Admission", "Bytes", "Glibc", "JOSE", "OpenSSLKit"],
        // C, wrapped once.
        "OpenSSLKit": ["Bytes", "COpenSSL", "Glibc", "Synchronization"],
        "CurlKit": ["CCurl", "Glibc"],
        "ZlibKit": ["Bytes", "CZlib"],
        "Reactor": ["Bytes", "CLinux", "Dispatch", "Glibc", "Synchronization"],
        // The process.
        "Observability": ["Bytes", "Dispatch", "Glibc", "Reactor", "Synchronization"],
        "Gateway": [
            "Admission", "Bytes", "CLinux", "Configuration", "CurlKit", "Glibc", "HTTPWire", "JOSE", "Migration",
            "Observability", "OpenSSLKit", "Reactor", "Synchronization", "ZlibKit",
        ],
        "antechamber": [
            "Admission", "ArgumentParser", "Bytes", "Configuration", "Dispatch", "Foundation", "Gateway", "Glibc",
            "HTTPWire", "JOSE", "Migration", "Observability", "OpenSSLKit", "Reactor", "Synchronization",
        ],
    ]

    /// Modules of C alone: a module map and a header, with no Swift to check.
    static let cModules: Set<String> = ["CCurl", "CLinux", "COpenSSL", "CZlib"]

    /// Where each of these words may stand, and why. A path that ends in a slash allows its folder.
    static let words: [WordRule] = [
        WordRule(
            word: "unsafe", pattern: #"\bunsafe\b"#,
            allowed: [
                "Sources/OpenSSLKit/": "wraps OpenSSL's handles",
                "Sources/CurlKit/": "wraps libcurl's handles",
                "Sources/ZlibKit/": "wraps zlib's streams",
                "Sources/Reactor/": "wraps the kernel's calls",
                "Sources/Bytes/ByteBuffer.swift": "owns its storage, and lends it out as spans",
                "Sources/Bytes/StoragePool.swift": "keeps the storages that buffers lend each other",
                "Sources/Bytes/ZeroedArray.swift": "owns its storage, which an Array would write to at once",
                "Sources/Bytes/Span+Bytes.swift": "memcmp, memchr",
                "Sources/Bytes/WordScan.swift": "looks at eight bytes as one integer",
                "Sources/JOSE/JSON/JSONDocument.swift": "lends out spans of what a class stores",
                "Sources/Admission/Identity.swift": "lends out spans of what a class stores",
                "Sources/Configuration/LocalFiles.swift": "open, read, glob",
                "Sources/Gateway/Keys/KeyFile.swift": "open, fstat, read",
                "Sources/Observability/LogFile.swift": "open, write",
                "Sources/Observability/Timestamp.swift": "clock_gettime",
                "Sources/antechamber/Terminal.swift": "write",
                "Sources/antechamber/Demo/SampleBackend.swift": "posix_spawn",
            ],
            advice: "Work on Span, or put the unsafe operation behind a safe one in a listed file."),
        WordRule(
            word: "@unchecked Sendable", pattern: #"@unchecked\s+Sendable\b"#,
            allowed: [
                "Sources/Reactor/QueueBound.swift": "the one crossing for state that belongs to a queue; it asserts the queue",
                "Sources/OpenSSLKit/HashFunction.swift": "immutable handles of OpenSSL, which allows sharing them",
                "Sources/OpenSSLKit/TLSTransport.swift": "an immutable table of OpenSSL, which allows sharing it",
            ],
            advice: "Confine the value to its queue (QueueBound in Reactor), or make it immutable and Sendable."),
        WordRule(
            word: "nonisolated(unsafe)", pattern: #"\bnonisolated\s*\(\s*unsafe\s*\)"#,
            allowed: [
                "Sources/OpenSSLKit/PublicKey.swift": "an immutable key of OpenSSL, which allows sharing it",
                "Sources/OpenSSLKit/SigningKey.swift": "an immutable key of OpenSSL, which allows sharing it",
                "Sources/OpenSSLKit/Certificate.swift": "an immutable certificate of OpenSSL, which allows sharing it",
                "Sources/OpenSSLKit/TLSIdentity.swift": "an immutable key of OpenSSL, which allows sharing it",
                "Sources/OpenSSLKit/TLSServerContext.swift": "a context of OpenSSL that nobody changes any more",
                "Sources/OpenSSLKit/TLSClientContext.swift": "a context of OpenSSL that nobody changes any more",
            ],
            advice: "Keep it for an immutable C handle, with a comment saying so, and list the file."),
        WordRule(
            word: "fatalError", pattern: #"\bfatalError\s*\("#,
            allowed: [:],
            advice: "What a peer can cause is a typed error; our own bug is a precondition with a message."),
        WordRule(
            word: "try!", pattern: #"\btry!"#,
            allowed: [:],
            advice: "Handle the error, or make the call one that cannot throw."),
        WordRule(
            word: "as!", pattern: #"\bas!"#,
            allowed: [:],
            advice: "Use a type that needs no cast, or `as?` with an answer for nil."),
    ]

    static let lineCountMax = 400
    /// Files that may be longer, and why splitting would hide what they show.
    static let longFiles: [String: String] = [:]

    /// Text that shows a file came from somebody's machine, or is not finished. Put together here, so
    /// that this file does not find itself.
    static let strayText: [(text: String, advice: String)] = [
        ("TO" + "DO", "Do it, or file an issue: the tree holds no promises."),
        ("FIX" + "ME", "Fix it, or file an issue."),
        ("/ho" + "me/", "Use a path relative to the repository or to a temporary folder."),
        ("/Us" + "ers/", "Use a path relative to the repository or to a temporary folder."),
        ("/ro" + "ot/", "Use a path relative to the repository or to a temporary folder."),
        ("/wo" + "rk/", "Use a path relative to the repository or to a temporary folder."),
        ("/tmp" + "/h/", "Use a path relative to the repository or to a temporary folder."),
    ]

    /// Scripts that are sourced, so need no executable bit.
    static let sourcedScripts: Set<String> = ["scripts/setup.sh", "Benchmarks/setup.sh"]
}

/// A word that only listed files may hold.
struct WordRule: Sendable, CustomTestStringConvertible {
    var word: String
    /// A regular expression, matched against code without its comments and strings.
    var pattern: String
    var allowed: [String: String]
    var advice: String

    var testDescription: String { word }

    /// The entry that allows this file, if any.
    func entry(allowing path: String) -> String? {
        allowed.keys.first { $0 == path || ($0.hasSuffix("/") && path.hasPrefix($0)) }
    }
}
