// Names to addresses. getaddrinfo blocks for as long as the network likes, so it runs on a concurrent queue.

internal import CLinux
import Dispatch
import Glibc

public enum NameResolver {
    private static let queue = DispatchQueue(label: "antechamber.names", attributes: .concurrent)

    /// Why a name gave no address, in the system's words.
    public struct Failure: Error, Sendable {
        public let reason: String
    }

    /// The addresses, never empty, or the failure.
    public typealias Outcome = Result<[SocketAddress], Failure>

    /// Looks `host` up, off the caller's queue, and hands what it came to to `completion`
    /// on a queue of the resolver's.
    @Sendable
    public static func resolve(
        host: String, port: UInt16, completion: @escaping @Sendable (Outcome) -> Void
    ) {
        queue.async { completion(lookUp(host: host, port: port)) }
    }

    private static func lookUp(host: String, port: UInt16) -> Outcome {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &list)
        if status != 0 { return .failure(Failure(reason: unsafe String(cString: gai_strerror(status)))) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe entry.pointee.ai_addr {
                var storage = sockaddr_storage()
                let length = unsafe Int(entry.pointee.ai_addrlen)
                if length <= MemoryLayout<sockaddr_storage>.size {
                    unsafe memcpy(&storage, address, length)
                    addresses.append(SocketAddress(storage: storage, length: socklen_t(length)))
                }
            }
            unsafe next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .failure(Failure(reason: "no address")) : .success(addresses)
    }
}
