// Tables that are large for the few places of them that most processes ever use.

internal import Glibc

/// A fixed number of integers, all zero at first. Unlike an Array's, their memory becomes resident page by page, as they
/// are written to.
@safe
public struct ZeroedArray<Element: FixedWidthInteger & BitwiseCopyable>: ~Copyable {
    @usableFromInline let base: UnsafeMutablePointer<Element>
    public let count: Int

    /// Traps where there is no address space left.
    public init(count: Int) {
        precondition(count >= 0)
        guard let memory = unsafe calloc(max(1, count), MemoryLayout<Element>.stride) else {
            preconditionFailure("no memory for a table of \(count) places")
        }
        unsafe base = memory.bindMemory(to: Element.self, capacity: max(1, count))
        self.count = count
    }

    deinit { unsafe free(base) }

    @inlinable
    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            return unsafe base[index]
        }
        set {
            precondition(index >= 0 && index < count)
            unsafe base[index] = newValue
        }
    }
}
