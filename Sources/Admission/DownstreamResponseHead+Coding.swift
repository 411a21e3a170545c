// What a head has to say otherwise when its content is compressed here, or could have been.

internal import Bytes
internal import HTTPWire

extension DownstreamResponseHead {
    /// Takes a field that does not go through as it is: left out, or written anew. False: it goes through.
    static func takes(
        _ kind: FieldKind, _ name: Span<UInt8>, _ value: Span<UInt8>, as coding: ContentCoding, into out: ByteBuffer
    ) -> Bool {
        // All lines of it become one, in `appendCodingFields`.
        if kind == .vary { return true }
        guard coding != .identity else { return false }
        if kind == .contentLength { return true }
        guard kind == .other else { return false }
        if coding.weakensTags, name.equalsIgnoringCase("etag") {
            appendWeakTag(name, value, into: out)
            return true
        }
        return isOfReceivedBytes(name)
    }

    /// Fields that tell of the very bytes that the backend sent. Ranges are ranges of those. Content-Digest and the
    /// older Content-MD5 are of the content with its codings on, and so are Repr-Digest and the older Digest, as a
    /// representation is what it is with them (RFC 9530 §2, §3; RFC 9110 §8.4): ours would be others, and are not known
    /// before the body is.
    static func isOfReceivedBytes(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 6: name.equalsIgnoringCase("digest")
        case 11: name.equalsIgnoringCase("content-md5") || name.equalsIgnoringCase("repr-digest")
        case 13: name.equalsIgnoringCase("accept-ranges")
        case 14: name.equalsIgnoringCase("content-digest")
        default: false
        }
    }

    /// The same tag for other bytes is a weak one (RFC 9110 §8.8.1). One that is no entity-tag cannot be made weak,
    /// and a cache might take it for a strong one: it goes.
    private static func appendWeakTag(_ name: Span<UInt8>, _ value: Span<UInt8>, into out: ByteBuffer) {
        if value.isWeakTag {
            out.appendFieldLine(name, value)
        } else if value.count >= 2, value[0] == UInt8(ascii: "\"") {
            out.append(name)
            out.append(": W/")
            out.append(value)
            out.appendLineEnd()
        }
    }

    /// Vary, with Accept-Encoding in it (RFC 9110 §12.5.5), and Content-Encoding.
    static func appendCodingFields(
        _ head: borrowing ResponseHead, from bytes: Span<UInt8>, _ coding: ContentCoding, into out: ByteBuffer
    ) {
        var separator: StaticString = "Vary: "
        var isListed = false
        for index in head.fields.indices where head.fields[index].kind == .vary {
            let field = head.fields[index]
            if head.connectionNominates(bytes.slice(field.name), in: bytes) { continue }
            let value = bytes.slice(field.value)
            var cursor = 0
            while let range = value.nextListElement(&cursor) {
                if range.isEmpty { continue }
                let element = value.slice(range)
                if element.equals("*") || element.equalsIgnoringCase("accept-encoding") { isListed = true }
                out.append(separator)
                out.append(element)
                separator = ", "
            }
        }
        if !isListed {
            out.append(separator)
            out.append("Accept-Encoding")
        }
        out.appendLineEnd()
        if coding == .gzip { out.append("Content-Encoding: gzip\r\n") }
    }
}
