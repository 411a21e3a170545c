// The header of the PROXY protocol: one verdict, whatever the pieces and the bytes behind it, and the same client once it
// is written anew in either version.

import Bytes
import HTTPWire

extension FuzzTarget {
    static let proxyHeader = FuzzTarget(name: "proxy-header") { bytes throws(Violation) in
        let whole = parse(bytes, growingTo: [bytes.count])
        for lengths in arrivals(of: bytes) {
            let inPieces = parse(bytes, growingTo: lengths)
            try expect(inPieces == whole, "at once \(whole), arriving as \(lengths) \(inPieces)")
        }
        guard case .header(let header) = whole else {
            let isLong = bytes.count >= ProxyHeader.byteCountMax
            try expect(whole == .refused || !isLong, "more is wanted of \(bytes.count) bytes")
            return false
        }
        try expect((1...min(bytes.count, ProxyHeader.byteCountMax)).contains(header.byteCount), "\(header.byteCount) bytes")
        let alone = parse(bytes, growingTo: [header.byteCount])
        try expect(alone == whole, "bytes behind the header make \(whole) of \(alone)")
        let unfinished = parse(bytes, growingTo: [header.byteCount - 1])
        try expect(unfinished == .incomplete, "without its last byte \(unfinished)")

        for canonical in rewritten(header.client) {
            let again = parse(canonical, growingTo: [canonical.count])
            let expected = ProxyHeader(client: header.client, byteCount: canonical.count)
            try expect(again == .header(expected), "rewritten it is \(again), not \(expected)")
        }
        return true
    }
}

private enum HeaderOutcome: Equatable {
    case header(ProxyHeader)
    case incomplete
    case refused
}

private func parse(_ bytes: [UInt8], growingTo lengths: [Int]) -> HeaderOutcome {
    for length in lengths {
        do throws(ProxyHeaderError) {
            if let header = try ProxyHeader(parsing: bytes.span.extracting(..<length)) { return .header(header) }
        } catch {
            return .refused
        }
    }
    return .incomplete
}

/// Headers that say this of the client, as HAProxy's specification has them (§2.1, §2.2).
private func rewritten(_ client: ProxyHeader.Client) -> [[UInt8]] {
    let version2: [UInt8] = Array(ProxyHeader.local.prefix(12)) + [0x21]
    switch client {
    case .peer:
        return [ProxyHeader.local, Array("PROXY UNKNOWN\r\n".utf8)]
    case .unixSocket:
        return [version2 + [0x31, 0, 216] + Array(repeating: 0, count: 216)]
    case .address(let address):
        let text = address.description
        let family = text.contains(":") ? "TCP6" : "TCP4"
        let line = "PROXY \(family) \(text) \(text) 1 65535\r\n"
        // As IPv6, which holds the other one too (RFC 4291 §2.5.5.2).
        let bits = (0..<16).reversed().map { UInt8(truncatingIfNeeded: address.bits >> (UInt128($0) * 8)) }
        return [Array(line.utf8), [version2, [0x21, 0, 36], bits, bits, [0, 1, 0xFF, 0xFF]].flatMap { $0 }]
    }
}
