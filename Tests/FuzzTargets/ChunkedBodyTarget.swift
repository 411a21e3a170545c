// A chunked body: one verdict and one payload, whatever the pieces, the limits, and the bytes behind it; and whatever
// is accepted decodes to the same once it is coded anew.

import Bytes
import HTTPWire

extension FuzzTarget {
    static let chunkedBody = FuzzTarget(name: "chunked-body") { bytes throws(Violation) in
        let roomy = try verdict(on: bytes, trailerBytesMax: 8192)
        let tight = try verdict(on: bytes, trailerBytesMax: 40)
        // A limit refuses; it never has a body read in another way.
        if case .refused(let error) = tight.end, error.kind == .trailersTooLarge {
            try expect(tight.payload == roomy.payload, "a limit on trailers changes the payload")
        } else {
            try expect(tight.agrees(with: roomy), "within limits \(tight), with more room \(roomy)")
        }
        guard case .complete(let trailers) = roomy.end else { return false }
        try expect(trailers.count <= ChunkedDecoder.trailerCountMax, "\(trailers.count) trailers")

        let canonical = recoded(roomy.payload, trailers: trailers)
        let again = decodeChunked(canonical)
        try expect(
            again == Decoded(payload: roomy.payload, consumed: canonical.count, end: roomy.end),
            "coded anew, it is \(again), not \(roomy)")
        return true
    }
}

private func verdict(on bytes: [UInt8], trailerBytesMax: Int) throws(Violation) -> Decoded {
    let whole = decodeChunked(bytes, trailerBytesMax: trailerBytesMax)
    for lengths in arrivals(of: bytes) {
        let inPieces = decodeChunked(bytes, growingTo: lengths, trailerBytesMax: trailerBytesMax)
        try expect(inPieces.agrees(with: whole), "at once \(whole), arriving as \(lengths) \(inPieces)")
    }
    try expect(whole.consumed <= bytes.count, "\(whole.consumed) bytes consumed of \(bytes.count)")
    try expect(whole.payload.count <= whole.consumed, "more payload than bytes")
    switch whole.end {
    case .complete:
        let alone = Array(bytes.prefix(whole.consumed))
        let again = decodeChunked(alone, trailerBytesMax: trailerBytesMax)
        try expect(again == whole, "bytes behind the body make \(whole) of \(again)")
        let unfinished = decodeChunked(Array(alone.dropLast()), trailerBytesMax: trailerBytesMax)
        try expect(unfinished.end == .incomplete, "without its last byte \(unfinished)")
    case .incomplete:
        try expect(bytes.count - whole.consumed < trailerBytesMax, "more bytes held back than a trailer section may have")
    case .refused:
        break
    }
    return whole
}

private func recoded(_ payload: [UInt8], trailers: [String]) -> [UInt8] {
    let out = ByteBuffer(capacity: 64)
    if !payload.isEmpty {
        out.appendChunkSizeLine(UInt64(payload.count))
        out.append(payload)
        out.appendLineEnd()
    }
    out.appendLastChunkLine()
    for trailer in trailers {
        out.append(octets(trailer))
        out.appendLineEnd()
    }
    out.appendLineEnd()
    return out.readable.copied()
}
