// What fuzzing tries to break: for each reader of foreign bytes, what must hold of every input.
//
// A target is a function of the bytes and of nothing else, so that an input that broke it once breaks it everywhere:
// under the coverage-guided fuzzer (Tests/Fuzzer), and where its corpus is replayed and mutated (Tests/FuzzTests).

/// A reader of foreign bytes, and what it promises of all of them.
package struct FuzzTarget: Sendable {
    package static let all = [
        requestHead, responseHead, chunkedBody, proxyHeader, base64URL, json, jws, jwkSet,
    ]

    /// Names the target's folder in `Fuzz/Corpus` and its dictionary in `Fuzz/Dictionaries`.
    package let name: String
    /// Whether the reader accepted the bytes. Throws where it broke a promise; where it traps, it broke the first one.
    package let check: @Sendable (_ bytes: [UInt8]) throws(Violation) -> Bool
}

/// A promise that did not hold.
package struct Violation: Error, CustomStringConvertible {
    package let description: String
}

/// Throws unless the promise is kept.
func expect(_ isKept: Bool, _ promise: @autoclosure () -> String) throws(Violation) {
    if !isKept { throw Violation(description: promise()) }
}
