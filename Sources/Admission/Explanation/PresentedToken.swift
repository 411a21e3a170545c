// A token as somebody pastes it: bare, with its scheme, or as the whole header line.

internal import Bytes
internal import HTTPWire

/// The request that would carry what was pasted.
struct PresentedToken {
    /// The longest text that is looked at, in bytes: whatever is longer is no token either.
    static let bytesMax = 64 * 1024

    /// A whole request head, for the very code that reads those of clients.
    let request: [UInt8]
    let head: Result<RequestHead, Refusal>
    /// A character that cannot stand in a header field, as a line break within the token: there is a space instead.
    let wasBroken: Bool

    init(_ text: [UInt8]) {
        var value = Self.trimmed(text.prefix(Self.bytesMax + 1))
        let isFieldLine = Self.drop("authorization:", from: &value)
        wasBroken = value.contains(where: Self.isControl)
        var field: [UInt8] = []
        if !value.isEmpty {
            field += "Authorization: ".utf8
            if !isFieldLine, !Self.hasScheme(value) { field += "Bearer ".utf8 }
            field += value.map { Self.isControl($0) ? ASCII.space : $0 }
            field += "\r\n".utf8
        }
        request = Array("GET / HTTP/1.1\r\nHost: localhost\r\n".utf8) + field + Array("\r\n".utf8)
        head = Self.parse(request)
    }

    private static func parse(_ request: [UInt8]) -> Result<RequestHead, Refusal> {
        var parser = RequestHeadParser(headBytesMax: request.count + 1)
        do throws(RequestError) {
            guard try parser.parse(request.span) else { return .failure(Refusal(.badRequest)) }
            return .success(parser.head)
        } catch {
            return .failure(Refusal(error))
        }
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = text.drop { $0 <= ASCII.space }
        while let last = rest.last, last <= ASCII.space { rest.removeLast() }
        return rest
    }

    /// Whether `value` is of the scheme Bearer already.
    private static func hasScheme(_ value: ArraySlice<UInt8>) -> Bool {
        var rest = value
        guard drop("bearer", from: &rest) else { return false }
        return rest.first.map { $0 <= ASCII.space } ?? true
    }

    /// Takes `prefix`, in any case, and the blanks behind it off `text`.
    private static func drop(_ prefix: String, from text: inout ArraySlice<UInt8>) -> Bool {
        guard text.count >= prefix.utf8.count,
            zip(text, prefix.utf8).allSatisfy({ ASCII.lowercased($0) == $1 })
        else { return false }
        text = text.dropFirst(prefix.utf8.count)
        return true
    }
}
