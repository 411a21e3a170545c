import Foundation
import JOSE
import Testing

@Suite struct JSONParserTests {
    @discardableResult
    static func parse(_ text: [UInt8]) throws(JSONError) -> JSONValue { try JSONDocument(parsing: text).root }
    @discardableResult
    static func parse(_ text: String) throws(JSONError) -> JSONValue { try parse(Array(text.utf8)) }

    static func failure(_ text: [UInt8]) -> JSONError? {
        do { try parse(text) } catch { return error }
        return nil
    }

    @Test(
        "Every kind of value may stand alone, with white space around it",
        arguments: [
            ("null", JSONKind.null), ("true", .bool), ("false", .bool), ("-0.5e+3", .number), ("\"x\"", .string),
            ("[]", .array), ("{}", .object), ("[ 1 , \t2\r\n]", .array), ("{ \"a\" : 1 , \"b\" : [ ] }", .object),
        ])
    func kinds(text: String, kind: JSONKind) throws {
        #expect(try Self.parse(text).kind == kind)
        #expect(try Self.parse(" \t\r\n" + text + " \t\r\n").kind == kind)
    }

    @Test("A span is parsed as an array is")
    func span() throws {
        #expect(try JSONDocument(parsing: Array("[1]".utf8).span).root.count == 1)
        let long = [UInt8](repeating: 0x20, count: JSONDocument.bytesMax + 1)
        #expect(throws: JSONError(kind: .tooLarge, offset: JSONDocument.bytesMax)) {
            try JSONDocument(parsing: long.span)
        }
    }

    @Test("Who expects a longer text than usual gets it parsed, up to the bound that is given")
    func longText() throws {
        let text = [UInt8(ascii: "[")] + [UInt8](repeating: 0x20, count: JSONDocument.bytesMax) + [UInt8(ascii: "]")]
        #expect(try JSONDocument(parsing: text, bytesMax: text.count).root.kind == .array)
        #expect(throws: JSONError(kind: .tooLarge, offset: text.count - 1)) {
            try JSONDocument(parsing: text, bytesMax: text.count - 1)
        }
    }

    @Test(
        "What RFC 8259 does not allow is refused where it goes wrong",
        arguments: [
            ("", JSONError.Kind.unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("x", .unexpectedByte, 0),
            ("nul", .unexpectedEnd, 0), ("nulL", .unexpectedByte, 0), ("True", .unexpectedByte, 0),
            ("NaN", .unexpectedByte, 0), ("Infinity", .unexpectedByte, 0), ("-Infinity", .unexpectedByte, 1),
            ("'a'", .unexpectedByte, 0), ("[1,]", .unexpectedByte, 3), ("[,1]", .unexpectedByte, 1),
            ("[1 2]", .unexpectedByte, 3), ("[", .unexpectedEnd, 1), ("[1", .unexpectedEnd, 2),
            ("]", .unexpectedByte, 0), ("{", .unexpectedEnd, 1), ("{,}", .unexpectedByte, 1),
            ("{\"a\"}", .unexpectedByte, 4), ("{\"a\":}", .unexpectedByte, 5), ("{\"a\":1,}", .unexpectedByte, 7),
            ("{a:1}", .unexpectedByte, 1), ("{1:1}", .unexpectedByte, 1), ("{\"a\":1", .unexpectedEnd, 6),
            ("{\"a\":1]", .unexpectedByte, 6), ("[1}", .unexpectedByte, 2), ("[1/**/]", .unexpectedByte, 2),
            ("1 2", .trailingBytes, 2), ("{}{}", .trailingBytes, 2), ("{}\u{0}", .trailingBytes, 2),
            ("01", .trailingBytes, 1), ("-", .unexpectedEnd, 1), ("+1", .unexpectedByte, 0), (".5", .unexpectedByte, 0),
            ("1.", .unexpectedEnd, 2), ("1.e5", .unexpectedByte, 2), ("1e", .unexpectedEnd, 2),
            ("1e+", .unexpectedEnd, 3),
            ("1e+x", .unexpectedByte, 3), ("-01", .trailingBytes, 2), ("0x10", .trailingBytes, 1),
            ("1_0", .trailingBytes, 1),
            ("\"", .unexpectedEnd, 1), ("\"\\", .unexpectedEnd, 2), ("\"\\x\"", .badEscape, 1),
            ("\"\\u12\"", .badEscape, 1),
            ("\"\\u12G4\"", .badEscape, 1), ("\"\\U0041\"", .badEscape, 1), ("\"a\nb\"", .controlCharacter, 2),
            ("\"\u{0}\"", .controlCharacter, 1), ("\"\u{1F}\"", .controlCharacter, 1),
            ("\u{FEFF}{}", .byteOrderMark, 0),
        ])
    func syntax(text: String, kind: JSONError.Kind, offset: Int) {
        #expect(Self.failure(Array(text.utf8)) == JSONError(kind: kind, offset: offset))
    }

    @Test(
        "A surrogate without its partner is refused",
        arguments: [
            "\"\\uD800\"", "\"\\uDC00\"", "\"\\uDBFFx\"", "\"\\uD800\\uD800\"", "\"\\uD800\\n\"", "\"\\uDC00\\uD800\"",
            "\"\\uD800\\", "\"\\udfff\"",
        ])
    func surrogates(text: String) {
        #expect(Self.failure(Array(text.utf8))?.kind == .loneSurrogate)
    }

    @Test(
        "Bytes that are not UTF-8 are refused",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xE0, 0x9F, 0xBF], [0xE1, 0x80],
            [0xE1, 0x80, 0x20], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF1, 0x80, 0x80],
            [0xF1, 0x80, 0x80, 0x20], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        #expect(Self.failure([0x22] + bytes + [0x22]) == JSONError(kind: .invalidUTF8, offset: 1))
        #expect(Self.failure([0x22] + bytes) == JSONError(kind: .invalidUTF8, offset: 1))
        #expect(Self.failure(bytes)?.kind == .unexpectedByte)
    }

    @Test("UTF-16 and UTF-32 are not taken for JSON", arguments: [String.Encoding.utf16, .utf16LittleEndian, .utf32])
    func otherEncodings(encoding: String.Encoding) {
        #expect(Self.failure(Array("{}".data(using: encoding)!)) != nil)
    }

    @Test("Every Unicode scalar may stand in a string, as itself and escaped")
    func scalars() throws {
        for value: UInt32 in [0x20, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF] {
            let scalar = String(Unicode.Scalar(value)!)
            #expect(try Self.parse("\"\(scalar)\"").string == scalar)
            let escaped = scalar.utf16.map { "\\u" + String(format: "%04x", $0) }.joined()
            #expect(try Self.parse("\"a\(escaped)b\"").string == "a\(scalar)b")
            #expect(
                try Self.parse("\"a\(escaped.uppercased().replacing("\\U", with: "\\u"))b\"").string == "a\(scalar)b")
        }
        #expect(try Self.parse(#""\"\\\/\b\f\n\r\t\u0000""#).string == "\"\\/\u{8}\u{C}\n\r\t\u{0}")
    }

    @Test("Nesting is taken to the bound and refused beyond, however long the text")
    func depth() throws {
        let bound = JSONDocument.depthMax
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = open == "[" ? "" : "1"
            let deepest = String(repeating: open, count: bound) + inner + String(repeating: close, count: bound)
            #expect(throws: Never.self) { try Self.parse(deepest) }
            let deeper = String(repeating: open, count: bound + 1)
            #expect(Self.failure(Array(deeper.utf8)) == JSONError(kind: .tooDeep, offset: bound * open.utf8.count))
            let million = String(repeating: open, count: 200_000)
            #expect(Self.failure(Array(million.utf8))?.kind == .tooDeep)
        }
    }

    @Test(
        "An object with a name twice is refused, at any level and in any spelling",
        arguments: [
            (#"{"a":1,"a":1}"#, 8), (#"{"a":1,"b":{},"a":2}"#, 15), (#"[{"x":{"a":1,"a":2}}]"#, 14),
            (#"{"a":1,"\u0061":2}"#, 8), (#"{"\u0061":1,"a":2}"#, 13), (#"{"":1,"":2}"#, 7),
            (#"{"\uD83D\uDE00":1,"😀":2}"#, 19), (#"{"a/b":1,"a\/b":2}"#, 10),
        ])
    func duplicates(text: String, offset: Int) {
        #expect(Self.failure(Array(text.utf8)) == JSONError(kind: .duplicateMember, offset: offset))
    }

    @Test("Names are the same by their bytes alone: not by case, nor by canonical equivalence")
    func distinctNames() throws {
        #expect(try Self.parse("{\"a\":1,\"A\":2,\"\u{E9}\":3,\"e\u{301}\":4,\"a\\u0000\":5}").count == 5)
        #expect(try Self.parse(#"{"a":{"a":1},"b":{"a":1}}"#).count == 2)
    }

    @Test("A repeated name is found among few and among many members", arguments: [2, 3, 23, 24, 25, 26, 100, 1000])
    func duplicatesBySize(count: Int) throws {
        for escaped in [false, true] {
            var names = (0..<count).map { "name\($0)" }
            if escaped { names[0] = "\\u006eame0" }
            let text = { "{" + names.map { "\"\($0)\":[0]" }.joined(separator: ",") + "}" }
            #expect(try Self.parse(text()).count == count)
            for (first, second) in [(0, count - 1), (count / 2 - 1, count / 2)] {
                let kept = names[second]
                names[second] = "name\(first)"
                #expect(Self.failure(Array(text().utf8))?.kind == .duplicateMember)
                names[second] = kept
            }
        }
    }

    // A quadratic search would compare two billion names, for many minutes; this one takes about a second.
    @Test("A huge object of names that look alike is searched within reason", .timeLimit(.minutes(1)))
    func hostileNames() throws {
        let members = (0..<60_000).map { "\"a\(100_000 + $0)\":0" }.joined(separator: ",")
        #expect(try Self.parse("{\(members)}").count == 60_000)
        #expect(Self.failure(Array("{\(members),\"a100000\":0}".utf8))?.kind == .duplicateMember)
    }

    @Test("A text cut anywhere is an error, never a value")
    func truncation() throws {
        let text = Array(#"{"a":[1,-2.5e3,true,null,"\u00e9\ud83d\ude00é"],"b":{"c":false}}"#.utf8)
        #expect(throws: Never.self) { try Self.parse(text) }
        for count in 0..<text.count {
            #expect(Self.failure(Array(text[..<count])) != nil)
        }
    }
}
