// Addresses as the kernel takes them.

public import Bytes
internal import CLinux
import Glibc

/// An IPv4, IPv6 or Unix socket address.
@safe
public struct SocketAddress: Sendable, Equatable {
    var storage: sockaddr_storage
    var length: socklen_t

    var family: Int32 { Int32(storage.ss_family) }

    init(storage: sockaddr_storage, length: socklen_t) {
        self.storage = storage
        self.length = length
    }

    /// From a numeric IPv4 or IPv6 address (no brackets), or `*` for every IPv6 and IPv4 address. Nil where it is
    /// neither: names are for `NameResolver`.
    public init?(numericHost host: String, port: UInt16) {
        var storage = sockaddr_storage()
        var v4 = in_addr()
        var v6 = in6_addr()
        if unsafe inet_pton(AF_INET, host, &v4) == 1 {
            unsafe withUnsafeMutableBytes(of: &storage) { bytes in
                let address = sockaddr_in(
                    sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian, sin_addr: v4,
                    sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
                unsafe bytes.storeBytes(of: address, as: sockaddr_in.self)
            }
            self.init(storage: storage, length: socklen_t(MemoryLayout<sockaddr_in>.size))
        } else if unsafe host == "*" || inet_pton(AF_INET6, host, &v6) == 1 {
            unsafe withUnsafeMutableBytes(of: &storage) { bytes in
                let address = sockaddr_in6(
                    sin6_family: sa_family_t(AF_INET6), sin6_port: port.bigEndian, sin6_flowinfo: 0,
                    sin6_addr: v6, sin6_scope_id: 0)
                unsafe bytes.storeBytes(of: address, as: sockaddr_in6.self)
            }
            self.init(storage: storage, length: socklen_t(MemoryLayout<sockaddr_in6>.size))
        } else {
            return nil
        }
    }

    /// The Unix socket at `path`, or nil where the path does not fit into an address (107 bytes).
    public init?(unixPath path: String) {
        var storage = sockaddr_storage()
        let bytes = Array(path.utf8)
        let offset = MemoryLayout<sa_family_t>.size
        guard !bytes.isEmpty, bytes.count < MemoryLayout<sockaddr_un>.size - offset, !bytes.contains(0) else {
            return nil
        }
        storage.ss_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &storage) { raw in
            for (index, byte) in bytes.enumerated() { unsafe raw[offset + index] = byte }
        }
        self.init(storage: storage, length: socklen_t(offset + bytes.count + 1))
    }

    /// The port, or nil for a Unix socket.
    public var port: UInt16? {
        switch family {
        case AF_INET:
            return unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: sockaddr_in.self).sin_port.bigEndian }
        case AF_INET6:
            return unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: sockaddr_in6.self).sin6_port.bigEndian }
        default:
            return nil
        }
    }

    public var isUnix: Bool { family == AF_UNIX }
    public var isIPv6: Bool { family == AF_INET6 }

    /// The address without its port; an IPv4 client of an IPv6 socket is an IPv4 one. Nil for a Unix socket.
    public var ip: IPAddress? {
        switch family {
        case AF_INET:
            let address = unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: sockaddr_in.self).sin_addr }
            return IPAddress(ipv4: address.s_addr.bigEndian)
        case AF_INET6:
            var address = unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: sockaddr_in6.self).sin6_addr }
            let bits = unsafe withUnsafeBytes(of: &address) { unsafe $0.loadUnaligned(as: UInt128.self) }
            return IPAddress(bits: UInt128(bigEndian: bits))
        default:
            return nil
        }
    }

    /// Whether a connection goes to the same place.
    public static func == (left: SocketAddress, right: SocketAddress) -> Bool {
        guard left.length == right.length else { return false }
        return unsafe withUnsafeBytes(of: left.storage) { one in
            unsafe withUnsafeBytes(of: right.storage) { other in
                unsafe memcmp(one.baseAddress!, other.baseAddress!, Int(left.length)) == 0
            }
        }
    }

    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var copy = storage
        return unsafe withUnsafeMutablePointer(to: &copy) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }
}
