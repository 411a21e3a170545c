// The files of Fuzz/: a target's inputs and the words it is mutated with.

import Foundation
import FuzzTargets

/// A target's folder of inputs, one a file.
struct Corpus {
    static let folder = root.appending(path: "Corpus")
    static let dictionaries = root.appending(path: "Dictionaries")

    let inputs: [String: [UInt8]]
    private let dictionaryFile: URL

    init(of target: FuzzTarget) throws {
        let folder = Self.folder.appending(path: target.name)
        inputs = try Dictionary(
            uniqueKeysWithValues: files(in: folder).map { ($0, Array(try Data(contentsOf: folder.appending(path: $0)))) })
        dictionaryFile = Self.dictionaries.appending(path: target.name + ".dict")
    }

    /// The words of the dictionary, which is in libFuzzer's format: a line each, in quotes, `\\`, `\"` and `\xAB`.
    func dictionary() throws -> [[UInt8]] {
        try String(contentsOf: dictionaryFile, encoding: .utf8).split(separator: "\n").compactMap { line in
            guard let quoted = line.wholeMatch(of: /"((?:[^"\\]|\\["\\]|\\x[0-9a-f]{2})+)"/) else { return nil }
            var word: [UInt8] = []
            for part in quoted.1.matches(of: /\\x(?<code>..)|\\?(?<literal>.)/) {
                if let code = part.code {
                    word.append(UInt8(code, radix: 16)!)
                } else if let literal = part.literal {
                    word += literal.utf8
                }
            }
            return word
        }
    }

    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fuzz")
}

func files(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
}
