// A name for each request, in responses, logs and the backend's `X-Request-Id`, and the trace that starts with it.

import Bytes

/// 128 random bits in hexadecimal, unless a trusted proxy has named the request already. Unique, not secret: a seeded
/// generator spares a system call a request.
///
/// The same bits are the trace ID of `traceparent`, so that a log line, a response and a trace can be found by one name.
struct RequestID {
    /// `00-TRACEID-PARENTID-01` (W3C Trace Context §3.2). The flag says that the caller may have recorded the request:
    /// with 00, backends that follow their caller, as OpenTelemetry's do by default, would record nothing at all.
    private(set) var traceparent = InlineArray<55, UInt8>(repeating: 0x30)
    private var received = InlineArray<128, UInt8>(repeating: 0)
    private var receivedCount = 0

    init() {}

    init(using generator: inout RequestIDGenerator) {
        traceparent[2] = UInt8(ascii: "-")
        write(generator.next(), at: 3)
        // No two words in a row are the same: not both are zero, which would be no trace ID (§3.2.2.3).
        write(generator.next(), at: 19)
        traceparent[35] = UInt8(ascii: "-")
        // Nor is zero a parent ID.
        write(max(1, generator.next()), at: 36)
        traceparent[52] = UInt8(ascii: "-")
        traceparent[54] = UInt8(ascii: "1")
    }

    private mutating func write(_ word: UInt64, at start: Int) {
        var bytes = traceparent.mutableSpan
        bytes.store(ASCII.hexDigits(UInt32(truncatingIfNeeded: word >> 32)), at: start)
        bytes.store(ASCII.hexDigits(UInt32(truncatingIfNeeded: word)), at: start + 8)
    }

    /// Takes over the name that a trusted proxy gave the request: at most `Provenance.requestIDBytesMax` bytes.
    mutating func become(_ name: Span<UInt8>) {
        precondition(name.count <= 128)
        for index in name.indices { received[index] = name[index] }
        receivedCount = name.count
    }

    /// The name.
    var name: Span<UInt8> {
        @_lifetime(borrow self) get {
            receivedCount > 0 ? received.span.extracting(first: receivedCount) : traceparent.span.extracting(3..<35)
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), seeded by the system.
struct RequestIDGenerator {
    private var state = UInt64.random(in: .min ... .max)

    /// A bijection of a counter: a word comes again only after all others.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
