// The ledger as JSON: what lies in `state_dir`, and what `/migration` answers. One form for both, so that whoever reads
// one reads the other.

internal import Bytes
public import JOSE

extension LegacyUse {
    /// Writes the members of an object that has been begun: everything, so that it can be read back.
    public func writeMembers(into json: inout JSONWriter) {
        writeTotals(into: &json)
        json.name("days")
        json.array(days) { json, day in
            json.object { json in
                day.writeCounts(into: &json)
                json.member("sketch", day.subjects.text)
            }
        }
    }

    /// Writes the same for whoever only looks: the days from that of `start` on, in Unix seconds, and no sketches.
    public func writeMembers(into json: inout JSONWriter, daysSince start: Int64) {
        writeTotals(into: &json)
        json.name("days")
        json.array(days(since: start)) { json, day in
            json.object { json in day.writeCounts(into: &json) }
        }
    }

    private func writeTotals(into json: inout JSONWriter) {
        json.member("requests", Int64(clamping: requests))
        for (name, seconds) in [
            ("first_seen", firstSeen), ("last_seen", lastSeen), ("last_issued", lastIssuedAt),
        ] {
            json.member(name, seconds.map(RFC3339.text))
        }
        for (name, list) in [("routes", routes), ("user_agents", userAgents)] {
            json.name(name)
            json.array(list.entries) { json, entry in entry.write(into: &json) }
        }
    }

    /// Reads an object with those members, whatever others it has; nil where one is missing or is not what it should be.
    public init?(_ object: JSONValue) {
        guard let requests = object["requests"]?.integer, requests >= 0 else { return nil }
        self.requests = UInt64(requests)
        var instants: [Int64?] = []
        for name in ["first_seen", "last_seen", "last_issued"] {
            guard let member = object[named: name] else {
                instants.append(nil)
                continue
            }
            guard let seconds = member.string.flatMap(RFC3339.unixSeconds) else { return nil }
            instants.append(seconds)
        }
        (firstSeen, lastSeen, lastIssuedAt) = (instants[0], instants[1], instants[2])
        guard (firstSeen == nil) == (lastSeen == nil), firstSeen ?? 0 <= lastSeen ?? 0 else { return nil }
        guard let routes = TopList(object["routes"]), let userAgents = TopList(object["user_agents"]) else { return nil }
        self.routes = routes
        self.userAgents = userAgents
        guard let days = object["days"], days.kind == .array, days.count <= Self.daysMax else { return nil }
        for element in days.elements {
            guard let day = Day(element), day.number > self.days.last?.number ?? -1 else { return nil }
            self.days.append(day)
        }
    }
}

extension LegacyUse.Day {
    fileprivate func writeCounts(into json: inout JSONWriter) {
        json.member("day", String(RFC3339.text(number * LegacyUse.secondsPerDay).prefix(10)))
        json.member("requests", Int64(clamping: requests))
        json.member("subjects", Int64(subjects.estimate))
    }

    fileprivate init?(_ object: JSONValue) {
        guard let day = object["day"]?.string, let seconds = RFC3339.unixSeconds(day + "T00:00:00Z"),
            let requests = object["requests"]?.integer, requests >= 0,
            let subjects = object["sketch"]?.string.flatMap(DistinctCount.init(text:))
        else { return nil }
        self.init(number: seconds / LegacyUse.secondsPerDay, requests: UInt64(requests), subjects: subjects)
    }
}

extension TopList {
    fileprivate init?(_ array: JSONValue?) {
        guard let array, array.kind == .array, array.count <= Self.entriesMax else { return nil }
        self.init()
        for element in array.elements {
            guard let name = element["name"]?.string, name.utf8.count <= Self.nameBytesMax,
                let count = element["count"]?.integer, let excess = element["excess"]?.integer,
                0 <= excess, excess <= count
            else { return nil }
            add(name, count: UInt64(count), excess: UInt64(excess))
        }
    }

    /// A route's text in a configuration may be longer than any user agent that is kept.
    private static let nameBytesMax = 4096
}

extension TopList.Entry {
    fileprivate func write(into json: inout JSONWriter) {
        json.beginObject()
        json.member("name", name)
        json.member("count", Int64(clamping: count))
        json.member("excess", Int64(clamping: excess))
        json.endObject()
    }
}
