// A name for each request, in responses, logs and the backend's `X-Request-Id`.

/// 128 random bits in hexadecimal. Unique, not secret: a seeded generator spares a system call a request.
struct RequestID {
    private(set) var characters = InlineArray<32, UInt8>(repeating: 0x30)

    init() {}

    init(using generator: inout RequestIDGenerator) {
        var position = 0
        for _ in 0..<2 {
            let word = generator.next()
            for shift in stride(from: UInt64(60), through: 0, by: -4) {
                let nibble = UInt8(truncatingIfNeeded: word >> shift) & 15
                characters[position] = nibble < 10 ? nibble + 0x30 : nibble + 0x57
                position += 1
            }
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), seeded by the system.
struct RequestIDGenerator {
    private var state = UInt64.random(in: .min ... .max)

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
