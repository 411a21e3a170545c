// The head of a request: one verdict, and one reading. Whatever is accepted means the same once it is written anew,
// both line by line and in the form that goes upstream.

import Bytes
import HTTPWire

extension FuzzTarget {
    static let requestHead = FuzzTarget(name: "request-head") { bytes throws(Violation) in
        let outcome = try verdict(on: bytes) { bytes, lengths, limits in
            parseRequest(bytes, growingTo: lengths, limits: limits)
        }
        guard case .head(let head) = outcome else { return false }
        let meaning = Meaning(head, in: bytes)

        let lines = rewrittenLines(head, bytes)
        guard case .head(let again) = parseRequest(lines) else {
            throw Violation(description: "refused as rewritten: \(parseRequest(lines))")
        }
        try expect(Meaning(again, in: lines) == meaning, "rewritten, it means \(Meaning(again, in: lines)), not \(meaning)")
        try expect(again.byteCount == lines.count, "rewritten, it ends elsewhere")

        let canonical = rewrittenForUpstream(head, bytes)
        guard case .head(let upstream) = parseRequest(canonical) else {
            throw Violation(description: "refused as sent upstream: \(parseRequest(canonical))")
        }
        let forwarded = Meaning(upstream, in: canonical).forwarded
        try expect(forwarded == meaning.forwarded, "upstream it means \(forwarded), not \(meaning.forwarded)")
        try expect(upstream.byteCount == canonical.count, "upstream it ends elsewhere")
        return true
    }
}

/// What a head says, apart from where it says it.
private struct Meaning: Equatable {
    var method: String
    var target: String
    var path: String
    var query: String?
    var authority: String?
    var version: HTTPVersion
    var fields: [String]
    var body: BodyFraming
    var isPersistent: Bool
    var expectsContinue: Bool
    var hasUpgrade: Bool

    init(_ head: RequestHead, in bytes: [UInt8]) {
        method = "\(text(bytes, head.methodName)) \(head.method)"
        target = text(bytes, head.target)
        path = text(bytes, head.path)
        query = head.query.map { text(bytes, $0) }
        authority = head.authority.map { text(bytes, $0) }
        version = head.version
        fields = head.fields.map { "\(text(bytes, $0.name)): \(text(bytes, $0.value)) \($0.kind)" }
        body = head.body
        isPersistent = head.isPersistent
        expectsContinue = head.expectsContinue
        hasUpgrade = head.hasUpgrade
    }

    /// What is left of it for a backend: the form of the target and the version are the proxy's, and with the version
    /// what an HTTP/1.0 client could not ask for.
    var forwarded: Meaning {
        var same = self
        if path.isEmpty { same.path = method == "OPTIONS options" && query == nil ? "*" : "/" }
        same.target = ""
        same.version = .http11
        same.fields.removeAll { $0.hasSuffix(" host") || $0.hasSuffix(" contentLength") || $0.hasSuffix(" transferEncoding") }
        (same.isPersistent, same.expectsContinue, same.hasUpgrade) = (true, false, false)
        return same
    }
}

/// The same lines in the one spelling that the serialiser has.
private func rewrittenLines(_ head: RequestHead, _ bytes: [UInt8]) -> [UInt8] {
    let out = ByteBuffer(capacity: 512)
    for part in [head.methodName, head.target] {
        out.append(bytes.span.slice(part))
        out.append(ASCII.space)
    }
    out.append(head.version == .http11 ? "HTTP/1.1\r\n" : "HTTP/1.0\r\n")
    for field in head.fields {
        out.appendFieldLine(bytes.span.slice(field.name), bytes.span.slice(field.value))
    }
    out.appendLineEnd()
    return out.readable.copied()
}

/// Authority and framing from what was understood, not from what was sent.
private func rewrittenForUpstream(_ head: RequestHead, _ bytes: [UInt8]) -> [UInt8] {
    let out = ByteBuffer(capacity: 512)
    out.appendRequestLine(head, from: bytes.span)
    out.appendFieldLine("Host", bytes.span.slice(head.authority ?? .empty))
    for field in head.fields where ![.host, .contentLength, .transferEncoding].contains(field.kind) {
        out.appendFieldLine(bytes.span.slice(field.name), bytes.span.slice(field.value))
    }
    out.appendFramingField(head.body)
    out.appendLineEnd()
    return out.readable.copied()
}
