import Bytes
import Testing

@Suite struct ASCIITests {
    static let letters = Set((UInt8(ascii: "a")...UInt8(ascii: "z"))).union(UInt8(ascii: "A")...UInt8(ascii: "Z"))
    static let digits = Set(UInt8(ascii: "0")...UInt8(ascii: "9"))

    @Test("Every byte falls into the classes of RFC 9110 §5.6.2", arguments: UInt8.min...UInt8.max)
    func classes(byte: UInt8) {
        let isDigit = Self.digits.contains(byte)
        let isLetter = Self.letters.contains(byte)
        #expect(ASCII.isDigit(byte) == isDigit)
        #expect(ASCII.isLetter(byte) == isLetter)
        #expect(ASCII.isAlphanumeric(byte) == (isDigit || isLetter))
        #expect(ASCII.isToken(byte) == (isDigit || isLetter || "!#$%&'*+-.^_`|~".utf8.contains(byte)))
    }

    @Test("Only A–Z change to lower case", arguments: UInt8.min...UInt8.max)
    func lowercased(byte: UInt8) {
        let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        #expect(ASCII.lowercased(byte) == (isUpper ? byte + 32 : byte))
    }

    @Test("Hexadecimal digits of both cases have their value, nothing else has one", arguments: UInt8.min...UInt8.max)
    func hexValue(byte: UInt8) {
        let character = Character(Unicode.Scalar(byte))
        #expect(ASCII.hexValue(byte) == (byte < 0x80 ? character.hexDigitValue.map { UInt8($0) } : nil))
    }

    @Test("A value's low four bits choose its hexadecimal digit", arguments: UInt8.min...UInt8.max)
    func hexDigit(value: UInt8) {
        #expect(ASCII.hexDigit(value) == Array("0123456789abcdef".utf8)[Int(value % 16)])
    }

    @Test("Eight digits at once are those of one after the other", arguments: [
        0, 1, 0x9A, 0x1234_5678, 0x9ABC_DEF0, 0x0A0B_9F90, 0xFFFF_FFFF, 0x8000_0001,
    ] as [UInt32])
    func hexDigits(value: UInt32) {
        let digits = stride(from: 28, through: 0, by: -4).map { ASCII.hexDigit(UInt8(truncatingIfNeeded: value >> UInt32($0))) }
        #expect(digits.reduce(0) { $0 << 8 | UInt64($1) } == ASCII.hexDigits(value))
    }
}
