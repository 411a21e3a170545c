// A growable window of bytes: written at the end, read from the front.
//
// Invariant: 0 <= start <= end <= capacity. What lies between start and end is initialised and readable.
// The storage is there from the first byte on, not before: of the buffers that a slow client's connection holds, most
// never see one. It grows only when an append asks for more than there is (whoever appends bytes that a peer chose has
// bounded them first), and is given back when that is asked for.

public import Glibc

/// One direction of a connection's bytes: filled by a read or a serialiser, emptied by a parser or a write.
@safe
public final class ByteBuffer {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    @usableFromInline var start = 0
    @usableFromInline var end = 0
    /// Bytes the storage can hold: 0 until the first is to be held.
    public private(set) var capacity = 0
    /// What the storage holds at least, once there is one.
    @usableFromInline let initialCapacity: Int
    /// Where a storage of that size comes from, and goes back to; nil: it has none to share.
    private let pool: StoragePool?

    /// An empty buffer that will have room for `capacity` bytes when it is first used.
    public init(capacity: Int) {
        precondition(capacity > 0)
        initialCapacity = capacity
        pool = nil
        unsafe base = Self.noStorage
    }

    /// An empty buffer that takes its storage from `pool` when it is first used.
    public init(from pool: StoragePool) {
        initialCapacity = pool.bytes
        self.pool = pool
        unsafe base = Self.noStorage
    }

    deinit {
        releaseStorage()
    }

    /// Stands for a storage of no bytes; nothing is ever read or written there.
    private static var noStorage: UnsafeMutablePointer<UInt8> {
        unsafe UnsafeMutablePointer(bitPattern: MemoryLayout<UInt>.alignment)!
    }

    private func releaseStorage() {
        if capacity == 0 { return }
        if let pool, capacity == pool.bytes { unsafe pool.give(base) } else { unsafe base.deallocate() }
    }

    private func storage(of bytes: Int) -> UnsafeMutablePointer<UInt8> {
        if let pool, bytes == pool.bytes { unsafe pool.take() } else { .allocate(capacity: bytes) }
    }

    /// Unread bytes.
    @inlinable public var count: Int { end &- start }
    @inlinable public var isEmpty: Bool { end == start }
    /// Bytes that `receive` can take before the buffer has to be compacted or grown.
    @inlinable public var writableCount: Int { capacity &- end }

    /// The unread bytes, borrowed: invalidated by the next change of the buffer.
    @inlinable
    public var readable: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let bytes = unsafe UnsafeBufferPointer(start: base + start, count: end &- start)
            return unsafe _overrideLifetime(Span(_unsafeElements: bytes), borrowing: self)
        }
    }

    /// Drops `count` bytes from the front.
    @inlinable
    public func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count)
        start &+= count
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Drops all unread bytes; the storage stays.
    @inlinable
    public func removeAll() {
        start = 0
        end = 0
    }

    /// Gives the storage back, until the next byte comes. The buffer must be empty.
    public func removeStorage() {
        precondition(isEmpty)
        releaseStorage()
        unsafe base = Self.noStorage
        capacity = 0
    }

    /// The same where it costs next to nothing: one that has grown, as for a long body, stays.
    @inlinable
    public func giveBack() {
        if capacity == initialCapacity { removeStorage() }
    }

    /// Trades contents and storage with `other`: the bytes of a body pass from one buffer to the next uncopied.
    public func exchangeContents(with other: ByteBuffer) {
        unsafe swap(&base, &other.base)
        swap(&start, &other.start)
        swap(&end, &other.end)
        swap(&capacity, &other.capacity)
    }

    /// Makes room for `count` more bytes, by moving the unread bytes to the front or by growing.
    @inlinable
    public func reserve(_ count: Int) {
        if capacity &- end < count { makeRoom(count) }
    }

    @usableFromInline
    func makeRoom(_ count: Int) {
        let unread = end - start
        if capacity - unread >= count {
            unsafe memmove(base, base + start, unread)
        } else {
            let grown = max(initialCapacity, capacity * 2, unread + count)
            let replacement = unsafe storage(of: grown)
            unsafe memcpy(replacement, base + start, unread)
            releaseStorage()
            unsafe base = replacement
            capacity = grown
        }
        start = 0
        end = unread
    }

    /// Appends one byte.
    @inlinable
    public func append(_ byte: UInt8) {
        reserve(1)
        unsafe base[end] = byte
        end &+= 1
    }

    /// Appends a copy of `bytes`, which must not be this buffer's own.
    @inlinable
    public func append(_ bytes: Span<UInt8>) {
        let count = bytes.count
        if count == 0 { return }
        reserve(count)
        unsafe bytes.withUnsafeBufferPointer { source in
            _ = unsafe memcpy(base + end, source.baseAddress!, count)
        }
        end &+= count
    }

    /// Appends the bytes of a literal. Always inlined: where the literal's length is known, copying it takes an instruction
    /// or two, a tenth of what a call does.
    @inlinable
    @inline(__always)
    public func append(_ literal: StaticString) {
        let count = literal.utf8CodeUnitCount
        reserve(count)
        _ = unsafe memcpy(base + end, literal.utf8Start, count)
        end &+= count
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public func append(_ bytes: [UInt8]) {
        append(bytes.span)
    }

    /// Appends the UTF-8 of `text`. Disfavoured, or a literal would be taken for a String and not for the
    /// StaticString that is copied in one go.
    @_disfavoredOverload
    @inlinable
    public func append(_ text: String) {
        let utf8 = text.utf8
        reserve(utf8.count)
        for byte in utf8 {
            unsafe base[end] = byte
            end &+= 1
        }
    }

    /// Appends `value` in decimal.
    @inlinable
    public func appendDecimal(_ value: UInt64) {
        var divisor: UInt64 = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            divisor &*= 10
        }
        var left = value
        while divisor > 0 {
            append(UInt8(truncatingIfNeeded: left / divisor) &+ 0x30)
            left %= divisor
            divisor /= 10
        }
    }

    /// Appends `value` in lower-case hexadecimal without leading zeros.
    @inlinable
    public func appendHexadecimal(_ value: UInt64) {
        var shift = value == 0 ? 0 : (63 &- value.leadingZeroBitCount) & ~3
        while shift >= 0 {
            append(ASCII.hexDigit(UInt8(truncatingIfNeeded: value &>> UInt64(shift))))
            shift &-= 4
        }
    }

    /// Lets `fill` write into the free space at the end, and takes over as many bytes as it returns (0 or less: none).
    @unsafe
    @inlinable
    public func receive(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        let free = unsafe UnsafeMutableRawBufferPointer(start: base + end, count: capacity &- end)
        let filled = unsafe fill(free)
        precondition(filled <= free.count)
        if filled > 0 { end &+= filled }
        return filled
    }
}
