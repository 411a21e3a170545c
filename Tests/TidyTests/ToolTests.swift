// Linters over what is not Swift: the scripts, the Dockerfile, the documents' links.
//
// scripts/test installs the linters; where they are missing, under a bare `swift test`, these tests
// are skipped and say so.

import Foundation
import Testing

@Suite("Scripts and documents")
struct ToolTests {
    @Test("The scripts pass shellcheck", .enabled(if: Linter.shellcheck != nil, "shellcheck is missing: use scripts/test"))
    func shellcheck() throws {
        let linter = try #require(Linter.shellcheck)
        #expect(!SourceTree.scripts.isEmpty)
        let outcome = try run(linter, ["--external-sources"] + SourceTree.scripts.map { $0.path })
        #expect(outcome.status == 0, "\(outcome.output)")
    }

    @Test("The Dockerfile passes hadolint", .enabled(if: Linter.hadolint != nil, "hadolint is missing: use scripts/test"))
    func hadolint() throws {
        let outcome = try run(#require(Linter.hadolint), ["Dockerfile"])
        #expect(outcome.status == 0, "\(outcome.output)")
    }

    @Test("A script can be run as it stands", arguments: SourceTree.scripts)
    func executable(_ file: SourceFile) throws {
        guard !Rules.sourcedScripts.contains(file.path) else { return }
        let isExecutable = FileManager.default.isExecutableFile(atPath: SourceTree.root.appending(path: file.path).path)
        #expect(isExecutable, "\(file.path) is not executable: `chmod +x`, or list it in Rules.sourcedScripts.")
        #expect(
            file.text.contains("\nset -euo pipefail\n"),
            "\(file.path) has to stop at its first failure: `set -euo pipefail`.")
    }

    @Test("A document's links into the tree lead somewhere", arguments: SourceTree.documents)
    func links(_ document: SourceFile) throws {
        let folder = SourceTree.root.appending(path: document.path).deletingLastPathComponent()
        for match in document.text.matches(of: /\]\(([^)#\s]+)(?:#[^)]*)?\)/) {
            let target = String(match.1)
            guard !target.contains("://"), !target.hasPrefix("mailto:") else { continue }
            #expect(
                FileManager.default.fileExists(atPath: folder.appending(path: target).path),
                "\(document.path) links to \(target), which is not there.")
        }
    }
}

private enum Linter {
    static let shellcheck = find("shellcheck")
    static let hadolint = find("hadolint")

    /// Beside the test tools' Python first, so that its pinned version is the one that judges.
    private static func find(_ name: String) -> URL? {
        let environment = ProcessInfo.processInfo.environment
        var folders = (environment["PATH"] ?? "").split(separator: ":").map { URL(filePath: String($0)) }
        if let python = environment["ANTECHAMBER_TOOLS_PYTHON"] {
            folders.insert(URL(filePath: python).deletingLastPathComponent(), at: 0)
        }
        return folders.map { $0.appending(path: name) }.first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }
}

private func run(_ program: URL, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = SourceTree.root
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}
