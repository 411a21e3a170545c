import Testing

@testable import Bytes

@Suite struct RFC3339Tests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2027-03-31T00:00:00Z", 1_806_451_200), ("2000-02-29T12:00:00z", 951_825_600),
        ("2027-03-31t02:00:00+02:00", 1_806_451_200), ("2027-03-30T19:00:00-05:00", 1_806_451_200),
        ("9999-12-31T23:59:59Z", RFC3339.unixSecondsMax), ("1970-01-01T01:00:00+01:00", 0),
    ] as [(String, Int64)])
    func `An instant is read in UTC and with an offset`(text: String, seconds: Int64) {
        #expect(RFC3339.unixSeconds(text) == seconds)
    }

    @Test(arguments: [
        "", "2027-03-31", "2027-03-31T00:00:00", "2027-03-31 00:00:00Z", "2027-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2027-13-01T00:00:00Z", "2027-00-01T00:00:00Z",
        "2027-04-31T00:00:00Z", "2027-04-00T00:00:00Z", "2027-03-31T24:00:00Z", "2027-03-31T00:60:00Z",
        "2027-03-31T00:00:60Z", "2027-03-31T00:00:00.5Z", "2027-03-31T00:00:00ZZ", "2027-03-31T00:00:00+2:00",
        "2027-03-31T00:00:00+0200", "2027-03-31T00:00:00+24:00", "1969-12-31T23:59:59Z", "+027-03-31T00:00:00Z",
        "1970-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2027-03-31T00:00:0\u{664}Z",
    ])
    func `What is no instant to the second is none at all`(text: String) {
        #expect(RFC3339.unixSeconds(text) == nil)
    }

    @Test func `What is written is read back, on each day of four centuries`() {
        for day in stride(from: Int64(0), to: 150_000, by: 1) {
            let seconds = day * 86_400 + day % 86_400
            #expect(RFC3339.unixSeconds(RFC3339.text(seconds)) == seconds)
        }
        #expect(RFC3339.text(1_806_451_200) == "2027-03-31T00:00:00Z")
        #expect(RFC3339.text(.max) == "9999-12-31T23:59:59Z")
    }
}
