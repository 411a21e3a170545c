// What bytes mean by RFC 9112, read once more and by other means: the proxy's own parser has no part in it.
//
// Written for being seen to be right, not for speed. It takes everything that can be read in one way and nothing
// else, so it may take what the proxy refuses, and must never refuse what the proxy takes.

/// Why there is no (further) message.
enum Misread: Error {
    /// The bytes end within it.
    case cutShort
    case malformed
}

struct WireField: Equatable {
    var name: String
    var value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    func isNamed(_ other: String) -> Bool { name.lowercased() == other }
}

/// How a message's end is found.
enum WireFraming: Equatable {
    case absent, length, chunked, untilClose
}

struct WireRequest {
    var method = ""
    var target = ""
    var version = ""
    var fields: [WireField] = []
    var framing = WireFraming.absent
    var body: [UInt8] = []
    var trailers: [WireField] = []
}

struct WireResponse {
    var status = 0
    var fields: [WireField] = []
    var framing = WireFraming.absent
    var body: [UInt8] = []
}

struct StrictReading {
    private let bytes: [UInt8]
    private(set) var place = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { place == bytes.count }
    var rest: ArraySlice<UInt8> { bytes[place...] }

    /// All requests of a stream that has ended, and why there are no more: nil where they fill it. Of the last one,
    /// which is not whole, what could be read comes with the reason.
    static func requests(of bytes: [UInt8]) -> (whole: [WireRequest], end: (Misread, WireRequest)?) {
        var reading = StrictReading(bytes)
        var requests: [WireRequest] = []
        while !reading.isAtEnd {
            var request = WireRequest()
            do throws(Misread) {
                try reading.read(&request)
                requests.append(request)
            } catch {
                return (requests, (error, request))
            }
        }
        return (requests, nil)
    }

    /// RFC 9112 §3, §5, §6. One empty line may precede a request (§2.2).
    private mutating func read(_ request: inout WireRequest) throws(Misread) {
        var line = try line()
        if line.isEmpty { line = try self.line() }
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3, isToken(parts[0]), !parts[1].isEmpty, parts[1].allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { throw .malformed }
        request.method = latin1Text(parts[0])
        request.target = latin1Text(parts[1])
        request.version = latin1Text(parts[2])
        guard ["HTTP/1.1", "HTTP/1.0"].contains(request.version) else { throw .malformed }
        request.fields = try fields()
        let declared = try framing(request.fields, version: request.version)
        request.framing = declared?.framing ?? .absent
        switch request.framing {
        case .absent, .untilClose: break
        case .length: request.body = try take(declared!.length)
        case .chunked: (request.body, request.trailers) = try chunks()
        }
    }

    /// The final response to a request of that method; interim ones are stepped over, and counted.
    ///
    /// - Parameter ended: the sender closed after the bytes, rather than resetting the connection.
    mutating func response(to method: String, ended: Bool) throws(Misread) -> (response: WireResponse, interim: Int) {
        var interim = 0
        while true {
            var response = try responseHead()
            let declared = try framing(response.fields, version: response.version)
            if response.response.status < 200 {
                if declared.map({ $0.framing == .chunked || $0.length > 0 }) ?? false { throw .malformed }
                interim += 1
                continue
            }
            guard method != "HEAD", response.response.status != 204, response.response.status != 304 else {
                return (response.response, interim)
            }
            response.response.framing = declared?.framing ?? .untilClose
            switch response.response.framing {
            case .absent: break
            case .length: response.response.body = try take(declared!.length)
            case .chunked: response.response.body = try chunks().body
            case .untilClose:
                response.response.body = Array(rest)
                place = bytes.count
                if !ended { throw .cutShort }
            }
            return (response.response, interim)
        }
    }

    private mutating func responseHead() throws(Misread) -> (
        response: WireResponse, version: String, fields: [WireField]
    ) {
        let line = try latin1Text(line())
        guard let match = line.wholeMatch(of: /(HTTP\/1\.[01]) ([1-5][0-9][0-9])( .*)?/), let status = Int(match.2)
        else { throw .malformed }
        let fields = try fields()
        return (WireResponse(status: status, fields: fields), String(match.1), fields)
    }

    /// RFC 9112 §6.3, where everything that needs a choice is an error.
    private func framing(
        _ fields: [WireField], version: String
    ) throws(Misread) -> (framing: WireFraming, length: UInt64)? {
        let lengths = fields.filter { $0.isNamed("content-length") }
        let codings = fields.filter { $0.isNamed("transfer-encoding") }
        if lengths.count + codings.count > 1 { throw .malformed }
        if let coding = codings.first {
            guard coding.value.lowercased() == "chunked", version == "HTTP/1.1" else { throw .malformed }
            return (.chunked, 0)
        }
        guard let digits = lengths.first?.value else { return nil }
        guard digits.wholeMatch(of: /[0-9]+/) != nil, let length = UInt64(digits) else { throw .malformed }
        return (.length, length)
    }

    private mutating func fields() throws(Misread) -> [WireField] {
        var fields: [WireField] = []
        while true {
            let line = try line()
            if line.isEmpty { return fields }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), isToken(line[..<colon]) else { throw .malformed }
            var value = line[(colon + 1)...]
            while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
            while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
            fields.append(WireField(latin1Text(line[..<colon]), latin1Text(value)))
        }
    }

    /// RFC 9112 §7.1. Extensions are stepped over.
    private mutating func chunks() throws(Misread) -> (body: [UInt8], trailers: [WireField]) {
        var body: [UInt8] = []
        while true {
            let line = try line()
            let digits = line.prefix { $0 != UInt8(ascii: ";") }
            guard (1...16).contains(digits.count), digits.allSatisfy(isHexadecimal),
                let size = UInt64(latin1Text(digits), radix: 16)
            else { throw .malformed }
            if size == 0 { return (body, try fields()) }
            body += try take(size)
            guard try self.line().isEmpty else { throw .malformed }
        }
    }

    /// Up to the next CRLF, which is taken and not returned. No other control but HTAB may stand in a line.
    private mutating func line() throws(Misread) -> ArraySlice<UInt8> {
        let isControl = { (byte: UInt8) in (byte < 0x20 && byte != 0x09) || byte == 0x7f }
        guard let end = bytes[place...].firstIndex(where: isControl) else { throw .cutShort }
        guard bytes[end] == 0x0d else { throw .malformed }
        guard end + 1 < bytes.count else { throw .cutShort }
        guard bytes[end + 1] == 0x0a else { throw .malformed }
        defer { place = end + 2 }
        return bytes[place..<end]
    }

    private mutating func take(_ count: UInt64) throws(Misread) -> [UInt8] {
        guard count <= UInt64(bytes.count - place) else { throw .cutShort }
        defer { place += Int(count) }
        return Array(bytes[place..<place + Int(count)])
    }
}

private func isHexadecimal(_ byte: UInt8) -> Bool { Character(Unicode.Scalar(byte)).isHexDigit && byte < 0x80 }

/// RFC 9110 §5.6.2.
private func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
    !bytes.isEmpty && bytes.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

// MARK: What of a message goes on

extension [WireField] {
    /// RFC 9110 §7.6.1: without the fields of one hop, and those that Connection names.
    var endToEnd: [WireField] {
        let ofOneHop: Set = [
            "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade",
            "proxy-authenticate", "proxy-authorization",
        ]
        let nominated = listed(in: "connection")
        return filter { !ofOneHop.contains($0.name.lowercased()) && !nominated.contains($0.name.lowercased()) }
    }

    /// The elements of all lists of that name, in lower case.
    func listed(in name: String) -> Set<String> {
        Set(values(of: name).flatMap { value in
            value.lowercased().split(separator: ",").map { $0.trimming(while: { $0 == " " || $0 == "\t" }) }
        })
    }

    /// Without the fields of these names, in lower case.
    func without(_ names: Set<String>) -> [WireField] { filter { !names.contains($0.name.lowercased()) } }

    /// The field's values, in order; `name` in lower case.
    func values(of name: String) -> [String] { filter { $0.isNamed(name) }.map { $0.value } }
}

extension Substring {
    fileprivate func trimming(while isTrimmed: (Character) -> Bool) -> String {
        var text = self
        while let first = text.first, isTrimmed(first) { text.removeFirst() }
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return String(text)
    }
}
