// The answer of a verify location: what the backend would get to know, for a proxy in front that asks whether a request
// may pass (nginx's auth_request, Traefik's ForwardAuth, Caddy's forward_auth, Envoy's ext_authz).
//
// That proxy copies the fields into the request it holds. It has to remove all of them from there first: a token without
// a subject gets no X-Auth-Subject here, and one that the client has made up must not take its place.

public import Bytes
internal import HTTPWire

extension Admittance {
    /// Appends the whole response, which has no body: an upstream head takes an `Admittance`, and so does this.
    ///
    /// - Parameters:
    ///   - requestID: goes into `X-Request-Id`: visible ASCII of our own making.
    ///   - close: the connection closes after this response.
    public func writeVerifyResponse(into out: ByteBuffer, at now: Instant, requestID: Span<UInt8>, close: Bool) {
        out.reserve(fieldBytes + 512)
        out.append("HTTP/1.1 200 OK\r\nDate: ")
        HTTPDate.append(now.unixSeconds, to: out)
        out.appendLineEnd()
        appendFields(to: out)
        // For the client, if the proxy in front passes them on.
        if let notice = identity?.legacy { out.append(notice.responseLines) }
        // Another request may have another token, and this one may be refused in a moment.
        out.append("Cache-Control: no-store\r\n")
        out.appendFieldLine("X-Request-Id", requestID)
        out.append(close ? "Content-Length: 0\r\nConnection: close\r\n\r\n" : "Content-Length: 0\r\n\r\n")
    }
}
