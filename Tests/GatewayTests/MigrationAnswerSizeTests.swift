// The largest answer to `/migration` that a configuration can lead to, against what its reader takes.

import Admission
import Bytes
import JOSE
import Migration
import Testing

@testable import Gateway

@Suite("The size of /migration")
struct MigrationAnswerSizeTests {
    /// As long as `LocationPath.bytesMax` and "= " make it.
    private static let routeNames = (10..<10 + TopList.entriesMax).map { "= /\($0)" + String(repeating: "a", count: 1021) }

    /// A use of which everything is as long as a configuration and clients can make it.
    private static let largest: LegacyUse = {
        var tally = LegacyTally(routeCount: routeNames.count)
        let lastDay: Int64 = 253_402_300_000
        for request in 0..<4_000 {
            // A quote and a backslash are two bytes each in JSON, and no other byte that is kept is more than one.
            let agent = "\(request % 20)" + String(repeating: "\"", count: LegacyTally.userAgentBytesMax)
            tally.record(
                at: lastDay - 100 * 86_400, subject: .random(in: .min ... .max), issuedAt: lastDay,
                route: request % routeNames.count, userAgent: Array(agent.utf8).span)
        }
        var use = LegacyUse()
        for day in 0..<Int64(LegacyUse.daysMax) {
            tally.record(
                at: lastDay + (day - 90) * 86_400, subject: nil, issuedAt: nil, route: 0, userAgent: [UInt8]().span)
            use.add(tally, routeNames: routeNames)
        }
        return use
    }()

    private static func answer(audienceCount: Int) -> [UInt8] {
        let buffer = ByteBuffer(capacity: 1 << 20)
        var json = JSONWriter(into: buffer)
        // Issuers and audiences have at most 2048 and 1024 bytes.
        let longest = String(repeating: "\\", count: 1020)
        json.object { json in
            json.member("version", 1)
            json.member("instance", String(UInt64.max, radix: 16))
            json.member("time", "2027-01-15T00:00:00Z")
            json.name("legacy_audiences")
            json.array(Array(0..<audienceCount)) { json, index in
                let audience = LegacyAudience(
                    audience: "\(100 + index)" + longest, name: String(repeating: "n", count: 64),
                    deprecatedAt: 1, acceptUntil: 1, issuedBefore: 1)
                json.object { json in
                    json.member("issuer", longest + longest)
                    json.member("name", audience.name)
                    json.member("audience", audience.audience)
                    audience.writeState(at: 0, into: &json)
                    json.member("counted_since", "2027-01-15T00:00:00Z")
                    largest.writeMembers(into: &json)
                }
            }
        }
        return buffer.readable.copied()
    }

    @Test("As many legacy audiences as there may be, used by many on every day, fit into what the report reads")
    func bound() {
        let use = Self.largest
        #expect(use.days.count == LegacyUse.daysMax)
        #expect(use.days.allSatisfy { $0.subjects.text.utf8.count > 2_700 }, "the sketches are not full ones")
        #expect(use.routes.entries.count == TopList.entriesMax && use.userAgents.entries.count == TopList.entriesMax)
        let one = Self.answer(audienceCount: 1).count
        let all = one * AdmissionPolicy.legacyAudiencesMax
        #expect(all <= MigrationReport.answerBytesMax)
        #expect(all > MigrationReport.answerBytesMax / 2, "the bound is far too high")
    }

    @Test("An answer beyond what JSON is usually taken of is read")
    func long() {
        let answer = Self.answer(audienceCount: 4)
        #expect(answer.count > JSONDocument.bytesMax)
        var report = MigrationReport(since: 0, now: 1_799_971_200)
        report.add(answer, from: "http://a")
        #expect(report.failures == [])
        #expect(report.rows.count == 4)
    }

    @Test("The ledger of one audience at its longest is read back from state_dir")
    func file() throws {
        let file = LedgerFile(issuer: "https://issuer.example/", LegacyAudience(audience: "old", name: "web"))
        let contents = LedgerFile.Contents(use: Self.largest, countedSince: 1)
        let bytes = file.encoded(contents)
        #expect(bytes.count <= LedgerFile.bytesMax)
        #expect(try file.contents(parsing: bytes) == contents)
    }
}
