import Bytes
import JOSE
import Testing

@testable import Migration

@Suite struct LegacyUseTests {
    static let day: Int64 = 86_400
    /// 2027-01-15T00:00:00Z.
    static let today: Int64 = 1_799_971_200

    static func tally(
        _ requests: [(at: Int64, subject: UInt64?, issuedAt: Int64?, route: Int, agent: String)]
    ) -> LegacyTally {
        var tally = LegacyTally(routeCount: 2)
        for request in requests {
            tally.record(
                at: request.at, subject: request.subject, issuedAt: request.issuedAt, route: request.route,
                userAgent: Array(request.agent.utf8).span)
        }
        return tally
    }

    static func use(_ tallies: LegacyTally...) -> LegacyUse {
        var use = LegacyUse()
        for tally in tallies { use.add(tally, routeNames: ["/", "/admin"]) }
        return use
    }

    static func text(_ use: LegacyUse) -> String {
        let buffer = ByteBuffer(capacity: 64)
        var json = JSONWriter(into: buffer)
        json.beginObject()
        use.writeMembers(into: &json)
        json.endObject()
        return buffer.readable.text()
    }

    static func parsed(_ text: String) throws -> LegacyUse? {
        LegacyUse(try JSONDocument(parsing: Array(text.utf8)).root)
    }

    static let example = use(
        tally([
            (today - 3 * day, DistinctCountTests.hashes(1..<2)[0], today - 4 * day, 0, "curl/8"),
        ]),
        tally([
            (today + 60, DistinctCountTests.hashes(1..<2)[0], today, 0, "curl/8"),
            (today + 61, DistinctCountTests.hashes(2..<3)[0], nil, 1, "Mozilla/5.0"),
            (today + 62, nil, today - 9 * day, 1, ""),
        ]))

    @Test func `A ledger tells how much, by whom, where, since when, and the newest token`() {
        let use = Self.example
        #expect(use.requests == 4)
        #expect(use.firstSeen == Self.today - 3 * Self.day)
        #expect(use.lastSeen == Self.today + 62)
        #expect(use.lastIssuedAt == Self.today)
        #expect(use.routes.entries.map { "\($0.name) \($0.count)" } == ["/ 2", "/admin 2"])
        #expect(use.userAgents.entries.map { "\($0.name) \($0.count)" } == ["curl/8 2", "(none) 1", "Mozilla/5.0 1"])
    }

    @Test func `Each day has its own counts, and who comes on several days is one subject of all`() {
        let use = Self.example
        #expect(use.days.map(\.number) == [Self.today / Self.day - 3, Self.today / Self.day])
        #expect(use.days.map(\.requests) == [1, 3])
        #expect(use.days.map(\.subjects.estimate) == [1, 2])
        var all = use.days[0].subjects
        all.formUnion(use.days[1].subjects)
        #expect(all.estimate == 2)
    }

    @Test func `A worker that is asked again has nothing to say twice`() {
        var tally = Self.tally([(Self.today, 1, nil, 0, "a")])
        let first = tally.take()
        #expect(first?.requests == 1)
        #expect(tally.take() == nil)
        tally.record(at: Self.today, subject: 1, issuedAt: nil, route: 0, userAgent: Array("a".utf8).span)
        #expect(tally.take()?.requests == 1)
    }

    @Test func `Many user agents at once are counted as others, and none of them grows the table`() {
        let tally = Self.tally((0..<1_000).map { (Self.today, nil, nil, 0, "agent \($0)") })
        #expect(tally.userAgents.entries.count == TopList.entriesMax)
        let all = tally.userAgents.entries.reduce(0) { $0 + $1.count }
        #expect(all == 1_000)
        let others = tally.userAgents.entries.first { $0.name == LegacyTally.others }
        #expect(others?.count == 1_000 - UInt64(TopList.entriesMax) + 1)
    }

    @Test func `A user agent is cut, and nothing in it but visible ASCII is kept`() {
        let tally = Self.tally([
            (Self.today, nil, nil, 0, "a\u{1B}[31m\u{e9}\"\\"), (Self.today, nil, nil, 0, String(repeating: "x", count: 5_000)),
        ])
        #expect(
            Set(tally.userAgents.entries.map(\.name))
                == ["a?[31m??\"\\", String(repeating: "x", count: LegacyTally.userAgentBytesMax)])
    }

    @Test func `Days beyond the bound are dropped, the oldest first, and the totals stay`() {
        var use = LegacyUse()
        for number in 0..<Int64(LegacyUse.daysMax) + 10 {
            use.add(Self.tally([(Self.today + number * Self.day, 1, nil, 0, "a")]), routeNames: ["/", "/admin"])
        }
        // Workers hand over in any order, and clocks are set.
        use.add(Self.tally([(Self.today + 50 * Self.day, 1, nil, 0, "a")]), routeNames: ["/", "/admin"])
        #expect(use.days.count == LegacyUse.daysMax)
        #expect(use.days.first?.number == Self.today / Self.day + 10)
        #expect(use.days.map(\.number) == use.days.map(\.number).sorted())
        #expect(use.requests == UInt64(LegacyUse.daysMax) + 11)
    }

    @Test func `Ledgers of two replicas add up, and subjects of both count once`() {
        var use = Self.example
        use.merge(Self.example)
        #expect(use.requests == 8)
        #expect(use.days.map(\.subjects.estimate) == [1, 2])
        #expect(use.days.map(\.requests) == [2, 6])
        #expect(use.firstSeen == Self.example.firstSeen && use.lastSeen == Self.example.lastSeen)
        var fresh = LegacyUse()
        fresh.merge(Self.example)
        #expect(fresh == Self.example)
        fresh.merge(LegacyUse())
        #expect(fresh == Self.example)
    }

    @Test func `A ledger is read back as it was written`() throws {
        #expect(try Self.parsed(Self.text(Self.example)) == Self.example)
        #expect(try Self.parsed(Self.text(LegacyUse())) == LegacyUse())
    }

    @Test func `It holds no subject`() {
        let text = Self.text(Self.example)
        #expect(text.contains("\"subjects\":2"))
        #expect(text.contains("\"first_seen\":\"2027-01-12T00:00:00Z\""))
    }

    @Test(arguments: [
        ("\"requests\":4", "\"requests\":-4"), ("\"requests\":4", "\"requests\":\"4\""),
        ("\"first_seen\":\"2027", "\"first_seen\":\"3027"), ("\"last_seen\"", "\"last\""),
        ("\"routes\":[", "\"routes\":[1,"), ("\"excess\":0", "\"excess\":9"), ("\"days\":[", "\"days\":[{},"),
        ("\"day\":\"2027-01-15\"", "\"day\":\"2027-01-12\""), ("\"day\":\"2027-01-15\"", "\"day\":\"2027-01-11\""),
        ("\"sketch\":\"", "\"sketch\":\"!"),
    ])
    func `What is no ledger is not read`(part: String, other: String) throws {
        let text = Self.text(Self.example)
        let range = try #require(text.firstRange(of: part))
        #expect(try Self.parsed(text.replacingCharacters(in: range, with: other)) == nil)
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with other: String) -> String {
        String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
