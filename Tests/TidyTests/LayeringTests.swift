// The layering: which module may import which, and that the manifest lists every folder.

import Foundation
import Testing

@Suite("Layering")
struct LayeringTests {
    @Test("Each file imports only what its module may", arguments: SourceTree.sources)
    func importsAreAllowed(_ file: SourceFile) throws {
        let allowed = try #require(
            Rules.imports[file.module],
            "Sources/\(file.module) has no row in Rules.imports: add one that says what it may import.")
        for name in importedModules(file.text) where !allowed.contains(name) {
            Issue.record(
                """
                \(file.path) imports \(name), which \(file.module) may not. Move the code to a module that may, or, \
                where the arrow is meant, add it to Rules.imports and to ARCHITECTURE.md.
                """)
        }
    }

    @Test("Dispatch is the reactor's, Foundation the command line's")
    func outsideWorld() {
        // Said twice on purpose: a row of the table is easily widened without a thought.
        #expect(modules(importing: "Dispatch").isSubset(of: ["Reactor", "Observability", "antechamber"]))
        #expect(modules(importing: "Foundation").isSubset(of: ["antechamber"]))
    }

    @Test("The table has a row for each module and no other")
    func tableIsComplete() {
        let folders = SourceTree.folders(in: "Sources")
        #expect(folders == Set(Rules.imports.keys).union(Rules.cModules), "Rules.imports and Sources/ differ.")
    }

    @Test("The import table has no cycle")
    func noCycle() {
        var pending = Rules.imports.mapValues { $0.intersection(Rules.imports.keys) }
        while let leaf = pending.first(where: { $0.value.isEmpty })?.key {
            pending[leaf] = nil
            for name in pending.keys { pending[name]?.remove(leaf) }
        }
        #expect(pending.isEmpty, "These modules reach themselves through what they may import.")
    }

    @Test("The manifest lists every folder of Sources and Tests")
    func manifestIsComplete() throws {
        let manifest = try String(contentsOf: SourceTree.root.appending(path: "Package.swift"), encoding: .utf8)
        let targets = Set(
            manifest.matches(of: /arget\(\s*name: "([A-Za-z]+)"/).map { String($0.1) }
                + manifest.matches(of: /systemLibrary\(\s*name: "([A-Za-z]+)"/).map { String($0.1) })
        let tests = SourceTree.files
            .filter { file in file.path.hasPrefix("Tests/") && [".swift", ".c"].contains { file.path.hasSuffix($0) } }
            .map { $0.module }
        let folders = SourceTree.folders(in: "Sources").union(tests)
        #expect(folders == targets, "A folder that Package.swift does not list is never built, so never tested.")
    }

    @Test("An import is found however it is written", arguments: [
        ("import Bytes", ["Bytes"]),
        ("public import Bytes", ["Bytes"]),
        ("@testable import Bytes", ["Bytes"]),
        ("@preconcurrency internal import struct Bytes.ByteRange", ["Bytes"]),
        ("// import Bytes", []),
        ("let text = \"import Bytes\"", []),
        ("#if os(Linux)\n    import Glibc\n#endif\nimport Bytes", ["Glibc", "Bytes"]),
    ])
    func importsAreFound(_ text: String, _ modules: [String]) {
        #expect(importedModules(text) == modules)
    }

    private func modules(importing name: String) -> Set<String> {
        Set(SourceTree.sources.filter { importedModules($0.text).contains(name) }.map { $0.module })
    }
}

private func importedModules(_ text: String) -> [String] {
    let pattern =
        /^[ \t]*(?:@[A-Za-z_]+[ \t]+)*(?:(?:public|package|internal|fileprivate|private)[ \t]+)?import[ \t]+(?:(?:struct|class|enum|protocol|func|var|let|typealias)[ \t]+)?([A-Za-z_0-9]+)/
        .anchorsMatchLineEndings()
    return codeOnly(text).matches(of: pattern).map { String($0.1) }
}
