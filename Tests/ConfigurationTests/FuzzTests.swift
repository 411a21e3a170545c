// Random soup of what configurations are made of. The seeds are fixed, so a failure repeats.

import Testing

@testable import Configuration

@Suite("Any text gives a configuration or an error")
struct FuzzTests {
    private static let pieces =
        Directive.all.map(\.name) + [
            "include", ";", ";", ";", ";", "{", "}", "\n", "\n", " ", "\t", "\r\n", "\"", "'", "\\", "#", "$", "${",
            "${A}", "${NONE}", "${A:-b}", "}", "8080", "127.0.0.1:8080", "[::1]:1", "unix:/a", "http://a:1", "https://b/",
            "https://c", "10s", "0", "99999999999999999999", "8k", "on", "off", "auto", "json", "stdout", "RS256", "none",
            "at+jwt", "-", "ä", "世", "\u{0}", "\u{1B}", "é\u{301}", "proxy.conf", "*.conf", "../", "x",
            "upstream http://a;", "issuer https://d { audience e; }", "issuer https://f {", "audience g;",
        ]

    @Test("token soup", arguments: 0..<8)
    func soup(seed: UInt64) {
        var random = SplitMix64(state: seed)
        for _ in 0..<150 {
            let pieces = (0..<random.below(60)).map { _ in Self.pieces[random.below(Self.pieces.count)] }
            let text = pieces.joined(separator: random.below(3) == 0 ? "" : " ")
            let files = MemoryFiles(["proxy.conf": text, "x.conf": "audience h;"])
            _ = judge(text, files)
        }
    }

    @Test("a good file with bytes changed, removed and put in", arguments: 0..<8)
    func mutations(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let good = Array(try treeText("Tests/ConfigurationTests/Goldens/strings.conf").utf8)
        var loadedCount = 0
        for _ in 0..<150 {
            var bytes = good
            for _ in 0...random.below(4) {
                let index = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[index] = UInt8(random.below(256))
                case 1: bytes.remove(at: index)
                default: bytes.insert(UInt8(random.below(256)), at: index)
                }
            }
            if judge("\(bytes)", RawFile(bytes: bytes)) { loadedCount += 1 }
        }
        // Both outcomes were tried.
        #expect((1..<150).contains(loadedCount))
    }

    /// Whether it loaded.
    private func judge(_ text: String, _ files: any ConfigurationFiles) -> Bool {
        let result = ConfigurationLoader.load(file: "proxy.conf", environment: ["A": "; } {"], files: files)
        switch result {
        case .loaded(let configuration, let warnings):
            #expect(warnings.allSatisfy { $0.severity == .warning }, "\(text)")
            #expect(!configuration.listeners.isEmpty, "\(text)")
            #expect(!configuration.admission.issuers.isEmpty, "\(text)")
            #expect(configuration.admission.issuers.allSatisfy { !$0.audiences.isEmpty }, "\(text)")
            #expect(configuration.admission.issuers.allSatisfy { !$0.algorithms.isEmpty }, "\(text)")
        case .failed(let diagnostics):
            #expect(diagnostics.contains { $0.severity == .error }, "\(text)")
        }
        #expect(!result.report.unicodeScalars.contains("\u{1B}"), "\(text)")
        return result.configuration != nil
    }
}

private struct RawFile: ConfigurationFiles {
    var bytes: [UInt8]

    func read(_ path: String, bytesMax: Int) throws(FileProblem) -> [UInt8] {
        if path == "proxy.conf" { return bytes }
        throw FileProblem(reason: "No such file or directory")
    }

    func isReadableByEveryone(_ path: String) -> Bool { false }

    func paths(matching pattern: String) throws(FileProblem) -> [String] { [] }

    func isWritableByOthers(directory path: String) throws(FileProblem) -> Bool { false }
}

/// Sebastiano Vigna's generator: small, and the same everywhere.
private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
