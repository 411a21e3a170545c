// The compressing side of gzip (RFC 1952), one body after another.
//
// zlib's state holds the address of its z_stream, which so has an allocation of its own and never moves. The stream's
// pointers are set before each call and mean nothing after it.

public import Bytes
internal import CZlib

/// zlib could not make a stream: there is no memory for it, or the library that was loaded is not of the kind that
/// this program was compiled for.
public struct ZlibError: Error, Sendable, Equatable, CustomStringConvertible {
    /// zlib's own words.
    public let reason: String

    public var description: String { "zlib: \(reason)" }
}

/// Compresses bodies into gzip, one after another: `append` as often as there are bytes, `flush` where what has gone in
/// must come out, and `finish` at the end. Not for sharing.
@safe
public final class GzipStream {
    // A window of 16 KiB and hash tables to match. zlib's own choice (15, 8) takes twice the memory, and of JSON made
    // 0 to 1 % less.
    private static let windowBits: Int32 = 14
    private static let memoryLevel: Int32 = 7
    /// What one stream holds, as zconf.h reckons it: 128 KiB, besides a few for its bookkeeping.
    public static let stateBytes = (1 << (windowBits + 2)) + (1 << (memoryLevel + 9))

    /// Bytes that a single step leaves room for at least. More is asked for as long as a step fills all of it.
    private static let stepBytes = 4096

    private let stream: UnsafeMutablePointer<z_stream>
    /// Whether bytes have gone in that need not have come out yet.
    public private(set) var holdsBytes = false
    private var isFresh = true

    /// - Parameter level: from 1, the fastest, to 9, the smallest result.
    public init(level: Int) throws(ZlibError) {
        precondition((1...9).contains(level))
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let code = unsafe czlib_deflate_init_gzip(stream, Int32(level), Self.windowBits, Self.memoryLevel)
        if code != Z_OK {
            // zlib has freed what it had taken.
            unsafe stream.deallocate()
            throw ZlibError(reason: unsafe String(cString: zError(code)))
        }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Takes `bytes` in, and appends what comes out to `out`, which need not be anything.
    public func append(_ bytes: Span<UInt8>, to out: ByteBuffer) {
        if bytes.isEmpty { return }
        holdsBytes = true
        isFresh = false
        run(Z_NO_FLUSH, bytes, into: out)
    }

    /// Appends all that is needed to decompress every byte so far. It costs some five bytes and a worse ratio: for a
    /// pause of the source, and not for each piece.
    public func flush(to out: ByteBuffer) {
        if !holdsBytes { return }
        holdsBytes = false
        run(Z_SYNC_FLUSH, Span(), into: out)
    }

    /// Appends the end: the last of the data, its CRC and its length. What is appended after it is another body's.
    public func finish(to out: ByteBuffer) {
        isFresh = false
        run(Z_FINISH, Span(), into: out)
        reset()
    }

    /// Gives up a body that has not been finished: what is appended after it is another's.
    public func reset() {
        if isFresh { return }
        isFresh = true
        holdsBytes = false
        let code = unsafe deflateReset(stream)
        precondition(code == Z_OK, "deflateReset")
    }

    /// Each step but the last fills the room it has; a step that does not has nothing more to give (zlib.h, deflate).
    private func run(_ flush: Int32, _ bytes: Span<UInt8>, into out: ByteBuffer) {
        unsafe bytes.withUnsafeBufferPointer { input in
            // Our own buffers are nowhere near 4 GiB.
            unsafe stream.pointee.next_in = input.baseAddress
            unsafe stream.pointee.avail_in = UInt32(input.count)
            var isFull = true
            while isFull {
                out.reserve(Self.stepBytes)
                _ = unsafe out.receive { room in
                    let offered = UInt32(clamping: room.count)
                    unsafe stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    unsafe stream.pointee.avail_out = offered
                    let code = unsafe deflate(stream, flush)
                    // Z_BUF_ERROR: the step before had filled its room exactly, and there was nothing more.
                    precondition(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR, "deflate")
                    isFull = unsafe stream.pointee.avail_out == 0
                    return unsafe Int(offered - stream.pointee.avail_out)
                }
            }
            precondition(unsafe stream.pointee.avail_in == 0, "deflate left input behind")
        }
    }
}
