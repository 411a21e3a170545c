// The head of a response, read as the answer to each kind of request that changes where its body ends: one verdict,
// and whatever is accepted reads the same once it is written anew.

import Bytes
import HTTPWire

extension FuzzTarget {
    static let responseHead = FuzzTarget(name: "response-head") { bytes throws(Violation) in
        var isAccepted = false
        for method in [HTTPWire.Method.get, .head] {
            let outcome = try verdict(on: bytes) { bytes, lengths, limits in
                parseResponse(bytes, growingTo: lengths, to: method, limits: limits)
            }
            guard case .head(let head) = outcome else { continue }
            isAccepted = true
            try expect((100...599).contains(head.statusCode), "a status code of \(head.statusCode)")
            let canonical = rewritten(head, bytes)
            let again = parseResponse(canonical, growingTo: CollectionOfOne(canonical.count), to: method)
            guard case .head(let reread) = again else { throw Violation(description: "refused as rewritten: \(again)") }
            let (meaning, other) = (Meaning(head, in: bytes), Meaning(reread, in: canonical))
            try expect(other == meaning, "rewritten, it means \(other), not \(meaning)")
            try expect(reread.byteCount == canonical.count, "rewritten, it ends elsewhere")
        }
        return isAccepted
    }
}

/// What a head says to a client: the version is the proxy's own, and so is whether its connection persists.
private struct Meaning: Equatable {
    var status: String
    var fields: [String]
    var body: BodyFraming

    init(_ head: ResponseHead, in bytes: [UInt8]) {
        status = "\(head.statusCode) \(text(bytes, head.reason))"
        fields = head.fields.filter { !isFraming($0) }
            .map { "\(text(bytes, $0.name)): \(text(bytes, $0.value)) \($0.kind)" }
        body = head.body
    }
}

/// Framing from what was understood, not from what was sent.
private func rewritten(_ head: ResponseHead, _ bytes: [UInt8]) -> [UInt8] {
    let out = ByteBuffer(capacity: 512)
    out.appendStatusLine(head.statusCode, reason: bytes.span.slice(head.reason))
    for field in head.fields where !isFraming(field) {
        out.appendFieldLine(bytes.span.slice(field.name), bytes.span.slice(field.value))
    }
    out.appendFramingField(head.body)
    out.appendLineEnd()
    return out.readable.copied()
}

private func isFraming(_ field: Field) -> Bool { field.kind == .contentLength || field.kind == .transferEncoding }
