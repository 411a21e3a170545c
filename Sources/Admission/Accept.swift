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
            var cursor = 0
            while let element = value.nextListElement(&cursor) {
                switch Self.mediaRange(value.slice(element)) {
                case .json: return false
                case .plainText: takesPlainText = true
                case .other: break
                }
            }
        }
        return takesPlainText
    }

    private enum MediaRange { case json, plainText, other }

    private static func mediaRange(_ element: Span<UInt8>) -> MediaRange {
        var cursor = 0
        let semicolon = UInt8(ascii: ";")
        guard let range = element.nextListElement(&cursor, separator: semicolon) else { return .other }
        while let parameter = element.nextListElement(&cursor, separator: semicolon) {
            if weight(element.slice(parameter)) == 0 { return .other }
        }
        let name = element.slice(range)
        if name.equals("*/*") || name.equalsIgnoringCase("application/*")
            || name.equalsIgnoringCase("application/json") || name.equalsIgnoringCase("application/problem+json")
        {
            return .json
        }
        return name.equalsIgnoringCase("text/plain") || name.equalsIgnoringCase("text/*") ? .plainText : .other
    }
}
