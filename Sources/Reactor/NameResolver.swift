// Names to addresses. getaddrinfo blocks for as long as the network likes, so it runs on queues of its own.
//
// Those are serial ones: Dispatch gives each of them a thread beside its pool. A concurrent queue would share the pool, of
// a thread a CPU, with all that is run on a global queue, and name servers that do not answer would hold up reloads and the
// end of the process.

internal import CLinux
import Dispatch
import Glibc
import Synchronization

public enum NameResolver {
    /// Look-ups at once; more wait.
    static let lookUpsMax = 32

    private static let queues = (0..<lookUpsMax).map { DispatchQueue(label: "antechamber.names.\($0)") }
    /// Look-ups that are under way or wait, by queue.
    private static let lookUps = Mutex([Int](repeating: 0, count: lookUpsMax))

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
        run({ lookUp(host: host, port: port) }, completion: completion)
    }

    /// Runs `lookUp` where the fewest others are before it.
    static func run(_ lookUp: @escaping @Sendable () -> Outcome, completion: @escaping @Sendable (Outcome) -> Void) {
        let index = lookUps.withLock { counts in
            var least = 0
            for index in counts.indices where counts[index] < counts[least] { least = index }
            counts[least] += 1
            return least
        }
        queues[index].async {
            let outcome = lookUp()
            lookUps.withLock { $0[index] -= 1 }
            completion(outcome)
        }
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
