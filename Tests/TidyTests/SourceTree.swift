// The repository as the tidy tests see it: its files' paths and texts, and Swift code without its
// comments and strings.

import Foundation
import Testing

/// A text file of the repository.
struct SourceFile: Sendable, CustomTestStringConvertible {
    /// From the repository's root, with forward slashes.
    var path: String
    var text: String

    var testDescription: String { path }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    /// The folder below Sources or Tests.
    var module: String { String(path.split(separator: "/")[1]) }
}

enum SourceTree {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every text file that belongs to the repository; what is built or hidden is not visited, but for CI's folder.
    static let files: [SourceFile] = {
        var found: [SourceFile] = []
        var folders = [""]
        while let folder = folders.popLast() {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)) ?? []
            for name in names where isVisited(name) {
                let path = folder.isEmpty ? name : folder + "/" + name
                let place = root.appending(path: path)
                if (try? place.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true {
                    folders.append(path)
                } else if let text = try? String(contentsOf: place, encoding: .utf8) {
                    found.append(SourceFile(path: path, text: text))
                }
            }
        }
        return found.sorted { $0.path < $1.path }
    }()

    static let sources = files.filter { $0.path.hasPrefix("Sources/") && $0.path.hasSuffix(".swift") }
    static let swift = files.filter { $0.path.hasSuffix(".swift") }
    static let scripts = files
        .filter { file in ["scripts/", ".ci/", "Benchmarks/"].contains { file.path.hasPrefix($0) } }
        .filter { $0.text.hasPrefix("#!") || $0.path.hasSuffix(".sh") }
    static let documents = files.filter { $0.path.hasSuffix(".md") }

    static func folders(in parent: String) -> Set<String> {
        Set(files.filter { $0.path.hasPrefix(parent + "/") }.map { $0.module })
    }

    private static func isVisited(_ name: String) -> Bool {
        name == ".ci" || !(name.hasPrefix(".") || name == "__pycache__" || name == "node_modules")
    }
}

/// Swift code with every comment and the text of every string literal taken out, its lines kept.
/// What stands in an interpolation goes with its string: good enough to look for words in.
func codeOnly(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var code: [UInt8] = []
    var index = 0
    func startsWith(_ word: String, at place: Int) -> Bool {
        place + word.utf8.count <= bytes.count && word.utf8.elementsEqual(bytes[place..<place + word.utf8.count])
    }
    func keepNewline(_ byte: UInt8) { if byte == UInt8(ascii: "\n") { code.append(byte) } }
    while index < bytes.count {
        if startsWith("//", at: index) {
            while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        } else if startsWith("/*", at: index) {
            var depth = 0
            repeat {
                if startsWith("/*", at: index) {
                    depth += 1
                    index += 2
                } else if startsWith("*/", at: index) {
                    depth -= 1
                    index += 2
                } else {
                    keepNewline(bytes[index])
                    index += 1
                }
            } while depth > 0 && index < bytes.count
        } else if let literal = stringLiteral(in: bytes, at: index) {
            for byte in bytes[index..<literal] { keepNewline(byte) }
            index = literal
        } else {
            code.append(bytes[index])
            index += 1
        }
    }
    return String(decoding: code, as: UTF8.self)
}

/// Where the string literal that starts at `start` ends, or nil where none starts.
private func stringLiteral(in bytes: [UInt8], at start: Int) -> Int? {
    var index = start
    while index < bytes.count, bytes[index] == UInt8(ascii: "#") { index += 1 }
    let pounds = index - start
    let quote = UInt8(ascii: "\"")
    guard index < bytes.count, bytes[index] == quote else { return nil }
    let isMultiline = index + 2 < bytes.count && bytes[index + 1] == quote && bytes[index + 2] == quote
    let close = [UInt8](repeating: quote, count: isMultiline ? 3 : 1) + [UInt8](repeating: UInt8(ascii: "#"), count: pounds)
    index += isMultiline ? 3 : 1
    while index < bytes.count {
        if bytes[index] == UInt8(ascii: "\\"), pounds == 0 {
            index += 2
        } else if index + close.count <= bytes.count, bytes[index..<index + close.count].elementsEqual(close) {
            return index + close.count
        } else if bytes[index] == UInt8(ascii: "\n"), !isMultiline {
            return index
        } else {
            index += 1
        }
    }
    return bytes.count
}
