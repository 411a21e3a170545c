// HTTP as the scenarios' peers read it: enough to find where a message ends, and every byte kept as it
// came, since the bytes are the evidence.

/// A request or a response as it arrived.
struct RawMessage: Sendable {
    /// Start line and fields with the empty line, as text. Bytes that are not ASCII are shown as Latin-1.
    var head: String
    /// The body's bytes as they came over the wire: of a chunked one, chunk lines and trailers too.
    var rawBody: [UInt8]
    /// The body without its framing.
    var body: [UInt8]

    var startLine: String { String(head.prefix { $0 != "\r\n" }) }
    var text: String { String(decoding: body, as: UTF8.self) }
    var bytes: [UInt8] { latin1Bytes(head) + rawBody }

    /// Field lines in their order, names as they were written.
    var fields: [(name: String, value: String)] {
        head.split(separator: "\r\n").dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? trimmed(parts[1]) : ""
            return (String(parts[0]), value)
        }
    }

    /// Every value of the field, matched without case.
    func values(of name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map { $0.value }
    }

    /// The field's value when there is exactly one.
    subscript(_ name: String) -> String? {
        let values = values(of: name)
        return values.count == 1 ? values[0] : nil
    }

    /// A response's status code, or 0.
    var status: Int { startLine.hasPrefix("HTTP/1.") ? Int(startLine.dropFirst(9).prefix(3)) ?? 0 : 0 }
}

private func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first == " " || text.first == "\t" { text.removeFirst() }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return String(text)
}

func latin1Bytes(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

func latin1Text(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: bytes.map { Unicode.Scalar($0) })
    return text
}

/// Reads messages from a socket, remembering what lies beyond the one that was asked for.
final class MessageReader {
    let socket: Socket
    /// Received and not yet taken.
    private(set) var pending: [UInt8] = []
    /// Every byte ever received.
    private let record: (([UInt8]) -> Void)?

    init(_ socket: Socket, record: (([UInt8]) -> Void)? = nil) {
        self.socket = socket
        self.record = record
    }

    /// The next message's head; nil when the stream ends before its first byte.
    func head(by deadline: Deadline = Deadline()) throws -> String? {
        let end = Array("\r\n\r\n".utf8)
        var searched = 0
        while true {
            if let place = find(end, in: pending, from: max(0, searched - 3)) {
                return latin1Text(take(place + end.count))
            }
            searched = pending.count
            guard try fill(by: deadline) else {
                if pending.isEmpty { return nil }
                throw ScenarioError("the stream ended within a head: \(latin1Text(pending).debugDescription)")
            }
        }
    }

    /// A whole request; nil when the stream ends before its first byte.
    func request(by deadline: Deadline = Deadline()) throws -> RawMessage? {
        guard let head = try head(by: deadline) else { return nil }
        var message = RawMessage(head: head, rawBody: [], body: [])
        try readBody(into: &message, untilClose: false, by: deadline)
        return message
    }

    /// A whole final response; nil when the stream ends before its first byte. 1xx responses are returned as they come.
    func response(toHead: Bool = false, by deadline: Deadline = Deadline()) throws -> RawMessage? {
        guard let head = try head(by: deadline) else { return nil }
        var message = RawMessage(head: head, rawBody: [], body: [])
        if toHead || message.status < 200 || message.status == 204 || message.status == 304 { return message }
        try readBody(into: &message, untilClose: true, by: deadline)
        return message
    }

    /// Exactly `count` bytes.
    func bytes(_ count: Int, by deadline: Deadline = Deadline()) throws -> [UInt8] {
        while pending.count < count {
            guard try fill(by: deadline) else {
                throw ScenarioError("the stream ended \(count - pending.count) bytes early")
            }
        }
        return take(count)
    }

    /// Everything up to the end of the stream; a reset ends it too.
    func rest(by deadline: Deadline = Deadline()) throws -> [UInt8] {
        do { while try fill(by: deadline) {} } catch is SocketReset {}
        return take(pending.count)
    }

    /// Everything up to `end`, which nothing may follow.
    func bytes(upTo end: String, by deadline: Deadline = Deadline()) throws -> [UInt8] {
        while !pending.suffix(end.utf8.count).elementsEqual(end.utf8) {
            guard try fill(by: deadline) else { throw ScenarioError("the stream ended before \(end.debugDescription)") }
        }
        return take(pending.count)
    }

    private func readBody(into message: inout RawMessage, untilClose: Bool, by deadline: Deadline) throws {
        if let coding = message["Transfer-Encoding"] {
            guard coding.lowercased() == "chunked" else { throw ScenarioError("unexpected coding \(coding)") }
            try readChunks(into: &message, by: deadline)
        } else if let length = message["Content-Length"] {
            guard let count = Int(length) else { throw ScenarioError("unexpected length \(length)") }
            message.rawBody = try bytes(count, by: deadline)
            message.body = message.rawBody
        } else if untilClose {
            message.rawBody = try rest(by: deadline)
            message.body = message.rawBody
        }
    }

    private func readChunks(into message: inout RawMessage, by deadline: Deadline) throws {
        while true {
            let line = try line(by: deadline)
            message.rawBody += line
            let digits = latin1Text(line).prefix { $0.isHexDigit }
            guard let count = Int(digits, radix: 16) else {
                throw ScenarioError("not a chunk line: \(latin1Text(line).debugDescription)")
            }
            if count == 0 { break }
            let chunk = try bytes(count + 2, by: deadline)
            message.rawBody += chunk
            message.body += chunk.dropLast(2)
        }
        var line: [UInt8]
        repeat {
            line = try self.line(by: deadline)
            message.rawBody += line
        } while line.count > 2
    }

    /// A line with its CRLF.
    private func line(by deadline: Deadline) throws -> [UInt8] {
        while true {
            if let place = find([13, 10], in: pending, from: 0) { return take(place + 2) }
            guard try fill(by: deadline) else { throw ScenarioError("the stream ended within a line") }
        }
    }

    private func fill(by deadline: Deadline) throws -> Bool {
        let received = try socket.receive(by: deadline)
        record?(received)
        pending += received
        return !received.isEmpty
    }

    private func take(_ count: Int) -> [UInt8] {
        let taken = Array(pending[..<count])
        pending.removeFirst(count)
        return taken
    }
}

private func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    guard bytes.count >= pattern.count, start <= bytes.count - pattern.count else { return nil }
    return (start...bytes.count - pattern.count).first { bytes[$0..<$0 + pattern.count].elementsEqual(pattern) }
}
