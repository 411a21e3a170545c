// One finished request as one line of JSON.

public import Bytes

/// What the access log says of a request. Nothing of a token, and no query, which may hold one.
public struct AccessRecord {
    public var wallNanoseconds: Int64 = 0
    public var status = 0
    /// The refusal's code, also where it was only reported; nothing where the request was admitted and answered.
    public var code: String?
    public var verdict: Verdict = .refused
    public var requestBodyBytes: UInt64 = 0
    public var responseBodyBytes: UInt64 = 0
    public var durationNanoseconds: Int64 = 0
    /// From the request's first byte upstream to the response's last byte from there; 0: it never went there.
    public var upstreamNanoseconds: Int64 = 0
    /// Finding, parsing and verifying the token.
    public var verificationNanoseconds: Int64 = 0

    /// What became of the request here, whatever the backend said to it.
    public enum Verdict: String, Sendable, CaseIterable {
        case verified, refused
        /// Forwarded by a rule that asks for no token.
        case anonymous
        /// Forwarded, though its token would not do. The code says why not.
        case reportOnly = "report_only"

        /// Its place among all cases.
        public var index: Int {
            switch self {
            case .verified: 0
            case .refused: 1
            case .anonymous: 2
            case .reportOnly: 3
            }
        }
    }

    public init() {}

    /// The line that tells of lost ones.
    @Sendable
    public static func lossNote(lines: Int) -> String { "{\"lost_lines\":\(lines)}\n" }

    /// Appends the line's beginning: what every request has. `appendMember` may follow, then `appendEnd`.
    public func appendStart(
        to out: ByteBuffer, requestID: Span<UInt8>, client: Span<UInt8>, method: Span<UInt8>, path: Span<UInt8>
    ) {
        out.append("{\"time\":\"")
        Timestamp.append(wallNanoseconds: wallNanoseconds, to: out)
        out.append("\",\"request_id\":\"")
        out.append(requestID)
        out.append("\",\"client\":\"")
        out.append(client)
        out.append("\",\"method\":\"")
        appendEscaped(method, out)
        out.append("\",\"path\":\"")
        appendEscaped(path, out)
        out.append("\",\"status\":")
        out.appendDecimal(UInt64(max(0, status)))
        out.append(",\"verdict\":\"")
        out.append(verdict.rawValue)
        out.append("\"")
        if let code {
            out.append(",\"code\":\"")
            out.append(code)
            out.append("\"")
        }
        out.append(",\"request_bytes\":")
        out.appendDecimal(requestBodyBytes)
        out.append(",\"response_bytes\":")
        out.appendDecimal(responseBodyBytes)
        appendMilliseconds(",\"duration_ms\":", durationNanoseconds, out)
        if upstreamNanoseconds > 0 { appendMilliseconds(",\"upstream_ms\":", upstreamNanoseconds, out) }
        if verificationNanoseconds > 0 { appendMilliseconds(",\"verification_ms\":", verificationNanoseconds, out) }
    }

    /// Appends `,"NAME":"VALUE"`; `escaped` is the inside of a JSON string already.
    public func appendMember(_ name: StaticString, escaped: Span<UInt8>, to out: ByteBuffer) {
        out.append(",\"")
        out.append(name)
        out.append("\":\"")
        out.append(escaped)
        out.append("\"")
    }

    /// Ends the line.
    public func appendEnd(to out: ByteBuffer) {
        out.append("}\n")
    }

    private func appendMilliseconds(_ name: StaticString, _ nanoseconds: Int64, _ out: ByteBuffer) {
        out.append(name)
        let microseconds = UInt64(max(0, nanoseconds)) / 1000
        out.appendDecimal(microseconds / 1000)
        out.append(".")
        let fraction = microseconds % 1000
        out.append(UInt8(fraction / 100) + 0x30)
        out.append(UInt8(fraction / 10 % 10) + 0x30)
        out.append(UInt8(fraction % 10) + 0x30)
    }

    /// What a client chose, inside a JSON string: whatever is not plain ASCII becomes an escape.
    private func appendEscaped(_ bytes: Span<UInt8>, _ out: ByteBuffer) {
        for index in bytes.indices {
            let byte = bytes[index]
            if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                out.append(byte)
            } else {
                out.append("\\u00")
                out.append(ASCII.hexDigit(byte >> 4))
                out.append(ASCII.hexDigit(byte))
            }
        }
    }
}
