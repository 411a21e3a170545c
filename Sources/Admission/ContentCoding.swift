// Whether a response is compressed on its way to the client: a function of the request, of the response's head and
// of the operator's policy.
//
// A response that another client would have got compressed says so (Vary), or a cache would hand one client what suits
// the other. Whoever takes bytes from us that the backend did not send must not take them for the backend's: the
// entity-tag becomes weak, and every digest and length of them goes.

internal import Bytes
public import HTTPWire

/// What is compressed, and how hard: `gzip`, `gzip_types`, `gzip_min_length` and `gzip_comp_level`.
public struct GzipPolicy: Sendable, Equatable {
    /// Which media types are worth compressing.
    public enum Types: Sendable, Equatable {
        case all
        /// In lower case, without parameters.
        case listed([[UInt8]])
    }

    public var isOn: Bool
    public var types: Types
    /// A body that is known to be shorter, in bytes, goes as it is.
    public var lengthMin: UInt64
    /// 1…9, as zlib counts.
    public var level: Int

    /// Text in the formats that APIs and the pages around them are made of. `text/event-stream` is not among them: each
    /// open stream would hold a compressor's memory for as long as it lasts.
    public static let standardTypes = [
        "text/html", "text/plain", "text/css", "text/csv", "text/xml", "text/javascript", "application/json",
        "application/problem+json", "application/ld+json", "application/x-ndjson", "application/javascript",
        "application/xml", "image/svg+xml",
    ]

    public init(
        isOn: Bool = false, types: Types = .listed(standardTypes.map { Array($0.utf8) }), lengthMin: UInt64 = 1024,
        level: Int = 1
    ) {
        self.isOn = isOn
        self.types = types
        self.lengthMin = lengthMin
        self.level = level
    }
}

/// What a request says of the coding of its response, noted while its head is at hand.
public struct CodingPreference: Sendable, Equatable {
    /// The client takes gzip, in HTTP/1.1, and does not ask for the bytes as they are.
    public internal(set) var takesGzip = false
    /// It asks whether a copy is current that it knows by a weak entity-tag: one that came compressed, most likely.
    public internal(set) var holdsWeakTag = false

    /// Of a client that wants nothing in particular.
    public init() {}

    /// `bytes` are those the head was parsed from.
    public init(_ head: borrowing RequestHead, in bytes: Span<UInt8>) {
        // HTTP/1.0 has no chunks, so that the end of a body of unknown length could not be told from a cut.
        takesGzip =
            head.version == .http11 && head.acceptsGzip(in: bytes)
            && !head.fields.forbidTransforming(in: bytes, kinds: head.kinds)
        holdsWeakTag = head.kinds.contains(.ifNoneMatch) && head.fields.listWeakTag(in: bytes)
    }
}

/// How a response's content goes to the client, and so what its head has to say.
public enum ContentCoding: Sendable, Equatable {
    /// As the backend sent it, like it would to anybody.
    case asReceived
    /// As the backend sent it, to a client that is not one of those who get it compressed.
    case identity
    /// A 304 to a client that may have got its copy compressed; `weakTag`: it did, as far as its request tells.
    case notModified(weakTag: Bool)
    /// Compressed; in the response to a HEAD, as that to a GET would be.
    case gzip

    /// Whether an entity-tag of the backend's becomes a weak one. That of a copy which is known by a strong one stays:
    /// only with it can the client say later which version it has changed (If-Match, RFC 9110 §13.1.1).
    var weakensTags: Bool { self == .gzip || self == .notModified(weakTag: true) }
}

extension GzipPolicy {
    /// The coding of the response with this head. `bytes` are those it was parsed from.
    public func coding(
        of response: borrowing ResponseHead, in bytes: Span<UInt8>, to preference: CodingPreference
    ) -> ContentCoding {
        guard isOn, mayTransform(response, in: bytes) else { return .asReceived }
        if response.statusCode == 304 {
            return preference.takesGzip ? .notModified(weakTag: preference.holdsWeakTag) : .identity
        }
        guard isLongEnough(response) else { return .asReceived }
        return preference.takesGzip ? .gzip : .identity
    }

    /// Whether some client could get this response compressed, as far as its length does not say otherwise.
    private func mayTransform(_ response: borrowing ResponseHead, in bytes: Span<UInt8>) -> Bool {
        switch response.statusCode {
        // No content, or a part of some: parts of what is compressed as a whole would not fit together.
        case ..<200, 204, 205, 206: return false
        default: break
        }
        // Any Content-Encoding at all, `identity` too: whoever sends it knows of codings and has chosen.
        if response.kinds.contains(.contentEncoding) || response.kinds.contains(.contentRange) { return false }
        if response.fields.forbidTransforming(in: bytes, kinds: response.kinds) { return false }
        // A 304 seldom repeats the type of the copy that it is about: it may be one of the listed.
        guard let type = response.first(.contentType) else { return response.statusCode == 304 }
        return response.count(of: .contentType) == 1 && types.contain(bytes.slice(type.value))
    }

    /// A body of unknown length counts as long: it is streamed, and not held back to be measured. In the response to a
    /// HEAD the length is that of the body which a GET would get.
    private func isLongEnough(_ response: borrowing ResponseHead) -> Bool {
        guard let length = response.contentLength else { return true }
        return length > 0 && length >= lengthMin
    }
}

extension GzipPolicy.Types {
    /// Whether a Content-Type of this value is one of them. Parameters and case do not count (RFC 9110 §8.3.1).
    func contain(_ value: Span<UInt8>) -> Bool {
        guard case .listed(let names) = self else { return true }
        var cursor = 0
        guard let range = value.nextListElement(&cursor, separator: UInt8(ascii: ";")) else { return false }
        let name = value.slice(range)
        for index in names.indices {
            let listed = names[index]
            if name.equalsIgnoringCase(listed.span) { return true }
        }
        return false
    }
}

extension [Field] {
    /// `Cache-Control: no-transform`, which binds every intermediary, in requests as in responses (RFC 9111 §5.2.1.6,
    /// §5.2.2.6). Within quotes it is found too, and costs nothing but a compression.
    fileprivate func forbidTransforming(in bytes: Span<UInt8>, kinds: FieldKindSet) -> Bool {
        guard kinds.contains(.cacheControl) else { return false }
        return containsListElement(of: .cacheControl, in: bytes) { $0.equalsIgnoringCase("no-transform") }
    }

    /// Whether an If-None-Match has a weak entity-tag (RFC 9110 §13.1.2).
    fileprivate func listWeakTag(in bytes: Span<UInt8>) -> Bool {
        containsListElement(of: .ifNoneMatch, in: bytes) { $0.isWeakTag }
    }
}

extension Span where Element == UInt8 {
    /// `W/"…"`; the W is upper-case (RFC 9110 §8.8.3).
    var isWeakTag: Bool { count > 3 && extracting(..<3).equals("W/\"") }
}
