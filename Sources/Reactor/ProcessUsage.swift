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

    /// The figures of now, by calls of which none waits for anything: some microseconds, and before Linux 6.2 about one
    /// more for each open descriptor.
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

    private static let descriptorFolder = "/proc/self/fd"

    /// The size of /proc/self/fd is their number, from Linux 6.2 on; before, it is 0.
    static func openDescriptorCount() -> UInt64? {
        var status = stat()
        guard unsafe stat(descriptorFolder, &status) == 0 else { return nil }
        return status.st_size > 0 ? UInt64(status.st_size) : listedDescriptorCount()
    }

    /// The entries of /proc/self/fd: as many, on every Linux.
    static func listedDescriptorCount() -> UInt64? {
        guard let folder = unsafe opendir(descriptorFolder) else { return nil }
        defer { unsafe closedir(folder) }
        var count: UInt64 = 0
        while unsafe readdir(folder) != nil { count += 1 }
        // "." and "..", and the descriptor that it was read by.
        return count < 3 ? nil : count - 3
    }
}
