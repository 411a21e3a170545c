// Health checks in a row, as transcripts: + passed, - failed, and what a server counts as after each.

import Configuration
import Testing

@testable import Gateway

@Suite struct HealthTallyTests {
    private static let checks: [(rise: Int, fall: Int, checks: String, counts: String)] = [
        // At the start it counts as up.
        (2, 3, "+++", "uuu"),
        (2, 3, "---", "uud"),
        // Only what comes in a row counts.
        (2, 3, "--+--+---", "uuuuuuuud"),
        (2, 3, "---+-+-++", "uuddddddu"),
        (2, 3, "------++++---", "uudddddu" + "uuuud"),
        (1, 1, "-+-+", "dudu"),
        (3, 1, "-++-+++", "ddddddu"),
    ]

    @Test("so many bad ones in a row take a server out, and so many good ones bring it back", arguments: checks)
    func transcript(rise: Int, fall: Int, checks: String, counts: String) {
        var tally = HealthTally(UpstreamPolicy.HealthCheck(target: "/", rise: rise, fall: fall))
        var seen = ""
        var wasHealthy = tally.isHealthy
        for check in checks {
            let hasChanged = tally.note(passed: check == "+")
            #expect(hasChanged == (wasHealthy != tally.isHealthy))
            wasHealthy = tally.isHealthy
            seen.append(tally.isHealthy ? "u" : "d")
        }
        #expect(seen == counts)
    }
}
