// Whether a client takes gzip (RFC 9110 §12.5.3).
//
// What cannot be read counts for nothing, and where a client says two things of gzip the refusal counts: a body that
// nobody asked to have compressed is always right.

internal import Bytes
public import HTTPWire

extension RequestHead {
    /// Whether the client takes gzip, and likes it no less than a body as it is. Without an Accept-Encoding any coding
    /// would be acceptable by the letter; but who does not know of codings does not send that field either.
    /// `bytes` are those the head was parsed from.
    public func acceptsGzip(in bytes: Span<UInt8>) -> Bool {
        guard kinds.contains(.acceptEncoding) else { return false }
        var gzip: Int?
        var identity: Int?
        var anyOther: Int?
        for index in fields.indices where fields[index].kind == .acceptEncoding {
            let value = bytes.slice(fields[index].value)
            var cursor = 0
            while let range = value.nextListElement(&cursor) {
                let element = value.slice(range)
                guard let (coding, weight) = Self.weighted(element) else { continue }
                let name = element.slice(coding)
                // x-gzip is gzip (RFC 9110 §8.4.1.3).
                if name.equalsIgnoringCase("gzip") || name.equalsIgnoringCase("x-gzip") {
                    gzip = min(gzip ?? weight, weight)
                } else if name.equalsIgnoringCase("identity") {
                    identity = max(identity ?? weight, weight)
                } else if name.equals("*") {
                    anyOther = min(anyOther ?? weight, weight)
                }
            }
        }
        guard let weight = gzip ?? anyOther, weight > 0 else { return false }
        return weight >= identity ?? 0
    }

    /// `coding [;q=weight]`: where the coding stands, and its weight in thousandths. Nil where it is anything else.
    private static func weighted(_ element: Span<UInt8>) -> (coding: ByteRange, weight: Int)? {
        let semicolon = UInt8(ascii: ";")
        var cursor = 0
        guard let coding = element.nextListElement(&cursor, separator: semicolon) else { return nil }
        guard let parameter = element.nextListElement(&cursor, separator: semicolon) else { return (coding, 1000) }
        guard let weight = weight(element.slice(parameter)) else { return nil }
        return element.nextListElement(&cursor, separator: semicolon) == nil ? (coding, weight) : nil
    }

    /// `q=0.5` as 500: up to three digits after the point, and nothing above 1 (RFC 9110 §12.4.2).
    static func weight(_ parameter: Span<UInt8>) -> Int? {
        guard (3...7).contains(parameter.count), parameter.extracting(..<2).equalsIgnoringCase("q=") else { return nil }
        if parameter.count > 3, parameter[3] != UInt8(ascii: ".") { return nil }
        guard parameter[2] == UInt8(ascii: "0") || parameter[2] == UInt8(ascii: "1") else { return nil }
        var weight = Int(parameter[2] &- 0x30) &* 1000
        var place = 100
        for index in 4..<max(4, parameter.count) {
            guard ASCII.isDigit(parameter[index]) else { return nil }
            weight &+= Int(parameter[index] &- 0x30) &* place
            place /= 10
        }
        return weight <= 1000 ? weight : nil
    }
}
