// A restart on a bad day: what one key service stored, the next one begins with.

import Admission
import Foundation
import Testing

@testable import Gateway

@Suite struct KeyServiceStateTests {
    @Test("stored keys are there at once, while the issuer keeps everyone waiting")
    func restart() async throws {
        let folder = try StateFolder()
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        try await storeOnce(issuer, folder)
        #expect(folder.permissions == 0o600)

        issuer.answer { _ in .silence }
        let second = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"))], stateDirectory: folder.path)
        try await second.waitFor("a")
        #expect(second.lines.first?.message.contains("1 key of state_dir in use, fetched ") == true)
        // Before its answer the fetch can be lost; that it was made is what counts.
        try await until("the fetch in the background") { issuer.paths.count >= 2 }
    }

    @Test("what the issuer then says takes the place of stored keys, here and in the file")
    func refreshed() async throws {
        let folder = try StateFolder()
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        try await storeOnce(issuer, folder)
        issuer.answer { _ in .ok(KeySets.b) }
        let second = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"))], stateDirectory: folder.path)
        try await second.waitFor("b")
        try await until("the new keys on the disk") { folder.text?.hasSuffix(KeySets.b) == true }
        #expect(second.published() == ["pending", "a", "b"])
    }

    @Test("a bad answer is not stored")
    func badAnswer() async throws {
        let folder = try StateFolder()
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        let harness = try KeyServiceHarness(
            [.testing(.uri(issuer.origin + "/k"), refresh: 1)], stateDirectory: folder.path)
        try await harness.waitFor("a")
        try await until("the keys on the disk") { folder.text != nil }
        issuer.answer { _ in .ok("{\"keys\":[]}") }
        try await harness.waitForLine("keys could not be refreshed")
        #expect(folder.text?.hasSuffix(KeySets.a) == true)
    }

    @Test("a file that is damaged, or nobody's word, is reported and ignored", arguments: [
        ("damaged", "ignored: the file is damaged"), ("shared", "ignored: others can write to it"),
        ("huge", "ignored: it has more than"),
    ])
    func ignored(_ damage: String, _ line: String) async throws {
        let folder = try StateFolder()
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        try await storeOnce(issuer, folder)
        let file = try #require(folder.file)
        switch damage {
        case "damaged": try Data(try #require(folder.text).dropLast().utf8).write(to: URL(filePath: file))
        case "shared": _ = unsafe chmod(file, 0o666)
        default: _ = unsafe truncate(file, 4 << 20)
        }
        if damage != "shared" { _ = unsafe chmod(file, 0o600) }
        issuer.answer { _ in .http(500, []) }
        let second = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"))], stateDirectory: folder.path)
        try await second.waitFor("none")
        #expect(second.lines.contains { $0.level == .warn && $0.message.contains(line) })
        // It is in nobody's way.
        issuer.answer { _ in .ok(KeySets.ab) }
        try await second.waitFor("ab")
        try await until("the new keys on the disk") { folder.text?.hasSuffix(KeySets.ab) == true }
    }

    @Test("the file of an issuer that is put under another's name is ignored")
    func foreign() async throws {
        let folder = try StateFolder()
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        try await storeOnce(issuer, folder)
        let other = "https://other.example/"
        try FileManager.default.moveItem(
            atPath: try #require(folder.file), toPath: folder.path + "/" + StoredKeys.fileName(ofIssuer: other))
        issuer.answer { _ in .http(500, []) }
        let second = try KeyServiceHarness(
            [.testing(.uri(issuer.origin + "/k"), issuer: other)], stateDirectory: folder.path)
        try await second.waitFor("none")
        try await second.waitForLine("those of another issuer, https://issuer.example/")
    }

    @Test("stored keys come before the pinned file")
    func beforePinned() async throws {
        let folder = try StateFolder()
        let pinned = try TemporaryFile(KeySets.b)
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        try await storeOnce(issuer, folder)
        issuer.answer { _ in .http(500, []) }
        let second = try KeyServiceHarness(
            [.testing(.uri(issuer.origin + "/k"), file: pinned.path)], stateDirectory: folder.path)
        try await second.waitForLine("keys could not be refreshed, 1 key from before in use")
        #expect(second.published().contains("a") && !second.published().contains("b"))
    }

    @Test("a directory that is gone is reported once, keys serve on, and are stored once it is back")
    func writeFailures() async throws {
        let folder = try StateFolder()
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        let harness = try KeyServiceHarness(
            [.testing(.uri(issuer.origin + "/k"), refresh: 1)], stateDirectory: folder.path)
        try await until("the keys on the disk") { folder.text != nil }
        folder.remove()
        try await harness.waitForLine("cannot be written to state_dir")
        let asked = issuer.paths.count
        try await until("more fetches") { issuer.paths.count >= asked + 3 }
        #expect(harness.lines.count { $0.message.contains("cannot be written") } == 1)
        #expect(try await harness.want() == "a")
        try folder.make()
        try await harness.waitForLine("written to state_dir again")
        try await until("the keys on the disk") { folder.text != nil }
    }

    @Test("each of two issuers has its own keys back")
    func twoIssuers() async throws {
        let folder = try StateFolder()
        let issuer = try ScriptedIssuer { $0 == "/a" ? .ok(KeySets.a) : .ok(KeySets.b) }
        let policies = ["a", "b"].map {
            IssuerPolicy.testing(.uri(issuer.origin + "/" + $0), issuer: "https://\($0).example/")
        }
        do {
            let first = try KeyServiceHarness(policies, stateDirectory: folder.path)
            try await first.waitFor("a", index: 0)
            try await first.waitFor("b", index: 1)
            try await until("both on the disk") { folder.files.count == 2 }
        }
        issuer.answer { _ in .silence }
        let second = try KeyServiceHarness(policies, stateDirectory: folder.path)
        try await second.waitFor("a", index: 0)
        try await second.waitFor("b", index: 1)
    }

    /// A first life, in which the issuer is well.
    private func storeOnce(_ issuer: ScriptedIssuer, _ folder: StateFolder) async throws {
        let first = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"))], stateDirectory: folder.path)
        try await first.waitFor("a")
        try await until("the keys on the disk") { folder.text != nil }
    }
}

/// A state directory that goes with the test, for one file most of the time.
private final class StateFolder {
    let path = FileManager.default.temporaryDirectory.path + "/antechamber-\(UUID().uuidString)"

    init() throws { try make() }

    deinit { remove() }

    func make() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Those that are finished: one that is being written has a dot in its name.
    var files: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { !$0.contains(".") }.map { path + "/" + $0 }
    }

    var file: String? { files.first }
    var text: String? { file.flatMap { try? String(contentsOfFile: $0, encoding: .utf8) } }

    var permissions: Int? {
        file.flatMap { try? FileManager.default.attributesOfItem(atPath: $0)[.posixPermissions] as? Int }
    }
}
