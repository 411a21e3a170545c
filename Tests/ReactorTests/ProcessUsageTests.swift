// What the kernel says of the process's own descriptors, in both of the ways in which it says so.

import Glibc
import Testing

@testable import Reactor

@Suite("What the process uses")
struct ProcessUsageTests {
    @Test("Open descriptors are counted where their folder has no size, too")
    func descriptors() throws {
        // Other tests open and close some meanwhile, so that only many of our own can be told.
        let ours = 400
        for count in [ProcessUsage.openDescriptorCount, ProcessUsage.listedDescriptorCount] {
            let before = try #require(count())
            let opened = (0..<ours).map { _ in dup(0) }
            defer { for descriptor in opened { close(descriptor) } }
            try #require(!opened.contains(-1))
            let more = Int(try #require(count())) - Int(before)
            #expect(abs(more - ours) < ours / 2, "\(more)")
        }
    }

    @Test("Both ways agree", .enabled(if: isTold, "this kernel has only one"))
    func agreement() throws {
        // Other tests open and close some meanwhile.
        let (counted, listed) = try (
            #require(ProcessUsage.openDescriptorCount()), #require(ProcessUsage.listedDescriptorCount()))
        #expect(abs(Int(counted) - Int(listed)) < 100, "\(counted) and \(listed)")
    }

    /// Linux 6.2 or newer.
    private static let isTold: Bool = {
        var status = stat()
        return unsafe stat("/proc/self/fd", &status) == 0 && status.st_size > 0
    }()
}
