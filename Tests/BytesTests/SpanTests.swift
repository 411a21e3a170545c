import Bytes
import Testing

@Suite struct SpanTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("A range addresses its bytes, up to the very end")
    func slice() {
        let all = bytes("hello")
        let range = ByteRange(1..<4)
        #expect(range == ByteRange(offset: 1, count: 3))
        #expect((range.lowerBound, range.upperBound) == (1, 4))
        #expect(range.range == 1..<4)
        check(all.span.slice(range).text() == "ell")
        check(all.span.slice(ByteRange(offset: 5, count: 0)).copied() == [])
        #expect(ByteRange.empty.isEmpty)
        #expect(!range.isEmpty)
        #expect(ByteRange(offset: Int(UInt32.max), count: Int(UInt32.max)).upperBound == 2 * Int(UInt32.max))
    }

    @Test(
        "Equality is by byte and by length",
        arguments: [("", true), ("Host", false), ("hos", false), ("hostx", false), ("hosu", false)])
    func equality(other: String, isEmpty: Bool) {
        let host = bytes("host")
        let empty: [UInt8] = []
        check(host.span.equals("host"))
        check(empty.span.equals(""))
        check(!host.span.equals(bytes(other).span))
        check(empty.span.equals(bytes(other).span) == isEmpty)
    }

    @Test(
        "Case is ignored for A–Z alone",
        arguments: [
            ("HoSt", true), ("host", true), ("HOST", true), ("hos", false), ("hosT\u{0}", false),
            ("h\u{4F}\u{53}t", true),
            ("@ost", false),
        ])
    func caseInsensitive(text: String, isSame: Bool) {
        check(bytes(text).span.equalsIgnoringCase("host") == isSame)
        check(bytes(text).span.equalsIgnoringCase(bytes("hOst").span) == isSame)
    }

    @Test("Every byte is told from every other, whatever stands beside it", arguments: [1, 7, 8, 9, 15, 16, 17, 31, 33])
    func caseOfEachByte(count: Int) {
        let around = [UInt8](repeating: 0x6D, count: count)
        for place in [0, count / 2, count - 1] {
            for left in UInt8.min...UInt8.max {
                for right in [left, left ^ 0x20, left ^ 0x80, left &+ 1, 0x40, 0x5B, 0x60, 0x7B] {
                    var (one, other) = (around, around)
                    one[place] = left
                    other[place] = right
                    let isSame = ASCII.lowercased(left) == ASCII.lowercased(right)
                    if one.span.equalsIgnoringCase(other.span) != isSame { Issue.record("\(left) and \(right) at \(place)") }
                }
            }
        }
    }

    @Test("Comparing in constant time finds each difference", arguments: [0, 1, 7, 8, 31, 32, 33, 64, 100])
    func constantTime(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        check(bytes.span.equalsInConstantTime(bytes.span))
        check(!bytes.span.equalsInConstantTime((bytes + [0]).span))
        for place in bytes.indices {
            for bit in 0..<8 {
                var other = bytes
                other[place] ^= 1 << bit
                check(!bytes.span.equalsInConstantTime(other.span))
            }
        }
    }

    @Test("Bytes that differ by 0x20 without being letters are not the same")
    func caseOfNonLetters() {
        check(!bytes("[a]").span.equalsIgnoringCase("{a}"))
        check(!bytes("[a]").span.equalsIgnoringCase(bytes("{a}").span))
        check(![0xC9].span.equalsIgnoringCase([0xE9].span))
    }

    @Test("A search finds the first byte at or after its start")
    func search() {
        let all = bytes("a.b.c")
        let dot = UInt8(ascii: ".")
        check(all.span.firstIndex(of: dot) == 1)
        check(all.span.firstIndex(of: dot, from: 1) == 1)
        check(all.span.firstIndex(of: dot, from: 2) == 3)
        check(all.span.firstIndex(of: dot, from: 4) == nil)
        check(all.span.firstIndex(of: dot, from: 5) == nil)
        check(all.span.firstIndex(of: dot, from: 50) == nil)
        check([UInt8]().span.firstIndex(of: dot) == nil)
    }

    @Test("Text that is not UTF-8 shows the replacement character")
    func text() {
        check([0x61, 0xFF, 0x62].span.text() == "a\u{FFFD}b")
        check([UInt8]().span.text() == "")
    }

    @Test(
        "Strings are the same only if their bytes are",
        arguments: [
            ("a", "a", true), ("", "", true), ("a", "b", false), ("a", "aa", false), ("K", "\u{212A}", false),
            ("\u{E9}", "e\u{301}", false),
        ])
    func strings(left: String, right: String, isSame: Bool) {
        #expect(left.hasSameBytes(as: right) == isSame)
        #expect(right.hasSameBytes(as: left) == isSame)
    }

    /// `#expect` takes calls apart, and cannot take hold of a span.
    private func check(_ isTrue: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(isTrue, sourceLocation: sourceLocation)
    }

    @Test("Bytes come in the order of their first difference, and a beginning before what goes on", arguments: [
        ("", "", 0), ("", "a", -1), ("a", "a", 0), ("a", "b", -1), ("ab", "a", 1), ("b", "ab", 1), ("a\u{E9}", "az", 1),
    ])
    func order(left: String, right: String, sign: Int) {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        let order = left.span.order(right.span)
        #expect(order.signum() == sign)
        let reversed = right.span.order(left.span)
        #expect(reversed.signum() == -sign)
    }
}
