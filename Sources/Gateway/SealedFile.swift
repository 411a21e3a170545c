// The form of a file in `state_dir` that is taken whole or not at all:
//
//     antechamber KIND VERSION SHA-256 OF ALL THAT FOLLOWS THIS LINE, IN HEXADECIMAL
//     what it holds
//
// The checksum tells a damaged file from a whole one. It keeps nobody from writing one: who may is the directory's.

import Bytes
import OpenSSLKit

struct SealedFile {
    /// The longest first line.
    static let lineBytesMax = 128

    /// What it holds: the second word of the first line.
    var kind: String
    /// The third.
    var version: String

    /// A name for the file about `subject`, which nobody who chooses that can choose.
    func name(for subject: String) -> String {
        "\(kind)-" + Self.hex(SHA256Digest(of: Array(subject.utf8).span).bytes.prefix(16))
    }

    /// The whole file.
    func encoded(_ contents: [UInt8]) -> [UInt8] {
        let checksum = Self.hex(SHA256Digest(of: contents.span).bytes[...])
        return Array("antechamber \(kind) \(version) \(checksum)\n".utf8) + contents
    }

    /// What a whole file of this kind and version holds.
    func contents(of bytes: [UInt8]) throws(SealedFileProblem) -> [UInt8] {
        guard let end = bytes.prefix(Self.lineBytesMax).firstIndex(of: ASCII.lf) else { throw .damaged }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 3, words[0] == "antechamber", words[1] == kind, UInt16(words[2]) != nil else {
            throw .damaged
        }
        guard words[2] == version else { throw .ofAnotherVersion(String(words[2])) }
        let contents = Array(bytes[(end + 1)...])
        guard words.count == 4, words[3] == Self.hex(SHA256Digest(of: contents.span).bytes[...]) else {
            throw .damaged
        }
        return contents
    }

    private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.flatMap { [ASCII.hexDigit($0 >> 4), ASCII.hexDigit($0 & 15)] }, as: UTF8.self)
    }
}

enum SealedFileProblem: Error, Equatable {
    /// Cut off, changed, or something else altogether.
    case damaged
    case ofAnotherVersion(String)

    var reason: String {
        switch self {
        case .damaged: "the file is damaged"
        case .ofAnotherVersion(let version): "the file is of another version, \(version.forLog)"
        }
    }
}
