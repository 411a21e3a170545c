// Which of our two content types a client takes.

internal import Bytes
public import HTTPWire

extension RequestHead {
    /// Whether the client takes `text/plain` but neither kind of JSON (RFC 9110 §12.5.1). `bytes` are those the head
    /// was parsed from. Media ranges with `q=0` do not count.
    public func acceptsOnlyPlainText(in bytes: Span<UInt8>) -> Bool {
        var takesPlainText = false
        for field in fields where field.kind == .accept {
            let value = bytes.slice(field.value)
            var start = 0
            while start <= value.count {
                let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.count
                switch Self.mediaRange(value.extracting(start..<end)) {
                case .json: return false
                case .plainText: takesPlainText = true
                case .other: break
                }
                start = end + 1
            }
        }
        return takesPlainText
    }

    private enum MediaRange { case json, plainText, other }

    private static func mediaRange(_ element: Span<UInt8>) -> MediaRange {
        let semicolon = element.firstIndex(of: UInt8(ascii: ";")) ?? element.count
        if isRefused(element.extracting(semicolon...)) { return .other }
        let name = trimmed(element.extracting(..<semicolon))
        if name.equals("*/*") || name.equalsIgnoringCase("application/*")
            || name.equalsIgnoringCase("application/json") || name.equalsIgnoringCase("application/problem+json")
        {
            return .json
        }
        return name.equalsIgnoringCase("text/plain") || name.equalsIgnoringCase("text/*") ? .plainText : .other
    }

    /// Whether the parameters hold a weight of zero: `q=0`, `q=0.`, `q=0.000` (RFC 9110 §12.4.2).
    private static func isRefused(_ parameters: Span<UInt8>) -> Bool {
        var start = 0
        while start < parameters.count {
            let end = parameters.firstIndex(of: UInt8(ascii: ";"), from: start + 1) ?? parameters.count
            let parameter = trimmed(parameters.extracting(start + 1..<end))
            if parameter.count >= 3, parameter.extracting(..<2).equalsIgnoringCase("q=") {
                let weight = parameter.extracting(2...)
                for index in weight.indices where weight[index] != UInt8(ascii: "0") {
                    if weight[index] != UInt8(ascii: ".") { return false }
                }
                return true
            }
            start = end
        }
        return false
    }

    @_lifetime(copy bytes)
    private static func trimmed(_ bytes: Span<UInt8>) -> Span<UInt8> {
        var start = 0
        var end = bytes.count
        while start < end, bytes[start] == ASCII.space || bytes[start] == ASCII.tab { start += 1 }
        while end > start, bytes[end - 1] == ASCII.space || bytes[end - 1] == ASCII.tab { end -= 1 }
        return bytes.extracting(start..<end)
    }
}
