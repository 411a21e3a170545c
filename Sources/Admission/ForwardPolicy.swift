// What the backend is told of a token, where the operator says so: `forward { … }`.

internal import Bytes
internal import JOSE

/// The fields that stand for the claims of a token, in the place of the usual ones.
public struct ForwardPolicy: Sendable, Equatable {
    /// No two names fold into one.
    public var fields: [ForwardedClaim]

    public init(_ fields: [ForwardedClaim] = []) {
        self.fields = fields
    }
}

/// One claim, and the header field that it goes to the backend in.
///
/// A string is its text, a number the digits that the token spells it with, a boolean `true` or `false`; an array of such
/// values is a list, and everything else goes as JSON. Nothing there, or null, is no field at all.
public struct ForwardedClaim: Sendable, Equatable {
    public enum Encoding: String, Sendable, CaseIterable {
        /// Visible ASCII as it is, and the rest percent-encoded; a list is joined.
        case auto
        /// All but letters, digits and `-._~` percent-encoded; a list is joined.
        case percent
        /// Base64url (RFC 4648 §5) without padding: of a string's UTF-8, and of the JSON of everything else.
        case base64url
        /// JSON in visible ASCII.
        case json
    }

    /// Without names: all claims, as one object.
    public var path: ClaimPath
    public var header: String
    /// What stands between the elements of a list: a space, or a visible character that `percent` encodes, so that the
    /// two can be told apart.
    public var join: UInt8
    public var encoding: Encoding

    public init(_ path: ClaimPath, _ header: String, join: UInt8 = 0x2C, encoding: Encoding = .auto) {
        self.path = path
        self.header = header
        self.join = join
        self.encoding = encoding
    }

    /// Whether this character can join lists.
    public static func canJoin(_ byte: UInt8) -> Bool {
        (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "%") && !FieldValue.isUnreserved(byte)
    }

    /// Appends the field's line with its CRLF, if the claims have something for it.
    func appendLine(of claims: JSONValue, to out: inout [UInt8]) {
        guard let value = path.value(in: claims) else { return }
        out.append(copying: header.utf8Span.span)
        out.append(copying: ": ")
        append(value, to: &out)
        out.append(copying: "\r\n")
    }

    /// Appends the value in the field's encoding.
    func append(_ value: JSONValue, to out: inout [UInt8]) {
        switch encoding {
        case .auto, .percent:
            guard Self.isList(value) else { return appendScalar(value, to: &out) }
            for (index, element) in value.elements.enumerated() {
                if index > 0 { out.append(join) }
                appendScalar(element, isElement: true, to: &out)
            }
        case .base64url: out += Base64URL.encode(Array((value.string ?? Self.json(value)).utf8).span)
        case .json: out += Self.json(value).utf8
        }
    }

    /// What is no scalar goes as its JSON.
    private func appendScalar(_ value: JSONValue, isElement: Bool = false, to out: inout [UInt8]) {
        if value.withText({ append($0, isElement: isElement, to: &out) }) != nil { return }
        let text = value.scalarText ?? Self.json(value)
        append(text.utf8Span.span, isElement: isElement, to: &out)
    }

    private func append(_ text: Span<UInt8>, isElement: Bool, to out: inout [UInt8]) {
        if encoding == .percent {
            FieldValue.appendPercentEncoded(text, to: &out)
        } else {
            FieldValue.append(text, inListJoinedBy: isElement ? join : nil, to: &out)
        }
    }

    /// Whether this is an array of nothing but strings, numbers and booleans.
    private static func isList(_ value: JSONValue) -> Bool {
        value.kind == .array && value.elements.allSatisfy { [.string, .number, .bool].contains($0.kind) }
    }

    private static func json(_ value: JSONValue) -> String {
        let buffer = ByteBuffer(capacity: 256)
        var writer = JSONWriter(into: buffer, asciiOnly: true)
        writer.value(value)
        return buffer.readable.text()
    }
}
