// An IP address as a value: read strictly, compared by its bits, written in its one canonical spelling.
//
// 128 bits hold both families: an IPv4 address is kept as its IPv4-mapped IPv6 one (RFC 4291 §2.5.5.2), so that a
// client that came over IPv4 is the same one whatever family the socket has, and no rule has to ask.

/// An IPv4 or IPv6 address, without a port or a zone.
public struct IPAddress: Sendable, Hashable {
    /// In the order of the network: the first bit of the address is the highest.
    public let bits: UInt128

    @inlinable
    public init(bits: UInt128) {
        self.bits = bits
    }

    /// The IPv4 address of these 32 bits.
    @inlinable
    public init(ipv4 bits: UInt32) {
        self.bits = 0xFFFF_0000_0000 | UInt128(bits)
    }

    /// Whether it is an IPv4 address, mapped or not.
    @inlinable public var isIPv4: Bool { bits &>> 32 == 0xFFFF }

    /// What a message and a field value hold of it at most, in bytes.
    public static let textBytesMax = 39

    /// Either family in numbers, without brackets. Nil where the text is no address; see the two below.
    public init?(_ text: Span<UInt8>) {
        guard let address = IPAddress(ipv4: text) ?? IPAddress(ipv6: text) else { return nil }
        self = address
    }

    /// Four decimal numbers. Strict, as `010.0.0.1` and `127.1` mean different hosts to different programs.
    public init?(ipv4 text: Span<UInt8>) {
        var bits: UInt32 = 0
        var position = 0
        for part in 0..<4 {
            if part > 0 {
                guard position < text.count, text[position] == UInt8(ascii: ".") else { return nil }
                position &+= 1
            }
            let start = position
            var value: UInt32 = 0
            while position < text.count, position &- start < 3, ASCII.isDigit(text[position]) {
                value = value &* 10 &+ UInt32(text[position] &- 0x30)
                position &+= 1
            }
            let hasLeadingZero = position &- start > 1 && text[start] == 0x30
            guard position > start, value <= 255, !hasLeadingZero else { return nil }
            bits = bits &<< 8 | value
        }
        guard position == text.count else { return nil }
        self.init(ipv4: bits)
    }

    /// RFC 4291 §2.2: groups of hexadecimal digits, at most one `::`, an IPv4 address for the last two groups.
    public init?(ipv6 text: Span<UInt8>) {
        var bits: UInt128 = 0
        var count = 0
        /// How many groups stand before the `::`.
        var gap: Int?
        var position = 0
        if text.count >= 2, text[0] == ASCII.colon, text[1] == ASCII.colon {
            gap = 0
            position = 2
        }
        while position < text.count {
            let start = position
            var value: UInt128 = 0
            while position < text.count, position &- start < 4, let digit = ASCII.hexValue(text[position]) {
                value = value &<< 4 | UInt128(digit)
                position &+= 1
            }
            guard position > start, count < 8 else { return nil }
            if position < text.count, text[position] == UInt8(ascii: ".") {
                guard count <= 6, let last = IPAddress(ipv4: text.extracting(start...)) else { return nil }
                bits = bits &<< 32 | (last.bits & 0xFFFF_FFFF)
                count &+= 2
                break
            }
            bits = bits &<< 16 | value
            count &+= 1
            if position == text.count { break }
            guard text[position] == ASCII.colon else { return nil }
            position &+= 1
            guard position < text.count else { return nil }
            if text[position] == ASCII.colon {
                guard gap == nil else { return nil }
                gap = count
                position &+= 1
            }
        }
        guard let gap else {
            guard count == 8 else { return nil }
            self.init(bits: bits)
            return
        }
        // The gap stands for one group at least; a count of 8 leaves no room for it.
        guard count < 8 else { return nil }
        let tailBits = UInt128((count &- gap) &* 16)
        let tail = bits & ((1 &<< tailBits) &- 1)
        let front = bits &>> tailBits
        self.init(bits: gap == 0 ? tail : (front &<< UInt128((8 &- gap) &* 16)) | tail)
    }

    /// Appends the address, an IPv6 one as RFC 5952 §4 writes it and without brackets.
    public func append(to out: ByteBuffer) {
        if isIPv4 {
            for part in 0..<4 {
                if part > 0 { out.append(UInt8(ascii: ".")) }
                out.appendDecimal(UInt64(truncatingIfNeeded: bits &>> UInt128((3 &- part) &* 8) & 0xFF))
            }
            return
        }
        let gap = longestZeroRun
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, !gap.isEmpty {
                out.append("::")
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound { out.append(ASCII.colon) }
            out.appendHexadecimal(group(index))
            index &+= 1
        }
    }

    private func group(_ index: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: bits &>> UInt128((7 &- index) &* 16) & 0xFFFF)
    }

    /// The first of the longest runs of at least two groups that are zero (RFC 5952 §4.2); empty where there is none.
    private var longestZeroRun: Range<Int> {
        var longest = 8..<8
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(end) == 0 { end &+= 1 }
            if end &- start >= 2, end &- start > longest.count { longest = start..<end }
            start = end &+ 1
        }
        return longest
    }
}

extension IPAddress: CustomStringConvertible {
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self.init(bytes.span)
    }

    public var description: String {
        let text = ByteBuffer(capacity: Self.textBytesMax)
        append(to: text)
        return text.readable.text()
    }
}
