// The search for a name that an object holds twice, without a set and without a quadratic worst case.
//
// While an object has few members, a 64-bit mask of what names look like tells a new one apart at once, and only a
// name that falls on a taken bit is compared with those before it. Past `comparedMax` members the names are sorted
// when the object closes: n log n comparisons, whatever an attacker names them. Names are compared as what they
// mean: "a" and "\u0061" are the same.

struct JSONNames {
    private static let comparedMax = 24

    /// Names seen.
    private(set) var count = 0
    private let first: Int
    private var mask: UInt64 = 0
    private var hasEscapes = false

    /// - Parameter object: index of the object's node.
    init(after object: Int) { first = object + 1 }

    /// Whether the name at `index`, the newest, repeats an earlier one. Says no once there are many.
    mutating func repeats(_ index: Int, on nodes: Span<JSONNode>, in bytes: Span<UInt8>) -> Bool {
        count += 1
        if count > Self.comparedMax { return false }
        let node = nodes[index]
        // An escape hides what a name looks like, so the mask is of no use from there on.
        hasEscapes = hasEscapes || node.isEscaped
        let bit = hasEscapes ? 0 : Self.bit(of: node, in: bytes)
        if !hasEscapes, mask & bit == 0 {
            mask |= bit
            return false
        }
        var earlier = first
        while earlier < index {
            if JSONText.order(nodes[earlier], node, in: bytes) == 0 { return true }
            earlier = Int(nodes[earlier + 1].end)
        }
        return false
    }

    /// The index of a name that comes twice in an object of many members, which has been closed.
    func repeatedAmongMany(on nodes: Span<JSONNode>, in bytes: Span<UInt8>) -> Int? {
        guard count > Self.comparedMax else { return nil }
        var names: [Int] = []
        names.reserveCapacity(count)
        var index = first
        for _ in 0..<count {
            names.append(index)
            index = Int(nodes[index + 1].end)
        }
        names.sort { JSONText.order(nodes[$0], nodes[$1], in: bytes) < 0 }
        for index in 1..<count where JSONText.order(nodes[names[index - 1]], nodes[names[index]], in: bytes) == 0 {
            return max(names[index - 1], names[index])
        }
        return nil
    }

    private static func bit(of node: JSONNode, in bytes: Span<UInt8>) -> UInt64 {
        if node.count == 0 { return 1 }
        let start = Int(node.offset)
        let last = UInt64(bytes[start + Int(node.count) - 1])
        let middle = UInt64(bytes[start + Int(node.count) / 2])
        return 1 &<< ((UInt64(node.count) &* 7 &+ UInt64(bytes[start]) &* 5 &+ middle &* 11 &+ last &* 3) & 63)
    }
}
