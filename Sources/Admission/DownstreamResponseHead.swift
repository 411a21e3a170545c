// The head that the client gets, written anew from the backend's.

public import Bytes
public import HTTPWire

/// The writer of the head that goes back to the client: framing, Date and Connection are this proxy's own.
public enum DownstreamResponseHead {
    /// How the body goes to the client, and what becomes of the connection after it.
    public struct Outcome: Sendable, Equatable {
        /// How the body has to be written: `chunked` wants the chunked coding, however the backend framed it.
        public var body: BodyFraming
        /// Whether the head said that the connection closes.
        public var closes: Bool
    }

    /// Appends the head, its empty line included; allocates nothing unless `out` has to grow.
    ///
    /// An interim response (1xx) is for an HTTP/1.1 client only: the caller drops it for an older one (RFC 9110 §15.2).
    ///
    /// - Parameters:
    ///   - bytes: those that `head` was parsed from.
    ///   - version: the client's.
    ///   - coding: how the content goes to the client. `gzip` makes it chunked, where there is any.
    ///   - identity: whom the request was admitted as. The client of a legacy audience is told so, in place of the
    ///     backend's own `Deprecation` and `Sunset`: each of them is one date.
    ///   - requestID: the name of the request, which a final response bears unless the backend gave it one; or nothing.
    ///   - isPrivate: the request's URL holds a token, so that no shared cache may keep what it got: the response says so
    ///     where the backend did not (RFC 6750 §2.3). A cache obeys the strictest of what it is told (RFC 9111 §5.2.2.7).
    ///   - close: close the client's connection after this response. It closes anyway where only that ends the body.
    @discardableResult
    public static func write(
        _ head: borrowing ResponseHead, from bytes: Span<UInt8>, to version: HTTPVersion, at now: Instant, close: Bool,
        coding: ContentCoding = .asReceived, identity: Identity? = nil, requestID: Span<UInt8>, isPrivate: Bool = false,
        into out: ByteBuffer
    ) -> Outcome {
        let isFinal = head.statusCode >= 200
        let body = framing(head.body, to: version, coding: coding)
        let closes = isFinal && (close || body == .untilClose)

        appendStart(head, from: bytes, body: body, coding: coding, notice: isFinal ? identity?.legacy : nil, to: out)
        guard isFinal else {
            out.appendLineEnd()
            return Outcome(body: .none, closes: false)
        }

        if !head.kinds.contains(.date) {
            out.append("Date: ")
            HTTPDate.append(now.unixSeconds, to: out)
            out.appendLineEnd()
        }
        if !requestID.isEmpty, !head.kinds.contains(.xRequestID) { out.appendFieldLine("X-Request-Id", requestID) }
        if isPrivate, !head.isKeptFromSharedCaches(in: bytes) { out.append("Cache-Control: private\r\n") }
        if coding != .asReceived { appendCodingFields(head, from: bytes, coding, into: out) }
        out.appendFramingField(body)
        appendConnectionFields(head, from: bytes, to: version, closes: closes, into: out)
        out.appendLineEnd()
        return Outcome(body: body, closes: closes)
    }

    /// What we say to the client of its connection. A 426 has to name the protocols that it wants (RFC 9110 §15.5.22):
    /// the backend's word, as only the backend knows. Any other response's offer to switch ends at this hop.
    private static func appendConnectionFields(
        _ head: borrowing ResponseHead, from bytes: Span<UInt8>, to version: HTTPVersion, closes: Bool,
        into out: ByteBuffer
    ) {
        let wantsUpgrade = head.statusCode == 426 && version == .http11 && head.kinds.contains(.upgrade)
        if wantsUpgrade {
            for index in head.fields.indices where head.fields[index].kind == .upgrade {
                out.appendFieldLine("Upgrade", bytes.slice(head.fields[index].value))
            }
        }
        if closes {
            out.append(wantsUpgrade ? "Connection: close, upgrade\r\n" : "Connection: close\r\n")
        } else if wantsUpgrade {
            out.append("Connection: upgrade\r\n")
        } else if version == .http10 {
            // HTTP/1.0 closes unless told otherwise (RFC 9112 §9.3).
            out.append("Connection: keep-alive\r\n")
        }
    }

    /// Appends the head of a 101 (RFC 9110 §15.2.2), its empty line included: what follows is no longer HTTP.
    ///
    /// - Parameters:
    ///   - name: the protocol, as it was offered.
    ///   - answersMark: the client offered a subprotocol to us, with its token. Where the backend chose none of the
    ///     others, that one is what was chosen: browsers take no other answer (RFC 6455 §4.1, WHATWG WebSockets).
    public static func writeSwitch(
        _ head: borrowing ResponseHead, from bytes: Span<UInt8>, to name: Span<UInt8>, identity: Identity? = nil,
        answersMark: Bool = false, into out: ByteBuffer
    ) {
        appendStart(head, from: bytes, body: .none, coding: .asReceived, notice: identity?.legacy, to: out)
        out.append("Connection: upgrade\r\n")
        out.appendFieldLine("Upgrade", name)
        if answersMark, !head.kinds.contains(.secWebSocketProtocol) {
            out.appendFieldLine("Sec-WebSocket-Protocol", TokenPlaces.protocolMark)
        }
        out.appendLineEnd()
    }

    /// The status line and the backend's fields, as far as they go on.
    private static func appendStart(
        _ head: borrowing ResponseHead, from bytes: Span<UInt8>, body: BodyFraming, coding: ContentCoding,
        notice: LegacyRule?, to out: ByteBuffer
    ) {
        let isFinal = head.statusCode >= 200
        out.reserve(head.byteCount + 2 * head.fields.count + 128)
        out.appendStatusLine(head.statusCode, reason: bytes.slice(head.reason))
        let hasNominations = head.kinds.contains(.connection) && head.fields.mayNominate(in: bytes)
        for index in head.fields.indices {
            let field = head.fields[index]
            if field.kind.isHopByHop { continue }
            // It announces what only the chunked coding has a place for.
            if field.kind == .trailer, head.body != .chunked || body != .chunked { continue }
            // Content-Length is written anew from the framing. Where there is no body, it says what a GET would
            // have got (RFC 9110 §8.6), and goes through.
            if field.kind == .contentLength, body != .none || !isFinal || head.statusCode == 204 { continue }
            let name = bytes.slice(field.name)
            if hasNominations, head.connectionNominates(name, in: bytes) { continue }
            let value = bytes.slice(field.value)
            if coding != .asReceived, takes(field.kind, name, value, as: coding, into: out) { continue }
            if let notice, notice.replaces(name) { continue }
            out.appendFieldLine(name, value)
        }
        if let notice { out.append(notice.responseLines) }
    }

    /// A body of unknown length is chunked to whoever can read that, so that its end is told from a broken
    /// connection; an HTTP/1.0 client reads until the connection closes (RFC 9112 §6.1, §6.3).
    private static func framing(_ upstream: BodyFraming, to version: HTTPVersion, coding: ContentCoding) -> BodyFraming {
        switch upstream {
        case .none: .none
        case .length: coding == .gzip ? .chunked : upstream
        case .chunked, .untilClose: version == .http11 ? .chunked : .untilClose
        }
    }
}

extension ResponseHead {
    /// Whether the backend itself says that no shared cache may keep the response as a whole. With an argument, `private`
    /// is about some of its fields only (RFC 9111 §5.2.2.7).
    fileprivate func isKeptFromSharedCaches(in bytes: Span<UInt8>) -> Bool {
        kinds.contains(.cacheControl)
            && fields.containsListElement(of: .cacheControl, in: bytes) {
                $0.equalsIgnoringCase("private") || $0.equalsIgnoringCase("no-store")
            }
    }
}
