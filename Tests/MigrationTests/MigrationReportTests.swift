import Bytes
import JOSE
import Testing

@testable import Migration

@Suite struct MigrationReportTests {
    /// Some time of a day.
    static let start = LegacyUseTests.today
    static let now = start + 3 * LegacyUseTests.day

    struct Audience {
        var name = "web"
        var phase = "accepted"
        var countedSince = LegacyUseTests.today - 100 * LegacyUseTests.day
        var use = LegacyUse()
    }

    /// What one proxy answers.
    static func answer(
        _ audiences: [Audience], issuer: String = "https://issuer.example/", version: Int64 = 1, instance: String = "one",
        time: Int64 = now
    ) -> [UInt8] {
        let buffer = ByteBuffer(capacity: 64)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.member("version", version)
            json.member("instance", instance)
            json.member("time", RFC3339.text(time))
            json.name("legacy_audiences")
            json.array(audiences) { json, audience in
                json.object { json in
                    json.member("issuer", issuer)
                    json.member("name", audience.name)
                    json.member("audience", "ID-\(audience.name)")
                    json.member("phase", audience.phase)
                    json.member("counted_since", RFC3339.text(audience.countedSince))
                    audience.use.writeMembers(into: &json)
                }
            }
        }
        return buffer.readable.copied()
    }

    /// A report on proxies that are called a, b, …
    static func report(
        _ answers: [UInt8]..., since start: Int64 = start, needsWholeWindow: Bool = false
    ) -> MigrationReport {
        var report = MigrationReport(since: start, now: now, needsWholeWindow: needsWholeWindow)
        for (answer, address) in zip(answers, ["http://a", "http://b", "http://c"]) { report.add(answer, from: address) }
        return report
    }

    /// Used once, so many seconds before the window.
    static func used(secondsBefore seconds: Int64) -> LegacyUse {
        LegacyUseTests.use(LegacyUseTests.tally([(start - seconds, 1, nil, 0, "curl/8")]))
    }

    static func json(_ report: MigrationReport) throws -> JSONValue {
        let buffer = ByteBuffer(capacity: 64)
        var json = JSONWriter(into: buffer)
        report.write(into: &json)
        return try JSONDocument(parsing: buffer.readable).root
    }

    // MARK: The verdict

    @Test(arguments: [(1, .unused), (0, .inUse), (-1, .inUse)] as [(Int64, MigrationReport.Verdict)])
    func `What was used in the window's first second or later is in use`(
        seconds: Int64, verdict: MigrationReport.Verdict
    ) {
        #expect(Self.report(Self.answer([Audience(use: Self.used(secondsBefore: seconds))])).verdict == verdict)
    }

    @Test func `Use on the window's first day, but before it, is no use in it, and is not counted`() throws {
        let noon = Self.start + LegacyUseTests.day / 2
        let use = Self.used(secondsBefore: -60)
        let report = Self.report(Self.answer([Audience(use: use)]), since: noon)
        #expect(report.verdict == .unused)
        #expect(use.count(since: noon).requests == 0)
        let later = LegacyUseTests.use(LegacyUseTests.tally([(Self.start + 60, 1, nil, 0, "a"), (noon, 2, nil, 0, "a")]))
        #expect(Self.report(Self.answer([Audience(use: later)]), since: noon).verdict == .inUse)
        // Never less than there were.
        #expect(later.count(since: noon).requests == 2)
    }

    @Test func `One replica that still sees it is enough`() {
        let report = Self.report(
            Self.answer([Audience(use: Self.used(secondsBefore: 100))], instance: "one"),
            Self.answer([Audience(use: Self.used(secondsBefore: 0))], instance: "two"))
        #expect(report.verdict == .inUse)
        #expect(report.used.map(\.name) == ["web"])
        #expect(report.rows.map(\.proxyCount) == [2])
    }

    @Test func `Where nobody was asked, nothing is known`() throws {
        let report = Self.report()
        #expect(report.verdict == .unknown)
        #expect(report.text() == "")
        #expect(try Self.json(report)["verdict"]?.string == "unknown")
    }

    @Test func `A proxy that could not be asked makes it unknown, whatever the others say`() throws {
        for use in [LegacyUse(), Self.used(secondsBefore: 0)] {
            var report = Self.report(Self.answer([Audience(use: use)]))
            report.addFailure("could not connect: Connection refused", of: "http://b")
            #expect(report.verdict == .unknown)
            #expect(report.text() == "")
            let root = try Self.json(report)
            #expect(root["verdict"]?.string == "unknown")
            #expect(root["legacy_audiences"] == nil && root["proxies"] == nil)
            let failure = try #require(root["failures"]?.elements.first { _ in true })
            #expect(failure["admin"]?.string == "http://b")
            #expect(failure["reason"]?.string == "could not connect: Connection refused")
        }
    }

    @Test(arguments: [
        "", "[]", "{}", "<html>", "{\"version\":1}",
        "{\"version\":1,\"instance\":\"a\",\"time\":\"2027-01-18T00:00:00Z\"}",
        "{\"version\":1,\"instance\":\"a\",\"time\":\"2027-01-18T00:00:00Z\",\"legacy_audiences\":{}}",
        "{\"version\":1,\"instance\":\"a\",\"time\":\"2027-01-18T00:00:00Z\",\"legacy_audiences\":[{}]}",
        "{\"version\":1,\"instance\":1,\"time\":\"2027-01-18T00:00:00Z\",\"legacy_audiences\":[]}",
        "{\"version\":1,\"instance\":\"a\",\"time\":1,\"legacy_audiences\":[]}",
        "{\"version\":\"1\",\"instance\":\"a\",\"time\":\"2027-01-18T00:00:00Z\",\"legacy_audiences\":[]}",
    ])
    func `What is no answer is a failure, and nothing of it is counted`(text: String) {
        let report = Self.report(Array(text.utf8))
        #expect(
            report.failures
                == [.init(address: "http://a", reason: "its answer is not that of an antechamber's /migration")])
        #expect(report.proxies.isEmpty && report.rows.isEmpty && report.verdict == .unknown)
    }

    @Test(arguments: ["issuer", "name", "audience", "phase", "counted_since", "requests", "routes", "days"])
    func `An answer that lacks something of an audience is none`(name: String) throws {
        let whole = String(decoding: Self.answer([Audience(use: LegacyUseTests.example)]), as: UTF8.self)
        let renamed = whole.split(separator: "\"\(name)\":", maxSplits: 1, omittingEmptySubsequences: false)
        try #require(renamed.count == 2)
        let report = Self.report(Array((renamed[0] + "\"another\":" + renamed[1]).utf8))
        #expect(report.verdict == .unknown && report.failures.count == 1)
    }

    @Test func `An answer of another version is a failure of its own`() {
        let report = Self.report(Self.answer([], version: 2))
        #expect(report.failures.map(\.reason) == ["its answer is of version 2, and this antechamber reads version 1"])
        #expect(report.verdict == .unknown)
    }

    @Test func `One proxy by two names is a failure, as another one was meant, and would count twice`() {
        let answer = Self.answer([Audience(use: LegacyUseTests.example)])
        let report = Self.report(answer, answer)
        #expect(
            report.failures == [
                .init(
                    address: "http://b", reason: "it is the same proxy as http://a, and its requests would count twice")
            ])
        #expect(report.rows.map(\.use.requests) == [LegacyUseTests.example.requests])
        #expect(report.verdict == .unknown)
    }

    @Test(arguments: [
        (-301, "its clock is 301 s behind this machine's, so that its last requests cannot be placed"), (-300, nil),
        (0, nil), (300, nil),
        (301, "its clock is 301 s ahead of this machine's, so that its last requests cannot be placed"),
    ] as [(Int64, String?)])
    func `A proxy of another time is a failure: its last request may be within our window`(skew: Int64, reason: String?) {
        let report = Self.report(Self.answer([Audience()], time: Self.now + skew))
        #expect(report.failures.map(\.reason) == (reason.map { [$0] } ?? []))
        #expect(report.verdict == (reason == nil ? .unused : .unknown))
    }

    @Test func `A proxy that has not counted for the whole window is told, and fails where the whole is asked for`() throws {
        let late = Audience(countedSince: Self.start + 1)
        for (answers, isLate) in [([Audience()], false), ([late], true), ([Audience(name: "cli"), late], true)] {
            let report = Self.report(Self.answer(answers))
            #expect(report.verdict == .unused)
            #expect(report.lateProxies.map(\.address) == (isLate ? ["http://a"] : []))
            #expect(report.text().contains("http://a has counted since 2027-01-15T00:00:01Z only") == isLate)
            #expect(report.text().contains("None was seen since") == isLate)
            #expect(try Self.json(report)["whole_window"]?.bool == !isLate)
            let strict = Self.report(Self.answer(answers), needsWholeWindow: true)
            #expect(strict.verdict == (isLate ? .unknown : .unused))
            #expect(strict.text().contains("Not known: ") == isLate)
            #expect(try Self.json(strict)["verdict"]?.string == (isLate ? "unknown" : "unused"))
        }
        // Counting since the window's first second is enough; use that was seen is use, however short the count.
        #expect(
            Self.report(Self.answer([Audience(countedSince: Self.start)]), needsWholeWindow: true).verdict == .unused)
        let used = Audience(countedSince: Self.start + 1, use: Self.used(secondsBefore: -1))
        #expect(Self.report(Self.answer([used]), needsWholeWindow: true).verdict == .inUse)
    }

    // MARK: What is shown

    @Test func `The report is a table, what is behind what is used, and an answer`() {
        let report = Self.report(
            Self.answer([Audience(phase: "deprecated", use: LegacyUseTests.example), Audience(name: "cli")]),
            Self.answer([Audience(phase: "deprecated", use: LegacyUseTests.example)], instance: "two"))
        #expect(
            report.text() == """
                Use of the legacy audiences since 2027-01-15T00:00:00Z, at 2 proxies

                NAME  PHASE       REQUESTS  SUBJECTS  LAST SEEN             NEWEST TOKEN          AUDIENCE
                web   deprecated  6         2         2027-01-15T00:01:02Z  2027-01-15T00:00:00Z  ID-web
                cli   accepted    0         0         never                 -                     ID-cli

                web, over all its time:
                  routes       / (4), /admin (4)
                  user agents  curl/8 (4), (none) (2), Mozilla/5.0 (2)

                cli is configured at 1 of 2 proxies.

                1 of 2 is still used: web.

                """)
    }

    @Test func `Figures that are of whole days, where the window is not, are said to be`() {
        let report = Self.report(Self.answer([Audience(use: LegacyUseTests.example)]), since: Self.start + 30)
        #expect(
            report.text().contains(
                "\n\nREQUESTS and SUBJECTS are of whole days (UTC), from 2027-01-15 on; LAST SEEN is exact, and decides.\n\n"))
    }

    @Test func `Where nobody came it says that the lines can go`() {
        #expect(
            Self.report(Self.answer([Audience()])).text() == """
                Use of the legacy audiences since 2027-01-15T00:00:00Z, at 1 proxy

                NAME  PHASE     REQUESTS  SUBJECTS  LAST SEEN  NEWEST TOKEN  AUDIENCE
                web   accepted  0         0         never      -             ID-web

                None was used since 2027-01-15T00:00:00Z: what names them can be deleted.

                """)
    }

    @Test func `Audiences of two issuers are told apart, and the table says whose they are`() {
        let report = Self.report(
            Self.answer([Audience()]),
            Self.answer([Audience()], issuer: "https://other.example/", instance: "two"))
        #expect(report.rows.map(\.issuer) == ["https://issuer.example/", "https://other.example/"])
        #expect(report.text().contains("AUDIENCE  ISSUER\n"))
        #expect(report.text().contains("ID-web    https://other.example/\n"))
    }

    @Test func `Where nothing is configured it says so, and that is a pass`() {
        let report = Self.report(Self.answer([]))
        #expect(report.text() == "No legacy audience is configured (1 proxy asked).\n")
        #expect(report.verdict == .unused)
    }

    @Test func `Colours are for terminals, and nothing that answers can move the cursor`() {
        let report = Self.report(Self.answer([Audience(phase: "\u{1B}[2J\u{202E}x", use: LegacyUseTests.example)]))
        #expect(!report.text().unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
        #expect(report.text().contains("?[2J?x"))
        #expect(report.text(colour: true).contains("\u{1B}[1mNAME"))
        #expect(report.text(colour: true).hasSuffix("\u{1B}[31m1 of 1 is still used: web.\u{1B}[0m\n"))
    }

    @Test func `Machines get the same, without sketches`() throws {
        let report = Self.report(Self.answer([Audience(phase: "deprecated", use: LegacyUseTests.example)]))
        let root = try Self.json(report)
        #expect(root["verdict"]?.string == "in_use")
        #expect(root["since"]?.string == "2027-01-15T00:00:00Z")
        #expect(root["failures"] == nil)
        let proxy = try #require(root["proxies"]?.elements.first { _ in true })
        #expect(proxy["admin"]?.string == "http://a")
        #expect(proxy["counted_since"]?.string == "2026-10-07T00:00:00Z")
        let row = try #require(root["legacy_audiences"]?.elements.first { _ in true })
        #expect(row["proxies"]?.integer == 1)
        #expect(row["requests"]?.integer == 4)
        #expect(row["requests_since"]?.integer == 3)
        #expect(row["subjects_since"]?.integer == 2)
        #expect(row["in_use"]?.bool == true)
        #expect(row["last_seen"]?.string == "2027-01-15T00:01:02Z")
        let days = try #require(row["days"])
        #expect(days.count == 1)
        #expect(days.elements.first { _ in true }?["sketch"] == nil)
        #expect(try Self.json(Self.report(Self.answer([Audience()])))["verdict"]?.string == "unused")
    }

    // MARK: Bounds

    @Test func `The longest window is counted whole, its first day too`() {
        var use = LegacyUse()
        let day = LegacyUseTests.day
        for number in 0..<200 {
            let at = Self.start + Int64(number) * day
            use.add(LegacyUseTests.tally([(at, 1, nil, 0, "a")]), routeNames: ["/", "/admin"])
        }
        // At noon of the last day: the window touches one day more than it is long.
        let end = Self.start + 199 * day + day / 2
        let requests = use.count(since: end - Int64(LegacyUse.windowDaysMax) * day).requests
        #expect(requests == UInt64(LegacyUse.windowDaysMax) + 1)
    }
}
