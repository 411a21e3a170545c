// What the process was started with.

internal import CLinux
import Glibc

public enum ProcessEnvironment {
    /// The environment variables, as they are now.
    public static var variables: [String: String] {
        var variables: [String: String] = [:]
        guard var next = unsafe clinux_environment() else { return [:] }
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            unsafe next += 1
        }
        return variables
    }

    /// Opens /dev/null in the place of a standard descriptor that the process was started without. The next socket
    /// would get its number, and whatever is written to standard output would go to a client.
    public static func openStandardDescriptors() {
        while true {
            let descriptor = unsafe open("/dev/null", O_RDWR)
            if descriptor > STDERR_FILENO || descriptor < 0 {
                if descriptor >= 0 { close(descriptor) }
                return
            }
        }
    }

    /// Lets the process open as many descriptors as it may, and returns how many that is: a proxy needs two a
    /// connection, and the usual soft limit of 1024 is for programs that call select.
    @discardableResult
    public static func raiseDescriptorLimit() -> UInt64 {
        clinux_raise_descriptor_limit()
    }

    /// Has all threads take their memory from `count` arenas together. To be called before there are other threads.
    ///
    /// Of itself glibc makes eight a CPU. Dispatch runs a queue now by one thread and now by another, so that what a
    /// worker needed at its worst moment would in time be kept once in each: 10,000 handshakes that nobody ends, which are
    /// 500 MB while they last, would be that again each time that they come, up to eight times a CPU.
    public static func limitArenas(to count: Int) {
        clinux_limit_arenas(Int32(clamping: count))
    }
}
