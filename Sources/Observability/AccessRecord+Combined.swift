// One finished request in the combined format, for programs that read what Apache and nginx write:
//
//   192.0.2.7 - auth0|42 [27/Nov/2026:10:14:05 +0000] "GET /orders HTTP/1.1" 200 512 "https://app.example/" "curl/8.5"
//
// Clients choose most of it, so nothing of theirs can end a field or a line: what is not plain goes as `\x22`, as with
// nginx. No query, neither the request's nor the referring page's.

public import Bytes

extension AccessRecord {
    /// Appends the whole line. What is empty goes as `-`.
    ///
    /// - Parameters:
    ///   - subject: whom the token speaks for.
    ///   - version: of the request, such as `HTTP/1.1`.
    ///   - referrer: the field's value; a query in it is left out.
    public func appendCombined(
        to out: ByteBuffer, client: Span<UInt8>, subject: Span<UInt8>, method: Span<UInt8>, path: Span<UInt8>,
        version: StaticString, referrer: Span<UInt8>, userAgent: Span<UInt8>
    ) {
        out.append(client)
        out.append(" - ")
        appendPlain(subject, escapingSpaces: true, out)
        out.append(" [")
        Timestamp.appendCommonLog(wallNanoseconds: wallNanoseconds, to: out)
        out.append("] \"")
        if method.isEmpty {
            out.append("-")
        } else {
            appendPlain(method, out)
            out.append(ASCII.space)
            appendPlain(path, out)
            out.append(ASCII.space)
            out.append(version)
        }
        out.append("\" ")
        out.appendDecimal(UInt64(max(0, status)))
        out.append(ASCII.space)
        out.appendDecimal(responseBodyBytes)
        out.append(" \"")
        appendPlain(Self.withoutQuery(referrer), out)
        out.append("\" \"")
        appendPlain(userAgent, out)
        out.append("\"\n")
    }

    @_lifetime(copy url)
    private static func withoutQuery(_ url: Span<UInt8>) -> Span<UInt8> {
        var end = 0
        while end < url.count, url[end] != UInt8(ascii: "?"), url[end] != UInt8(ascii: "#") { end += 1 }
        return url.extracting(first: end)
    }

    private func appendPlain(_ bytes: Span<UInt8>, escapingSpaces: Bool = false, _ out: ByteBuffer) {
        if bytes.isEmpty { out.append("-") }
        for index in bytes.indices {
            let byte = bytes[index]
            let isPlain = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            if isPlain || byte == ASCII.space && !escapingSpaces {
                out.append(byte)
            } else {
                out.append("\\x")
                out.append(ASCII.hexDigit(byte >> 4))
                out.append(ASCII.hexDigit(byte))
            }
        }
    }
}
