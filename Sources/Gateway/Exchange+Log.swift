// A request's line in the access log.

import Admission
import Bytes
import Observability
import Reactor

extension Exchange {
    func rememberForLog() {
        guard let log = worker.accessLog else { return }
        let input = clientInput
        logged.take(requestHead, from: input.readable, for: log.format)
    }

    /// The request is over: it is counted, and leaves its line in the log.
    func recordEnd() {
        countRequest()
        guard let log = worker.accessLog else { return }
        record.wallNanoseconds = Clock.wallNanoseconds()
        record.requestBodyBytes = requestRelay.bodyBytes + tunnelUp.bytesMoved
        record.responseBodyBytes += responseRelay.bodyBytes + tunnelDown.bytesMoved
        let clientAddress = worker.addressText
        clientAddress.removeAll()
        if let claimedAddress { claimedAddress.append(to: clientAddress) } else { clientAddress.append(client!.addressText) }
        switch log.format {
        case .json: appendJSON(to: log.batch, client: clientAddress.readable)
        case .combined: appendCombined(to: log.batch, client: clientAddress.readable)
        }
        log.lines += 1
    }

    private func appendCombined(to out: ByteBuffer, client: Span<UInt8>) {
        let head = logged.bytes
        let bytes = head.readable
        let user = worker.userText
        user.removeAll()
        if let identity { user.append(identity.subjectJSON) }
        record.appendCombined(
            to: out, client: client, subject: user.readable, method: bytes.slice(logged.method),
            path: bytes.slice(logged.path), version: logged.version == .http10 ? "HTTP/1.0" : "HTTP/1.1",
            referrer: bytes.slice(logged.referrer), userAgent: bytes.slice(logged.userAgent))
    }

    private func appendJSON(to out: ByteBuffer, client address: Span<UInt8>) {
        let requestID = requestID
        let head = logged.bytes
        record.appendStart(
            to: out, requestID: requestID.name, client: address, method: head.readable.slice(logged.method),
            path: head.readable.slice(logged.path))
        let routeName = route.nameJSON
        if !routeName.isEmpty { record.appendMember("route", escaped: routeName.span, to: out) }
        if let identity {
            record.appendMember("issuer", escaped: identity.issuerJSON, to: out)
            record.appendMember("subject", escaped: identity.subjectJSON, to: out)
            record.appendMember("audience", escaped: identity.audienceJSON, to: out)
            if !identity.legacyNameJSON.isEmpty {
                record.appendMember("legacy_audience", escaped: identity.legacyNameJSON, to: out)
            }
        }
        let client = self.client!
        if client.isEncrypted {
            let version = client.tlsVersion
            record.appendMember("tls", escaped: version.span, to: out)
        }
        if let certificate = client.certificate {
            record.appendMember("client_certificate", escaped: certificate.subjectJSON.span, to: out)
        }
        if upstreamStartedAt > 0, let name = server?.nameJSON {
            record.appendMember("upstream", escaped: name.span, to: out)
        }
        record.appendEnd(to: out)
    }
}
