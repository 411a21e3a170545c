// A refusal as bytes: RFC 6750's challenge, RFC 9457's body.

public import Bytes
internal import HTTPWire
internal import JOSE

extension Refusal {
    /// Appends the whole response, and returns how many bytes of it are the body.
    ///
    /// - Parameters:
    ///   - requestID: goes into the body and into `X-Request-Id`: visible ASCII of our own making.
    ///   - realm: of `WWW-Authenticate`; characters that no quoted-string may hold are left out (RFC 9110 §5.6.4).
    ///   - metadata: where a client learns whose tokens are taken: named in `WWW-Authenticate` (RFC 9728 §5.1).
    ///   - plainText: the client takes `text/plain` only; see `RequestHead.acceptsOnlyPlainText(in:)`.
    ///   - omitBody: the request was a HEAD: Content-Length is what a GET would have got (RFC 9110 §9.3.2).
    ///   - close: the connection closes after this response.
    @discardableResult
    public func writeResponse(
        into out: ByteBuffer, at now: Instant, requestID: Span<UInt8>, realm: String, metadata: ResourceMetadata? = nil,
        plainText: Bool, omitBody: Bool, close: Bool
    ) -> UInt64 {
        let body = ByteBuffer(capacity: 1024)
        if plainText {
            writePlainText(into: body, requestID: requestID)
        } else {
            writeProblem(into: body, requestID: requestID)
        }

        out.appendStatusLine(code.status, reason: code.reasonPhrase)
        out.append("Date: ")
        HTTPDate.append(now.unixSeconds, to: out)
        out.appendLineEnd()
        if let challenge = code.challenge { writeChallenge(challenge, realm: realm, metadata, into: out) }
        if code == .methodNotAllowed {
            // RFC 9110 §15.5.6 wants the list; where no location has one, CONNECT and TRACE are missing from it.
            out.append("Allow: ")
            out.append(allow ?? "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
            out.appendLineEnd()
        }
        if let retryAfterSeconds {
            out.append("Retry-After: ")
            out.appendDecimal(UInt64(max(0, retryAfterSeconds)))
            out.appendLineEnd()
        }
        if let rateLimit {
            out.append("RateLimit-Policy: ")
            out.append(rateLimit.policyField)
            out.append("\r\nRateLimit: ")
            out.append(rateLimit.stateField(retryAfterSeconds: retryAfterSeconds ?? 1))
            out.appendLineEnd()
        }
        out.append("Cache-Control: no-store\r\n")
        out.appendFieldLine("X-Request-Id", requestID)
        out.append(
            plainText ? "Content-Type: text/plain; charset=utf-8\r\n" : "Content-Type: application/problem+json\r\n")
        out.append("Content-Length: ")
        out.appendDecimal(UInt64(body.count))
        out.append(close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n")
        if omitBody { return 0 }
        out.append(body.readable)
        return UInt64(body.count)
    }

    private func writeChallenge(
        _ challenge: BearerChallenge, realm: String, _ metadata: ResourceMetadata?, into out: ByteBuffer
    ) {
        out.append("WWW-Authenticate: Bearer realm=\"")
        for byte in realm.utf8 where byte >= 0x20 && byte < 0x7F {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
            out.append(byte)
        }
        out.append(UInt8(ascii: "\""))
        if case .error(let error) = challenge {
            out.append(", error=\"")
            out.append(error)
            out.append("\", error_description=\"")
            appendDescription(into: out)
            out.append(UInt8(ascii: "\""))
        }
        if !requiredScopes.isEmpty {
            // Scope tokens hold neither quotes nor backslashes (RFC 6749 §3.3); the configuration sees to it.
            out.append(", scope=\"")
            out.append(requiredScopes.joined(separator: " "))
            out.append(UInt8(ascii: "\""))
        }
        if let metadata {
            out.append(", resource_metadata=\"")
            out.append(metadata.location)
            out.append(UInt8(ascii: "\""))
        }
        out.appendLineEnd()
    }

    /// RFC 6750 §3 allows %x20-21 / %x23-5B / %x5D-7E: no quote and no backslash.
    private func appendDescription(into out: ByteBuffer) {
        for byte in (detail.isEmpty ? code.title : detail).utf8.prefix(Self.descriptionBytesMax) {
            switch byte {
            case UInt8(ascii: "\""): out.append(UInt8(ascii: "'"))
            case UInt8(ascii: "\\"): out.append(UInt8(ascii: "/"))
            case 0x20...0x7E: out.append(byte)
            default: out.append(UInt8(ascii: "?"))
            }
        }
    }

    /// Clients bound the header section; the body has the whole text.
    static let descriptionBytesMax = 512

    private func writeProblem(into body: ByteBuffer, requestID: Span<UInt8>) {
        var json = JSONWriter(into: body)
        json.beginObject()
        json.member("type", "urn:antechamber:\(code.rawValue)")
        json.member("title", code.title)
        json.member("status", Int64(code.status))
        json.member("code", code.rawValue)
        if !detail.isEmpty { json.member("detail", detail) }
        json.member("hint", hint)
        if !expected.isEmpty { json.member("expected", expected) }
        if !got.isEmpty { json.member("got", got) }
        json.member("request_id", requestID.text())
        json.endObject()
        // For whoever reads it on a terminal.
        body.append(ASCII.lf)
    }

    private func writePlainText(into body: ByteBuffer, requestID: Span<UInt8>) {
        body.append(code.title)
        body.append(" (")
        body.append(code.rawValue)
        body.append(")\n")
        for line in [detail, hint ?? ""] where !line.isEmpty {
            body.append(line)
            body.append(ASCII.lf)
        }
        body.append("request_id: ")
        body.append(requestID)
        body.append(ASCII.lf)
    }
}
