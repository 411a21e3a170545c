// The key service against an issuer that is having a good day, a bad day, or a day with many callers.

import Admission
import Foundation
import Testing

@testable import Gateway

@Suite struct KeyServiceTests {
    @Test("the issuer's metadata leads to its keys, and the report says how many and from where")
    func discovery() async throws {
        let issuer = try ScriptedIssuer { _ in .silence }
        let origin = issuer.origin
        issuer.answer { path in
            path == "/.well-known/openid-configuration"
                ? .ok("{\"issuer\":\"\(origin)\",\"jwks_uri\":\"\(origin)/k\"}") : .ok(KeySets.aAndShort)
        }
        let harness = try KeyServiceHarness([.testing(.discovery, issuer: origin)])
        try await harness.waitFor("a")
        #expect(harness.published() == ["pending", "a"])
        #expect(issuer.paths == ["/.well-known/openid-configuration", "/k"])
        #expect(harness.lines.map(\.message) == [
            "issuer \(origin): 1 key from \(origin)/k, 1 skipped (kid short: RSA modulus of 1024 bits is too short)"
        ])
    }

    @Test("a fetch says who asks and for what, and brings nothing else")
    func request() async throws {
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a, "Set-Cookie: a=b\r\n") }
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k?v=1"), refresh: 1)])
        try await until("a second fetch") { issuer.requests.count >= 2 }
        for head in issuer.requests {
            let names = head.split(separator: "\r\n").dropFirst().map { $0.split(separator: ":")[0].lowercased() }
            #expect(head.hasPrefix("GET /k?v=1 HTTP/1.1\r\n"))
            #expect(head.contains("User-Agent: antechamber\r\n"))
            #expect(names.sorted() == ["accept", "accept-encoding", "host", "user-agent"])
        }
        #expect(harness.published().last == "a")
    }

    @Test("metadata of another issuer is refused")
    func otherIssuer() async throws {
        let issuer = try ScriptedIssuer { _ in .silence }
        let origin = issuer.origin
        issuer.answer { _ in .ok("{\"issuer\":\"\(origin)/\",\"jwks_uri\":\"\(origin)/k\"}") }
        let harness = try KeyServiceHarness([.testing(.discovery, issuer: origin)])
        try await harness.waitFor("none")
        try await harness.waitForLine("another issuer, \"\(origin)/\"")
        #expect(!issuer.paths.contains("/k"))
    }

    struct BadDay: Sendable, CustomTestStringConvertible {
        var name: String
        var reason: String
        var answer: ScriptedIssuer.Answer
        var testDescription: String { name }

        init(_ name: String, _ reason: String, _ answer: ScriptedIssuer.Answer) {
            self.name = name
            self.reason = reason
            self.answer = answer
        }
    }

    static let badDays = [
        BadDay("500", "answered 500", .http(500, Array(KeySets.b.utf8))),
        BadDay("204", "answered 204", .raw(Array("HTTP/1.1 204 x\r\n\r\n".utf8))),
        BadDay("304", "answered 304", .raw(Array("HTTP/1.1 304 x\r\n\r\n".utf8))),
        BadDay("404", "answered 404", .http(404, [])),
        BadDay("a web page", "web page", .ok("<!doctype html>", "Content-Type: text/html\r\n")),
        BadDay("a byte order mark", "not JSON", .ok("\u{FEFF}" + KeySets.b)),
        BadDay("an empty body", "not JSON", .ok("")),
        BadDay("no keys", "empty", .ok("{\"keys\":[]}")),
        BadDay("no key set", "no JWK set", .ok("{}")),
        BadDay("members twice", "twice", .ok("{\"keys\":[],\"keys\":[]}")),
        BadDay("cut off", "cut off", .raw(Array("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n\(KeySets.b)".utf8))),
        BadDay("a length that is too short", "not JSON",
            .raw(Array("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n\(KeySets.b)".utf8))),
        BadDay("a large length", "too large",
            .raw(Array("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n\(KeySets.b)".utf8))),
        BadDay("an endless body", "too large", .endless),
        BadDay("a large head", "too large",
            .raw(Array("HTTP/1.1 200 OK\r\n".utf8)
                + Array(String(repeating: "A: \(String(repeating: "b", count: 1000))\r\n", count: 99).utf8))),
        BadDay("a gzip bomb", "too large", .http(200, Gzip.bomb(megabytes: 64), "Content-Encoding: gzip\r\n")),
        BadDay("broken gzip", "not JSON", .http(200, Array(Gzip.stored(Array(KeySets.b.utf8)).prefix(40)),
            "Content-Encoding: gzip\r\n")),
        BadDay("garbage", "HTTP/0.9", .raw(Array("\u{1}\u{2}garbage\r\n\r\n".utf8))),
        BadDay("silence", "no complete response in time", .silence),
        BadDay("a drip", "no complete response in time",
            .drip(Array("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n\(KeySets.b)".utf8))),
        BadDay("a reset", "reset by peer", .reset),
        BadDay("a reset within the body", "reset by peer",
            .resetAfter(Array("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n\(KeySets.b)".utf8))),
        BadDay("10,000 keys that cannot be used", "none of the 1000 keys can be used",
            .ok("{\"keys\":[\(Array(repeating: "{\"kty\":\"oct\"}", count: 10_000).joined(separator: ","))]}")),
        BadDay("10,000 good keys", "too large",
            .ok("{\"keys\":[\(Array(repeating: KeySets.jwkB, count: 10_000).joined(separator: ","))]}")),
        BadDay("a redirect to another host", "another origin, https://evil.example",
            .http(302, [], "Location: https://evil.example/k\r\n")),
        BadDay("a redirect to another port", "another origin, http://127.0.0.1:1",
            .http(307, [], "Location: http://127.0.0.1:1/k\r\n")),
        BadDay("a redirect to a file", "no URL", .http(302, [], "Location: file:///etc/passwd\r\n")),
        BadDay("redirects without end", "more than 3 redirects", .http(302, [], "Location: /k\r\n")),
        BadDay("a redirect to nowhere", "answered 302", .http(302, [])),
    ]

    @Test("good keys stay when a refresh fails", arguments: badDays)
    func badDay(_ day: BadDay) async throws {
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        // Long enough for the good answers of a loaded machine, except where the time-out is what is tested.
        let timeout: Int64 = day.reason.hasSuffix("in time") ? 1500 : 10_000
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"), refresh: 1, timeout: timeout)])
        try await harness.waitFor("a")
        let before = harness.published().count
        issuer.answer { _ in day.answer }
        try await harness.waitForLine("keys could not be refreshed, 1 key from before in use: \(issuer.origin)/k: ")
        #expect(harness.lines.contains { $0.message.contains(day.reason) && $0.level == .warn })
        #expect(try await harness.want() == "a")
        issuer.answer { _ in .ok(KeySets.ab) }
        try await harness.waitFor("ab")
        #expect(!harness.published().dropFirst(before).contains("none"))
    }

    @Test("an answer that is compressed, or behind a redirect of its own origin, is good", arguments: [true, false])
    func roundabout(_ isCompressed: Bool) async throws {
        let issuer = try ScriptedIssuer { path in
            switch path {
            case "/k": isCompressed ? .http(302, [], "Location: deep/er/k2\r\n") : .http(308, [], "Location: /k3\r\n")
            case "/deep/er/k2": .http(200, Gzip.stored(Array(KeySets.a.utf8)), "Content-Encoding: gzip\r\n")
            default: .ok(KeySets.b)
            }
        }
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"))])
        try await harness.waitFor(isCompressed ? "a" : "b")
        #expect(issuer.paths.count == 2)
    }

    @Test("a trailer that looks like a status line is no second head", arguments: ["", "1\r\nx\r\n"])
    func trailer(_ chunks: String) async throws {
        let head = "HTTP/1.1 302 x\r\nLocation: /k2\r\nTransfer-Encoding: chunked\r\n\r\n"
        let redirect = Array((head + chunks + "0\r\nHTTP/1.1: 200\r\nLocation: /lost\r\n\r\n").utf8)
        let issuer = try ScriptedIssuer { $0 == "/k" ? .raw(redirect) : .ok($0 == "/k2" ? KeySets.a : KeySets.b) }
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"))])
        try await harness.waitFor("a")
    }

    @Test("an issuer that is down at the start is asked until it is up")
    func downAtStart() async throws {
        let issuer = try ScriptedIssuer(isOpen: false) { _ in .ok(KeySets.a) }
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"))])
        try await harness.waitFor("none")
        #expect(try await harness.want() == "none")
        issuer.open()
        try await harness.waitFor("a")
        #expect(harness.lines.map(\.level) == [.error, .info])
        #expect(harness.lines[0].message.contains("could not connect: Connection refused"))
    }

    @Test("a server that takes no connection is given up in time, and so is a name that leads nowhere")
    func noConnection() async throws {
        let full = try FullListener()
        for url in ["http://127.0.0.1:\(full.port)/k", "https://nowhere.invalid/k"] {
            let harness = try KeyServiceHarness([.testing(.uri(url), timeout: 1500)])
            try await harness.waitFor("none")
            #expect(try await harness.want() == "none")
            let line = try #require(harness.lines.first)
            #expect(line.level == .error)
            let reasons = ["no connection in time", "Could not resolve"]
            #expect(reasons.contains { line.message.contains($0) }, "\(line.message)")
        }
    }

    @Test("a server that keeps silent is one line in the log, however often it is asked")
    func silenceIsOneLine() async throws {
        let issuer = try ScriptedIssuer { _ in .silence }
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"), timeout: 300)])
        try await until("a few fetches") { issuer.paths.count >= 4 }
        #expect(harness.lines.count == 1)
    }

    @Test("of 10,000 entries the good one among the first thousand is found")
    func manyEntries() async throws {
        let others = Array(repeating: "{\"kty\":\"oct\"}", count: 9_000)
        let entries = others.prefix(999) + [KeySets.jwkB] + others
        let issuer = try ScriptedIssuer { _ in .ok("{\"keys\":[\(entries.joined(separator: ","))]}") }
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"))])
        try await harness.waitFor("b")
    }

    @Test("a kid that the issuer does not have costs one fetch, also once the cooldown is over")
    func missing() async throws {
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"), cooldown: 1)])
        try await harness.waitFor("a")
        #expect(try await harness.want(unknownKeyID: "gone") == "a")
        // Another one tells when the cooldown is over: its own fetch begins.
        var number = 0
        try await until("a fetch for another kid") {
            harness.service.wantKeys(issuerIndex: 0, unknownKeyID: KeyIDHash("gone"))
            number += 1
            if number % 20 == 0 { harness.service.wantKeys(issuerIndex: 0, unknownKeyID: KeyIDHash("other")) }
            return issuer.paths.count == 3
        }
        #expect(try await harness.want(unknownKeyID: "gone") == "a")
        #expect(issuer.paths.count == 3)
    }

    @Test("a new kid works at its first use, and a key that has left the set stops")
    func rotation() async throws {
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"))])
        try await harness.waitFor("a")
        issuer.answer { _ in .ok(KeySets.b) }
        #expect(try await harness.want(unknownKeyID: "b") == "b")
        #expect(issuer.paths.count == 2)
    }

    @Test("a thousand wants for unknown kids at once cause one fetch, and so do a thousand more within the cooldown")
    func flood() async throws {
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"), cooldown: 3600)])
        try await harness.waitFor("a")
        issuer.answer { _ in
            .held(Array("HTTP/1.1 200 OK\r\nContent-Length: \(KeySets.ab.utf8.count)\r\n\r\n\(KeySets.ab)".utf8))
        }
        let service = harness.service
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<1000 {
                group.addTask { service.wantKeys(issuerIndex: 0, unknownKeyID: KeyIDHash("\(number)")) }
            }
        }
        try await until("the fetch") { issuer.paths.count == 2 }
        #expect(harness.published() == ["pending", "a"])
        issuer.release()
        try await harness.waitFor("ab")
        let answers = harness.published().count
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<1000 {
                group.addTask { service.wantKeys(issuerIndex: 0, unknownKeyID: KeyIDHash("\(number)")) }
            }
        }
        #expect(try await harness.want() == "ab")
        #expect(harness.published().count > answers)
        #expect(harness.published().count < answers + 1000)
        #expect(issuer.paths.count == 2)
    }

    @Test("who subscribes later learns at once what is known")
    func lateSubscriber() async throws {
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"))])
        try await harness.waitFor("a")
        let log = KeyServiceLog()
        harness.service.subscribe { index, material in
            log.state.withLock { $0.published.append((index, KeyServiceLog.render(material))) }
        }
        try await until("the keys") { log.state.withLock { $0.published.map(\.1) } == ["a"] }
    }

    @Test("a key file alone is read again and again, and a broken one displaces nothing")
    func fileOnly() async throws {
        let file = try TemporaryFile(KeySets.a)
        let harness = try KeyServiceHarness([.testing(.fileOnly, file: file.path, refresh: 1)])
        try await harness.waitFor("a")
        try file.write("{")
        try await harness.waitForLine("not JSON")
        #expect(try await harness.want() == "a")
        try file.write(KeySets.ab)
        try await harness.waitFor("ab")
    }

    @Test("a secret is read again and again, one that is too short displaces nothing, and no log line shows any of it")
    func secret() async throws {
        let file = try TemporaryFile("secret of thirty-two characters!\n")
        var policy = IssuerPolicy.testing(.secretFile(file.path), refresh: 1)
        policy.algorithms = [.hs256]
        let harness = try KeyServiceHarness([policy])
        try await harness.waitFor("-")
        try await harness.waitForLine("1 key from \(file.path)")
        try file.write("thirty-one characters, line end\n")
        try await harness.waitForLine("the secret has 31 bytes, and HS256 needs 32 or more")
        #expect(try await harness.want() == "-")
        #expect(!harness.lines.contains { $0.message.contains("characters") })
    }

    @Test("the pinned file serves while the issuer is down, and no longer")
    func pinned() async throws {
        let file = try TemporaryFile(KeySets.b)
        let issuer = try ScriptedIssuer(isOpen: false) { _ in .ok(KeySets.a) }
        let harness = try KeyServiceHarness([.testing(.uri(issuer.origin + "/k"), file: file.path)])
        try await harness.waitFor("b")
        issuer.open()
        try await harness.waitFor("a")
        #expect(!harness.published().contains("none"))
    }

    @Test("a key file that is missing, no file, or huge is a failure with its reason")
    func badFiles() throws {
        let file = try TemporaryFile(String(repeating: " ", count: 11))
        #expect(throws: KeyFileError.failed(ENOENT)) { try KeyFile.read(file.path + ".none", bytesMax: 10) }
        #expect(throws: KeyFileError.notAFile) { try KeyFile.read("/dev/null", bytesMax: 10) }
        #expect(throws: KeyFileError.tooLarge(10)) { try KeyFile.read(file.path, bytesMax: 10) }
        #expect(try KeyFile.read(file.path, bytesMax: 11).count == 11)
    }

    @Test("a check reports on every issuer's keys, also where a pinned file would serve")
    func check() throws {
        let good = try ScriptedIssuer { _ in .ok(KeySets.aAndShort) }
        let bad = try ScriptedIssuer { _ in .http(500, []) }
        let file = try TemporaryFile(KeySets.ab)
        let outcomes = try KeyCheck.run([
            .testing(.uri(good.origin + "/k")), .testing(.uri(bad.origin + "/k"), file: file.path),
            .testing(.fileOnly, file: file.path),
        ])
        #expect(outcomes == [
            KeyCheck.Outcome(
                isUsable: true,
                description: "1 key from \(good.origin)/k, "
                    + "1 skipped (kid short: RSA modulus of 1024 bits is too short)"),
            KeyCheck.Outcome(isUsable: false, description: "\(bad.origin)/k: the server answered 500"),
            KeyCheck.Outcome(isUsable: true, description: "2 keys from \(file.path)"),
        ])
    }
}

/// A file that goes with the test.
final class TemporaryFile {
    let path = FileManager.default.temporaryDirectory.path + "/antechamber-\(UUID().uuidString)"

    init(_ text: String) throws {
        try write(text)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Replaces the file as a whole, so that no reader sees half of it.
    func write(_ text: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
