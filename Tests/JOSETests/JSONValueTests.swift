import Bytes
import JOSE
import Testing

@Suite struct JSONValueTests {
    static func parse(_ text: String) throws -> JSONValue { try JSONDocument(parsing: Array(text.utf8)).root }

    @Test("Members are found by name, whatever stands before them")
    func members() throws {
        let value = try Self.parse(
            #"{"iss":"a","nested":{"iss":"b","list":[{"x":1},[2]]},"n\u0061me":true,"":0,"exp":12}"#)
        #expect(value["iss"]?.string == "a")
        #expect(value["nested"]?["iss"]?.string == "b")
        #expect(value["nested"]?["list"]?.elements.map(\.kind) == [.object, .array])
        #expect(value["name"]?.bool == true)
        #expect(value[""]?.integer == 0)
        #expect(value["exp"]?.integer == 12)
        #expect(value["list"]?.kind == nil)
        #expect(value["isss"]?.kind == nil)
        #expect(value["is"]?.kind == nil)
        #expect(value.members.map(\.name) == ["iss", "nested", "name", "", "exp"])
        #expect(value.members.map(\.value.kind) == [.string, .object, .bool, .number, .number])
        #expect(value.count == 5)
    }

    @Test("A name is looked up by its bytes: canonically equivalent ones are others")
    func names() throws {
        let value = try Self.parse("{\"e\u{301}\":1,\"\u{212A}\":2}")
        #expect(value["\u{E9}"]?.kind == nil)
        #expect(value["K"]?.kind == nil)
        #expect(value["e\u{301}"]?.integer == 1)
    }

    @Test("Accessors of another kind answer nil", arguments: ["null", "true", "1", "\"1\"", "[1]", #"{"a":1}"#])
    func kinds(text: String) throws {
        let value = try Self.parse(text)
        #expect((value.bool != nil) == (value.kind == .bool))
        #expect((value.string != nil) == (value.kind == .string))
        #expect((value.number != nil) == (value.kind == .number))
        #expect((value.integer != nil) == (value.kind == .number))
        #expect((value.numberText != nil) == (value.kind == .number))
        #expect((value["a"] != nil) == (value.kind == .object))
        #expect(value.count == (value.kind == .array || value.kind == .object ? 1 : 0))
        #expect(Array(value.elements).count == (value.kind == .array ? 1 : 0))
        #expect(Array(value.members).count == (value.kind == .object ? 1 : 0))
        #expect(value.isString("1") == (value.kind == .string))
    }

    @Test(
        "Strings are compared without being made, escapes resolved",
        arguments: [
            (#""abc""#, "abc", true), (#""abc""#, "ab", false), (#""abc""#, "abcd", false), (#""abc""#, "abd", false),
            (#""\u0061bc""#, "abc", true), (#""\u0061bc""#, "abcd", false), (#""\u0061bc""#, "ab", false),
            (#""\u00e9""#, "é", true), (#""é""#, "e\u{301}", false), (#""""#, "", true), (#""\u0000""#, "", false),
            (#""\ud83d\ude00""#, "😀", true),
        ])
    func isString(text: String, other: String, isSame: Bool) throws {
        #expect(try Self.parse(text).isString(other) == isSame)
    }

    @Test("A view outlives the variable that held its document")
    func lifetime() throws {
        var value: JSONValue? = try Self.parse(#"{"a":{"b":"c"}}"#)
        let inner = value?["a"]?["b"]
        value = nil
        #expect(inner?.string == "c")
    }

    @Test(
        "Numbers are exact, whole or known not to be",
        arguments: [
            ("0", JSONNumber.integer(0)), ("-0", .integer(0)), ("0.0", .integer(0)),
            ("0e999999999999999999999", .integer(0)),
            ("-0.000e-5", .integer(0)), ("1", .integer(1)), ("-1", .integer(-1)), ("1.0", .integer(1)),
            ("1e3", .integer(1000)), ("1E+3", .integer(1000)), ("1.5e1", .integer(15)), ("150e-1", .integer(15)),
            ("1000e-3", .integer(1)), ("0.001e3", .integer(1)), ("12.340e2", .integer(1234)),
            ("9007199254740993", .integer(9_007_199_254_740_993)),
            ("9007199254740993.0", .integer(9_007_199_254_740_993)),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("922337203685477580.7e1", .integer(.max)),
            ("9223372036854775808", .outOfRange(isNegative: false)),
            ("-9223372036854775809", .outOfRange(isNegative: true)),
            ("18446744073709551616", .outOfRange(isNegative: false)), ("1e19", .outOfRange(isNegative: false)),
            ("1e18", .integer(1_000_000_000_000_000_000)), ("1e400", .outOfRange(isNegative: false)),
            ("-1e400", .outOfRange(isNegative: true)), ("1e99999999999999999999999", .outOfRange(isNegative: false)),
            ("1.5", .fraction(floor: 1)), ("-1.5", .fraction(floor: -2)), ("0.5", .fraction(floor: 0)),
            ("-0.5", .fraction(floor: -1)), ("1e-1", .fraction(floor: 0)), ("1e-400", .fraction(floor: 0)),
            ("-1e-99999999999999999999999", .fraction(floor: -1)), ("15e-1", .fraction(floor: 1)),
            ("9223372036854775807.5", .fraction(floor: .max)), ("-9223372036854775807.5", .fraction(floor: .min)),
            ("-9223372036854775808.5", .outOfRange(isNegative: true)),
            ("9223372036854775808.5", .outOfRange(isNegative: false)),
            ("99999999999999999999.5", .outOfRange(isNegative: false)),
            ("1700000000.000000000000000000001", .fraction(floor: 1_700_000_000)),
        ])
    func numbers(text: String, expected: JSONNumber) throws {
        let value = try Self.parse(text)
        #expect(value.number == expected)
        #expect(value.numberText == text)
        if case .integer(let integer) = expected {
            #expect(value.integer == integer)
        } else {
            #expect(value.integer == nil)
        }
    }

    @Test("Zeros by the hundred thousand change no value")
    func longNumbers() throws {
        let zeros = String(repeating: "0", count: 200_000)
        #expect(try Self.parse("7.\(zeros)").number == .integer(7))
        #expect(try Self.parse("0.\(zeros)7e200001").number == .integer(7))
        #expect(try Self.parse("7\(zeros)e-200000").number == .integer(7))
        #expect(try Self.parse("7\(zeros)").number == .outOfRange(isNegative: false))
        #expect(try Self.parse("7.\(zeros)1").number == .fraction(floor: 7))
    }

    @Test("Whatever stands at whichever place of a text, it is read as it was written", arguments: [false, true])
    func places(asciiOnly: Bool) throws {
        let scalars = (0..<0x80).map { Unicode.Scalar($0)! } + ["\u{80}", "é", "\u{2028}", "\u{FFFD}", "😀"]
        for scalar in scalars {
            for place in [0, 1, 7, 8, 9, 15, 17] {
                var text = String(repeating: "a", count: place)
                text.unicodeScalars.append(scalar)
                text += "ü\"" + String(repeating: "b", count: 17 - place)
                let written = Self.write(asciiOnly: asciiOnly) { $0.string(text) }
                #expect(try JSONDocument(parsing: Array(written.utf8)).root.string == text, "\(scalar.value) at \(place)")
                #expect(written.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
                if asciiOnly { #expect(written.utf8.allSatisfy { $0 < 0x80 }) }
            }
        }
    }

    static func write(asciiOnly: Bool = false, _ body: (inout JSONWriter) -> Void) -> String {
        let buffer = ByteBuffer(capacity: 8)
        var writer = JSONWriter(into: buffer, asciiOnly: asciiOnly)
        body(&writer)
        return buffer.readable.text()
    }

    @Test(
        "What is read of a value is all of its text, digits and order kept",
        arguments: [
            "null", "[true,false]", "1.50e+07", "-0", "9007199254740993", #""""#, "[]", "{}", "[[],{},[[1]]]",
            #"{"b":1,"a":[1,{"c":null}],"":"x"}"#, "\"é😀\"", #"[1,"a",{"b":[2,3]},4]"#,
        ])
    func reading(text: String) throws {
        #expect(Verdict.text(try Self.parse(text)) == text)
    }

    @Test("Escapes come out in one spelling, and in ASCII where that is asked for")
    func escapes() throws {
        let text = "\"\\\n\r\t\u{0}\u{1F}\u{7F}\u{8}é\u{2028}😀/"
        let plain = #""\"\\\n\r\t\u0000\u001f\u007f\u0008é"# + "\u{2028}😀/\""
        #expect(Self.write { $0.string(text) } == plain)
        let ascii = #""\"\\\n\r\t\u0000\u001f\u007f\u0008\u00e9\u2028\ud83d\ude00/""#
        #expect(Self.write(asciiOnly: true) { $0.string(text) } == ascii)
        for spelling in [plain, ascii] { #expect(try Self.parse(spelling).string == text) }
        let value = try Self.parse(#"{"\u0061\/":"\u00e9\b"}"#)
        #expect(Verdict.text(value) == #"{"a/":"é\u0008"}"#)
    }

    @Test("Commas stand between members and elements, and nowhere else")
    func commas() {
        let text = Self.write { writer in
            writer.beginObject()
            writer.name("a")
            writer.beginArray()
            writer.integer(.min)
            writer.integer(.max)
            writer.beginObject()
            writer.endObject()
            writer.endArray()
            writer.name("b")
            writer.bool(false)
            writer.endObject()
        }
        #expect(text == #"{"a":[-9223372036854775808,9223372036854775807,{}],"b":false}"#)
    }
}
