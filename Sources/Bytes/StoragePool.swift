// Storages of one size, for buffers that are empty most of the time.
//
// The one that was given back last is the next one taken: it is in the CPU's caches still, and as many are in use at once
// as there are buffers that hold something. Spares are a list through their own first bytes, so that taking one and giving
// it back are a few instructions.

/// Confined to a loop, as the buffers are that share it.
@safe
public final class StoragePool {
    /// Bytes of each storage.
    public let bytes: Int
    @usableFromInline let sparesMax: Int
    /// Storages that nobody uses.
    @usableFromInline var spareCount = 0
    @usableFromInline var firstSpare: UnsafeMutablePointer<UInt8>?

    /// Keeps at most `sparesMax` storages that nobody uses.
    public init(bytes: Int, sparesMax: Int) {
        unsafe precondition(bytes >= MemoryLayout<UnsafeMutablePointer<UInt8>?>.size && sparesMax >= 0)
        self.bytes = bytes
        self.sparesMax = sparesMax
    }

    deinit {
        while let spare = unsafe firstSpare {
            unsafe firstSpare = Self.next(after: spare)
            unsafe spare.deallocate()
        }
    }

    @inlinable
    static func next(after spare: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8>? {
        unsafe UnsafeRawPointer(spare).load(as: UnsafeMutablePointer<UInt8>?.self)
    }

    @inlinable
    func take() -> UnsafeMutablePointer<UInt8> {
        guard let spare = unsafe firstSpare else { return .allocate(capacity: bytes) }
        unsafe firstSpare = Self.next(after: spare)
        spareCount &-= 1
        return unsafe spare
    }

    @inlinable
    func give(_ storage: UnsafeMutablePointer<UInt8>) {
        guard spareCount < sparesMax else {
            unsafe storage.deallocate()
            return
        }
        unsafe UnsafeMutableRawPointer(storage).storeBytes(of: firstSpare, as: UnsafeMutablePointer<UInt8>?.self)
        unsafe firstSpare = storage
        spareCount &+= 1
    }
}
