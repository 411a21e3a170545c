// No spelling leads past a location's rule: whatever the table lets through to a location, every backend reads as a path
// of that location, or of one that asks for nothing.

import Testing

@testable import Admission

@Suite struct PathConfusionTests {
    private static let sets: [[String]] = [
        ["public = /health", "public /docs", "/admin", "/docs/internal", "= /me", "public methods = /hook"],
        ["public /", "/admin", "public /admin/help"],
        ["/", "public /a", "/a/b", "public /a/b/c", "= /a/b/c/d"],
        ["public = /", "/v1/users", "= /v1/users/me", "public /v1/status"],
    ]

    /// Where a reading lies, by the definition: exact, else the longest prefix of whole segments.
    private func place(of segments: [String], in locations: [String]) -> String {
        let path = "/" + segments.joined(separator: "/")
        if let exact = locations.first(where: { $0.hasSuffix("= \(path)") }) { return exact }
        let prefixes = locations.filter { !$0.contains("=") }.filter { location in
            let text = location.split(separator: " ").last!
            return text == "/" || path == text || path.hasPrefix(text + "/")
        }
        return prefixes.max { $0.split(separator: " ").last!.count < $1.split(separator: " ").last!.count } ?? "-"
    }

    /// Whether the parser of requests lets it through.
    private func isTarget(_ path: String) -> Bool {
        let escapes = path.split(separator: "%", omittingEmptySubsequences: false).dropFirst().map { $0.prefix(2) }
        return path.hasPrefix("/") && escapes.allSatisfy { $0.count == 2 && UInt8($0, radix: 16) != nil && $0 != "00" }
    }

    private func asksForNothing(_ location: String) -> Bool {
        location.hasPrefix("public") && !location.contains("methods")
    }

    @Test(arguments: sets.indices)
    func `What is let through, every backend reads as a path of the same location`(set: Int) throws {
        let locations = Self.sets[set]
        let table = try routeTable(locations)
        var spelling = SpelledPath(seed: UInt64(set) + 1)
        var letThrough: [String: Int] = [:]
        for _ in 0..<20_000 {
            let path = spelling.next(around: locations.map { String($0.split(separator: " ").last!) })
            guard isTarget(path) else { continue }
            let found = location(of: path, in: table, locations)
            letThrough[found, default: 0] += 1
            if found == "refused" { continue }
            for _ in 0..<8 {
                let backend = BackendReading(bits: spelling.random())
                let read = place(of: backend.segments(of: path), in: locations)
                if read != found, !asksForNothing(read) {
                    Issue.record("\(path) is let through to \(found), and is \(read) to a backend that \(backend)")
                    return
                }
            }
        }
        // The run is about something: every location got its share, and so did the refusal.
        for location in locations { #expect(letThrough[location, default: 0] > 20, "\(location)") }
        #expect(letThrough["refused", default: 0] > 1000)
    }

    @Test(arguments: [
        ("/docs/../admin", "/admin"), ("/docs/%2e%2e/admin", "/admin"), ("/docs/..%2fadmin", "/admin"),
        ("/docs/..;/admin", "/admin"), ("//docs/admin", "/admin"), ("/docs%2f..%2fadmin", "/admin"), ("/ADMIN", "/admin"),
        ("/docs/%252e%252e/admin", "/admin"), ("/admin%3f", "/admin"), ("/admin;x", "/admin"), ("/%61dmin", "/admin"),
    ])
    func `The models read the known spellings as what they are meant to hide`(path: String, hidden: String) {
        let readings = (0..<UInt64(1 << 10)).flatMap { bits in
            (0..<UInt64(3)).map { BackendReading(bits: bits | $0 << 60).segments(of: path) }
        }
        #expect(readings.contains { "/" + $0.joined(separator: "/") == hidden })
    }
}

/// Paths around given ones, in spellings that hide what they are; the same ones for the same seed.
private struct SpelledPath {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    /// SplitMix64.
    mutating func random() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    private mutating func chance(_ percent: UInt64) -> Bool { random() % 100 < percent }
    private mutating func pick(_ choices: [String]) -> String { choices[Int(random() % UInt64(choices.count))] }

    mutating func next(around paths: [String]) -> String {
        var path = pick(paths)
        if chance(30) { path = pick(paths) + pick(["/..", "/../..", "/x/../..", "/.", "", "/x/.."]) + path }
        if chance(40) { path += pick(["/", "/x", "/x/y", "z", "/internal", "/b", ".json", "/me"]) }
        if chance(10) { path = "/" + pick(["x", "/", "docs/", ";/", "%2f", "a/"]) + path }
        let rate: UInt64 = chance(40) ? 0 : chance(50) ? 8 : 30
        var spelled = ""
        for character in path.utf8 { spelled += spell(character, rate) }
        if chance(5) { spelled += pick([";x", "%3fx", "%23", "%2500", "%2f", "%5c", "//", "/;"]) }
        return spelled
    }

    private mutating func spell(_ byte: UInt8, _ rate: UInt64) -> String {
        let character = String(UnicodeScalar(byte))
        guard chance(rate) else { return character }
        let hex = String(byte, radix: 16)
        switch character {
        case "/": return pick(["//", "%2f", "%2F", "%5c", "/./", "/;/", ";x/", "/%2e/", "%252f", "%255C", "/x/../", "/..;/", "%3b/"])
        case ".": return pick(["%2e", "%2E", "%252e", ".;"])
        default: return pick([character.uppercased(), "%\(hex)", "%\(hex.uppercased())", "%25\(hex)", character + ";p"])
        }
    }
}
