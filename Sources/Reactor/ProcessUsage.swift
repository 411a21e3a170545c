// What the process takes of its machine, as the kernel counts it.

internal import CLinux
import Glibc

/// A moment's figures. Where the kernel does not tell, as without /proc, they are nil.
public struct ProcessUsage: Sendable {
    /// Time on a CPU, of all threads, user and system.
    public var cpuNanoseconds: Int64
    public var residentBytes: UInt64?
    public var virtualBytes: UInt64?
    public var openDescriptors: UInt64?
    /// How many descriptors may be open.
    public var descriptorsMax: UInt64?

    /// The figures of now. Some microseconds: five calls, none of which waits for anything.
    public static var current: ProcessUsage {
        let pages = memoryPages()
        let pageBytes = UInt64(sysconf(Int32(_SC_PAGESIZE)))
        let limit = clinux_descriptor_limit()
        return ProcessUsage(
            cpuNanoseconds: Clock.processNanoseconds(),
            residentBytes: pages.map { $0.resident * pageBytes },
            virtualBytes: pages.map { $0.virtual * pageBytes },
            openDescriptors: openDescriptorCount(),
            descriptorsMax: limit == 0 ? nil : limit)
    }

    /// The first two numbers of /proc/self/statm (proc_pid_statm(5)).
    private static func memoryPages() -> (virtual: UInt64, resident: UInt64)? {
        guard let words = SmallFile.read("/proc/self/statm")?.split(separator: " "), words.count > 1,
            let virtual = UInt64(words[0]), let resident = UInt64(words[1])
        else { return nil }
        return (virtual, resident)
    }

    /// The size of /proc/self/fd, which is their number from Linux 6.2 on. Before, the directory would have to be read:
    /// with many connections that takes longer than the figure is worth.
    private static func openDescriptorCount() -> UInt64? {
        var status = stat()
        guard unsafe stat("/proc/self/fd", &status) == 0, status.st_size > 0 else { return nil }
        return UInt64(status.st_size)
    }
}
