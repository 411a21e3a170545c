// Lines that programs for Apache's and nginx's logs read, and that nothing a client sends can break.

import Bytes
import Observability
import Testing

@Suite struct CombinedFormatTests {
    private static func line(
        client: String = "192.0.2.7", subject: String = "auth0|42", method: String = "GET", path: String = "/orders",
        referrer: String = "https://app.example/list", userAgent: String = "curl/8.5"
    ) -> String {
        var record = AccessRecord()
        record.wallNanoseconds = 1_800_000_000_987_654_321
        record.status = 200
        record.responseBodyBytes = 512
        let out = ByteBuffer(capacity: 16)
        let texts = [client, subject, method, path, referrer, userAgent].map { Array($0.utf8) }
        let (client, subject, method) = (texts[0], texts[1], texts[2])
        let (path, referrer, userAgent) = (texts[3], texts[4], texts[5])
        record.appendCombined(
            to: out, client: client.span, subject: subject.span, method: method.span, path: path.span, version: "HTTP/1.1",
            referrer: referrer.span, userAgent: userAgent.span)
        return out.readable.text()
    }

    @Test func `A line is this, to the byte`() {
        #expect(
            Self.line() == """
                192.0.2.7 - auth0|42 [15/Jan/2027:08:00:00 +0000] "GET /orders HTTP/1.1" 200 512 \
                "https://app.example/list" "curl/8.5"

                """)
    }

    @Test func `What is not there is a hyphen`() {
        #expect(
            Self.line(subject: "", method: "", path: "", referrer: "", userAgent: "") == """
                192.0.2.7 - - [15/Jan/2027:08:00:00 +0000] "-" 200 512 "-" "-"

                """)
    }

    @Test(arguments: [
        ("https://app.example/a?code=s3cr3t", "https://app.example/a"), ("https://app.example/#token=s3cr3t", "https://app.example/"),
        ("https://app.example/a#b?s3cr3t", "https://app.example/a"), ("?s3cr3t", "-"), ("https://app.example/", "https://app.example/"),
    ])
    func `The referring page's query is left out`(referrer: String, expected: String) {
        let line = Self.line(referrer: referrer)
        #expect(line.contains(" 200 512 \"\(expected)\" \"curl/8.5\"\n"))
        #expect(!line.contains("s3cr3t"))
    }

    @Test(arguments: [
        "a\"b", "a\\b", "a\nb", "a\r\nb", "a\u{0}b", "a\tb", "caf\u{e9}", "\u{7f}", "\u{1b}[31m", "\" 200 0 \"-\" \"x", "]", "\\x22",
    ])
    func `Whatever a client sends, a line stays one line of as many fields`(text: String) throws {
        let usual = #/^\S+ - \S+ \[15/Jan/2027:08:00:00 \+0000\] "GET \S+ HTTP/1\.1" 200 512 "[^"]*" "[^"]*"\n$/#
        for line in [
            Self.line(subject: text), Self.line(path: "/" + text.replacing(" ", with: "")), Self.line(referrer: text),
            Self.line(userAgent: text),
        ] {
            #expect(try usual.wholeMatch(in: line) != nil, "\(line)")
            #expect(line.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A })
            // Restored, it is what was sent.
            #expect(Self.unescaped(line).contains(text.replacing(" ", with: "")) || Self.unescaped(line).contains(text))
        }
        #expect(Self.line(subject: "a b\u{2028}").contains(" - a\\x20b\\xe2\\x80\\xa8 ["))
    }

    private static func unescaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "x") {
                rest.removeFirst()
                let digits = rest.prefix(2)
                rest.removeFirst(2)
                bytes.append(UInt8(String(decoding: digits, as: UTF8.self), radix: 16)!)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
