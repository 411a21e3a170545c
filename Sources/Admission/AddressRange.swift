// Ranges of addresses as operators write them: `10.0.0.0/8`, `2001:db8::/32`, or one address.

public import Bytes

/// All addresses that begin with the same bits (CIDR, RFC 4632).
public struct AddressRange: Sendable, Hashable {
    /// The address whose other bits are zero.
    public let network: IPAddress
    /// How many of its 128 bits count; an IPv4 range's are the last 32.
    private let prefixBits: Int

    /// Reads a range strictly: no name, no port, no leading zeros, no bit set behind the prefix.
    public init(parsing text: String) throws(AddressRangeError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { throw .notAnAddress }
        // `::ffff:10.0.0.0/104` is an IPv4 range too, spelled in IPv6.
        let isSpelledIPv4 = address.isIPv4 && !parts[0].contains(":")
        let bitsMax = isSpelledIPv4 ? 32 : 128
        var prefix = bitsMax
        if parts.count == 2 {
            let digits = parts[1]
            guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy(ASCII.isDigit),
                digits == "0" || !digits.hasPrefix("0"), let value = Int(digits), value <= bitsMax
            else { throw .prefixOutOfRange(bitsMax) }
            prefix = value
        }
        let range = AddressRange(around: address, prefixBits: prefix + 128 - bitsMax)
        guard range.network == address else { throw .hasHostBits(network: range) }
        self = range
    }

    private init(around address: IPAddress, prefixBits: Int) {
        network = IPAddress(bits: address.bits & Self.mask(prefixBits))
        self.prefixBits = prefixBits
    }

    private static func mask(_ prefixBits: Int) -> UInt128 {
        prefixBits == 0 ? 0 : UInt128.max &<< UInt128(128 - prefixBits)
    }

    private var isIPv4: Bool { prefixBits >= 96 && network.isIPv4 }

    /// Whether the range has all addresses of its family in it.
    public var isEverything: Bool { prefixBits == (isIPv4 ? 96 : 0) }

    /// Whether the address lies in the range. An IPv4 address lies in no IPv6 range, not even in `::/0`.
    public func contains(_ address: IPAddress) -> Bool {
        address.isIPv4 == isIPv4 && (address.bits ^ network.bits) & Self.mask(prefixBits) == 0
    }
}

extension AddressRange: CustomStringConvertible {
    /// `10.0.0.0/8`; one address is written alone.
    public var description: String {
        prefixBits == 128 ? "\(network)" : "\(network)/\(isIPv4 ? prefixBits - 96 : prefixBits)"
    }
}

/// Why a text is no range of addresses.
public enum AddressRangeError: Error, Sendable, Equatable {
    case notAnAddress
    /// What stands behind the slash is no number from 0 to this one.
    case prefixOutOfRange(Int)
    /// Bits are set behind the prefix; the range that has the same prefix.
    case hasHostBits(network: AddressRange)
}

/// Whose word on the client is taken: the proxies in front.
public struct TrustedProxies: Sendable, Equatable {
    public var ranges: [AddressRange]
    /// Whoever connects to a Unix socket, for which the permissions of its directory decide.
    public var includesUnixSockets: Bool

    public init(ranges: [AddressRange] = [], includesUnixSockets: Bool = false) {
        self.ranges = ranges
        self.includesUnixSockets = includesUnixSockets
    }

    /// Nobody is trusted.
    public var isEmpty: Bool { ranges.isEmpty && !includesUnixSockets }

    /// Whether the address is one of theirs.
    public func contains(_ address: IPAddress) -> Bool {
        for index in ranges.indices where ranges[index].contains(address) { return true }
        return false
    }

    /// Whether a peer is one of them; nil: it came through a Unix socket.
    public func contains(peer: IPAddress?) -> Bool {
        guard let peer else { return includesUnixSockets }
        return contains(peer)
    }
}
