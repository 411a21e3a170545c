// A document of our own, at fixed places of the clients' listeners. It says nothing but what everybody may know, so it
// needs no token, and pages of other origins may read it.

public import Bytes
public import HTTPWire
internal import JOSE

/// A JSON document, ready to be sent to whoever asks for it.
public struct PublicDocument: Sendable {
    private let paths: [[UInt8]]
    private let contentType: StaticString
    /// How long caches may keep it.
    private let maxAgeSeconds: UInt64
    private let body: [UInt8]

    /// - Parameters:
    ///   - paths: where it is, as requests have to spell them.
    ///   - write: writes the document.
    init(
        at paths: [String], contentType: StaticString, maxAgeSeconds: UInt64, _ write: (inout JSONWriter) -> Void
    ) {
        self.paths = paths.map { Array($0.utf8) }
        self.contentType = contentType
        self.maxAgeSeconds = maxAgeSeconds
        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        write(&json)
        buffer.append(ASCII.lf)
        body = buffer.readable.copied()
    }

    /// What a request gets here.
    public enum Answer: Sendable {
        case document
        /// For a page that wants to send header fields along with its GET (Fetch §4.8).
        case preflight

        public var status: Int {
            switch self {
            case .document: 200
            case .preflight: 204
            }
        }
    }

    /// What a request for the document gets; nil: it is for something else, or wants to do something else with it, and
    /// goes the way of every request. `bytes` are those that `head` was parsed from.
    public func answer(to head: borrowing RequestHead, in bytes: Span<UInt8>) -> Answer? {
        let path = bytes.slice(head.path)
        var isHere = false
        for index in paths.indices {
            let known = paths[index]
            isHere = isHere || path.equals(known.span)
        }
        guard isHere else { return nil }
        switch head.method {
        case .get, .head: return .document
        case .options where head.kinds.contains(.origin) && head.kinds.contains(.accessControlRequestMethod):
            return .preflight
        default: return nil
        }
    }

    /// Appends the whole response, and returns how many bytes of it are the body.
    ///
    /// - Parameters:
    ///   - requestID: goes into `X-Request-Id`: visible ASCII of our own making.
    ///   - omitBody: the request was a HEAD.
    ///   - close: the connection closes after this response.
    @discardableResult
    public func writeResponse(
        _ answer: Answer, into out: ByteBuffer, at now: Instant, requestID: Span<UInt8>, omitBody: Bool, close: Bool
    ) -> UInt64 {
        out.appendStatusLine(answer.status, reason: answer == .document ? "OK" : "No Content")
        out.append("Date: ")
        HTTPDate.append(now.unixSeconds, to: out)
        out.append("\r\nAccess-Control-Allow-Origin: *\r\n")
        out.appendFieldLine("X-Request-Id", requestID)
        if close { out.append("Connection: close\r\n") }
        switch answer {
        case .preflight:
            out.append("Access-Control-Allow-Methods: GET, HEAD\r\nAccess-Control-Allow-Headers: *\r\n")
            out.append("Access-Control-Max-Age: 86400\r\n\r\n")
            return 0
        case .document:
            out.append("Cache-Control: public, max-age=")
            out.appendDecimal(maxAgeSeconds)
            out.append("\r\nContent-Type: ")
            out.append(contentType)
            out.append("\r\nContent-Length: ")
            out.appendDecimal(UInt64(body.count))
            out.append("\r\n\r\n")
            if omitBody { return 0 }
            let body = body
            out.append(body.span)
            return UInt64(body.count)
        }
    }
}
