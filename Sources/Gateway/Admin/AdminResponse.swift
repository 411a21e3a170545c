// One response of the admin listener, whole.

import Admission
import Bytes
import HTTPWire
import JOSE
import Observability

struct AdminResponse {
    enum Status {
        case ok, badRequest, notFound, methodNotAllowed, targetTooLong, misdirected, headTooLarge, unavailable
        case versionNotSupported

        var line: (code: Int, reason: StaticString) {
            switch self {
            case .ok: (200, "OK")
            case .badRequest: (400, "Bad Request")
            case .notFound: (404, "Not Found")
            case .methodNotAllowed: (405, "Method Not Allowed")
            case .targetTooLong: (414, "URI Too Long")
            case .misdirected: (421, "Misdirected Request")
            case .headTooLarge: (431, "Request Header Fields Too Large")
            case .unavailable: (503, "Service Unavailable")
            case .versionNotSupported: (505, "HTTP Version Not Supported")
            }
        }
    }

    let status: Status
    private let contentType: StaticString
    private let body: ByteBuffer
    private var contentSecurityPolicy: String?

    private init(_ status: Status, _ contentType: StaticString, _ body: ByteBuffer) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    static func text(_ status: Status, _ text: String) -> AdminResponse {
        let body = ByteBuffer(capacity: 256)
        body.append(text)
        body.append("\n")
        return AdminResponse(status, "text/plain; charset=utf-8", body)
    }

    static func json(_ status: Status, _ write: (inout JSONWriter) -> Void) -> AdminResponse {
        let body = ByteBuffer(capacity: 4096)
        var writer = JSONWriter(into: body)
        write(&writer)
        body.append("\n")
        return AdminResponse(status, "application/json", body)
    }

    static func metrics(_ write: (Exposition) -> Void) -> AdminResponse {
        let body = ByteBuffer(capacity: 16 * 1024)
        write(Exposition(into: body))
        return AdminResponse(.ok, Exposition.contentType, body)
    }

    static func page(_ page: StatusPage) -> AdminResponse {
        let body = ByteBuffer(capacity: page.html.count)
        body.append(page.html)
        var response = AdminResponse(.ok, "text/html; charset=utf-8", body)
        response.contentSecurityPolicy = page.contentSecurityPolicy
        return response
    }

    /// What a head gets that the parser has refused.
    init(_ error: RequestError) {
        let status: Status =
            switch error.kind {
            case .methodNotAllowed: .methodNotAllowed
            case .uriTooLong: .targetTooLong
            case .headerTooLarge: .headTooLarge
            case .unsupportedVersion: .versionNotSupported
            case .badRequest, .expectationFailed, .notImplemented: .badRequest
            }
        self = .text(status, error.detail)
    }

    /// Appends head and body; `omitBody` is for HEAD.
    func write(to out: ByteBuffer, unixSeconds: Int64, omitBody: Bool) {
        out.appendStatusLine(status.line.code, reason: status.line.reason)
        out.append("Date: ")
        HTTPDate.append(unixSeconds, to: out)
        out.append("\r\nContent-Type: ")
        out.append(contentType)
        out.append("\r\nContent-Length: ")
        out.appendDecimal(UInt64(body.count))
        out.append("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")
        // No page of another site may have a browser load any of this, whatever it takes it for (Fetch Standard §3.7).
        out.append("Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n")
        if let contentSecurityPolicy {
            out.append("Content-Security-Policy: ")
            out.append(contentSecurityPolicy)
            out.append("\r\n")
        }
        if case .methodNotAllowed = status { out.append("Allow: GET, HEAD\r\n") }
        out.append("Connection: close\r\n\r\n")
        if !omitBody { out.append(body.readable) }
    }
}
