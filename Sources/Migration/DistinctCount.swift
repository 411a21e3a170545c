// How many different subjects there were, without keeping any of them.
//
// HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007): of each hash the first bits choose a register, which keeps the
// longest run of zeros seen behind them. Long runs are rare, so their lengths tell how many different hashes there were.
// The estimate is Ertl's (2017, algorithm 6), which needs no table of corrections and holds from none to all.
//
// Two sketches are merged by taking the greater of each pair of registers: the result is the sketch of both, however much
// they overlap, so that workers, restarts and replicas count a subject once. From a sketch no subject can be read; that a
// given one may be among those counted can be guessed, as from any such sketch.

internal import Bytes

/// A count of different 64-bit hashes, with a standard error of 2.3 %, in 2 KiB.
public struct DistinctCount: Sendable, Equatable {
    /// Bits of a hash that choose its register.
    private static let indexBits = 11
    private static let registerCount = 1 << indexBits
    /// The greatest value of a register: all bits behind the index are zero.
    private static let rankMax = 64 - indexBits + 1

    private var registers = [UInt8](repeating: 0, count: registerCount)

    public init() {}

    /// Counts what has this hash, once. Every bit of a hash has to be as good as random.
    public mutating func insert(_ hash: UInt64) {
        let index = Int(hash >> UInt64(64 - Self.indexBits))
        // The bit behind the last one ends a run of zeros only.
        let rank = UInt8((hash << UInt64(Self.indexBits) | 1 << UInt64(Self.indexBits - 1)).leadingZeroBitCount + 1)
        if rank > registers[index] { registers[index] = rank }
    }

    /// Counts all that `other` has counted too.
    public mutating func formUnion(_ other: DistinctCount) {
        for index in registers.indices where other.registers[index] > registers[index] {
            registers[index] = other.registers[index]
        }
    }

    /// How many different hashes there were, as near as can be told.
    public var estimate: Int {
        var counts = [Double](repeating: 0, count: Self.rankMax + 1)
        for register in registers { counts[Int(register)] += 1 }
        let m = Double(Self.registerCount)
        var z = m * Self.tau(1 - counts[Self.rankMax] / m)
        for rank in stride(from: Self.rankMax - 1, through: 1, by: -1) { z = 0.5 * (z + counts[rank]) }
        z += m * Self.sigma(counts[0] / m)
        // 1 / (2 ln 2)
        let alpha = 0.721_347_520_444_481_7
        let estimate = alpha * m * m / z
        return estimate.isFinite ? Int(min(estimate, 9e15).rounded()) : 0
    }

    private static func sigma(_ start: Double) -> Double {
        if start == 1 { return .infinity }
        var x = start
        var y = 1.0
        var z = x
        while true {
            x *= x
            let last = z
            z += x * y
            y += y
            if z == last { return z }
        }
    }

    private static func tau(_ start: Double) -> Double {
        if start == 0 || start == 1 { return 0 }
        var x = start
        var y = 1.0
        var z = 1 - x
        while true {
            x = x.squareRoot()
            let last = z
            y *= 0.5
            z -= (1 - x) * (1 - x) * y
            if z == last { return z / 3 }
        }
    }
}

extension DistinctCount {
    /// The sketch as text: base64url, of all registers, or of those that are not zero where that is shorter.
    public var text: String {
        var sparse: [UInt8] = []
        for (index, register) in registers.enumerated() where register > 0 {
            sparse += [UInt8(index >> 8), UInt8(index & 0xFF), register]
        }
        let bytes = sparse.count < registers.count ? [0] + sparse : [1] + registers
        return Base64URL.encode(bytes.span).span.text()
    }

    /// Reads what `text` wrote; nil for anything else.
    public init?(text: String) {
        guard let bytes = try? Base64URL.decode(Array(text.utf8).span), let form = bytes.first else { return nil }
        switch form {
        case 0:
            guard bytes.count % 3 == 1 else { return nil }
            var last = -1
            for start in stride(from: 1, to: bytes.count, by: 3) {
                let index = Int(bytes[start]) << 8 | Int(bytes[start + 1])
                let register = bytes[start + 2]
                guard index > last, index < Self.registerCount, (1...Self.rankMax).contains(Int(register)) else { return nil }
                registers[index] = register
                last = index
            }
        case 1:
            guard bytes.count == Self.registerCount + 1, bytes.dropFirst().allSatisfy({ $0 <= Self.rankMax }) else {
                return nil
            }
            registers = Array(bytes.dropFirst())
        default:
            return nil
        }
    }
}
