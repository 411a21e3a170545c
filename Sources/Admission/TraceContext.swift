// W3C Trace Context: whether what a trusted proxy sent is a trace that goes on.

internal import Bytes
internal import HTTPWire

enum TraceContext {
    /// `VERSION-TRACEID-PARENTID-FLAGS` (Trace Context §3.2.2): lower-case hexadecimal, neither ID all zeros.
    static func isTraceparent(_ value: Span<UInt8>) -> Bool {
        let hyphen = UInt8(ascii: "-")
        guard value.count >= 55, isHexadecimal(value, 0..<2), value[2] == hyphen, isID(value, 3..<35),
            value[35] == hyphen, isID(value, 36..<52), value[52] == hyphen, isHexadecimal(value, 53..<55)
        else { return false }
        let isVersion0 = value[0] == UInt8(ascii: "0") && value[1] == UInt8(ascii: "0")
        let isForbidden = value[0] == UInt8(ascii: "f") && value[1] == UInt8(ascii: "f")
        if isVersion0 || isForbidden { return isVersion0 && value.count == 55 }
        // A later version may go on behind another hyphen (§4.3).
        return value.count == 55 || value[55] == hyphen && value.count <= traceparentBytesMax
    }

    private static let traceparentBytesMax = 256

    /// Whether the head has tracestate fields, and all of them together are one list of `key=value` (§3.3.1).
    static func hasTracestate(_ head: borrowing RequestHead, in bytes: Span<UInt8>) -> Bool {
        guard head.kinds.contains(.tracestate) else { return false }
        var byteCount = 0
        for index in head.fields.indices where head.fields[index].kind == .tracestate {
            let value = bytes.slice(head.fields[index].value)
            byteCount += value.count
            guard byteCount <= tracestateBytesMax, isTracestate(value) else { return false }
        }
        return true
    }

    /// As much as everyone has to pass on (§3.3.1.5), and no more.
    static let tracestateBytesMax = 512

    private static func isTracestate(_ value: Span<UInt8>) -> Bool {
        var cursor = 0
        while let range = value.nextListElement(&cursor) {
            let member = value.slice(range)
            if !member.isEmpty, !isMember(member) { return false }
        }
        return true
    }

    private static func isMember(_ member: Span<UInt8>) -> Bool {
        guard let end = member.firstIndex(of: UInt8(ascii: "=")), (1...256).contains(end),
            (1...256).contains(member.count - end - 1)
        else { return false }
        for index in 0..<end {
            switch member[index] {
            case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"),
                UInt8(ascii: "@"):
                continue
            default: return false
            }
        }
        for index in (end + 1)..<member.count {
            guard (0x20...0x7E).contains(member[index]), member[index] != UInt8(ascii: "=") else { return false }
        }
        return true
    }

    private static func isID(_ value: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard isHexadecimal(value, range) else { return false }
        for index in range where value[index] != UInt8(ascii: "0") { return true }
        return false
    }

    private static func isHexadecimal(_ value: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range {
            switch value[index] {
            case 0x30...0x39, 0x61...0x66: continue
            default: return false
            }
        }
        return true
    }
}
