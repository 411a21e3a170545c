import Testing

@testable import Configuration

@Suite("Quantities and suggestions")
struct QuantityTests {
    @Test(
        "durations",
        arguments: [
            ("500ms", 500), ("30s", 30_000), ("10m", 600_000), ("24h", 86_400_000), ("7d", 604_800_000), ("75", 75_000),
            ("0", 0), ("106751991167d", 9_223_372_036_828_800_000),
        ] as [(String, Int64)])
    func durations(text: String, milliseconds: Int64) {
        #expect(Quantity.milliseconds(text) == milliseconds)
    }

    @Test(
        "what is no duration",
        arguments: [
            "", "s", "-1s", "+1s", "1.5s", "1 s", "1S", "1w", "1h30m", "0x1s", "106751991168d", "9223372036854775808ms",
            "٣s", "5\u{301}s", "1s ",
        ])
    func noDurations(text: String) {
        #expect(Quantity.milliseconds(text) == nil)
    }

    @Test(
        "sizes",
        arguments: [("0", 0), ("512", 512), ("8k", 8192), ("8K", 8192), ("1m", 1 << 20), ("2G", 2 << 30)]
            as [(String, Int64)])
    func sizes(text: String, bytes: Int64) {
        #expect(Quantity.bytes(text) == bytes)
    }

    @Test("what is no size", arguments: ["", "k", "1kb", "-1", "1.5m", "9223372036854775807k", "8589934592g"])
    func noSizes(text: String) {
        #expect(Quantity.bytes(text) == nil)
    }

    @Test(
        "a suggestion is near, or is none",
        arguments: [
            ("audiance", "audience"), ("adience", "audience"), ("uadience", "audience"), ("AUDIENCE", "audience"),
            ("listne", "listen"), ("xyz", nil), ("", nil), ("a", nil),
        ] as [(String, String?)])
    func suggestions(word: String, meant: String?) {
        #expect(suggestion(for: word, among: ["listen", "audience", "issuer"]) == meant)
    }
}
