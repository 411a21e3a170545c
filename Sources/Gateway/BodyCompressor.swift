// Compressing response bodies: a compressor with what has come out of it, and a worker's store of them.

import Bytes
import ZlibKit

/// One body's compressor, and the bytes that it has given and that are not in a chunk yet.
final class BodyCompressor {
    /// A chunk is made of this much at least, unless the source pauses or ends: the ten bytes of gzip's header do not
    /// go out by themselves.
    static let chunkBytes = 8 * 1024

    private let stream: GzipStream
    /// After each piece of the body: what a piece adds, and less than `chunkBytes` from before.
    let output = ByteBuffer(capacity: 2 * BodyCompressor.chunkBytes)

    init(level: Int) throws(ZlibError) {
        stream = try GzipStream(level: level)
    }

    /// Takes a piece of the body in.
    func append(_ bytes: Span<UInt8>) { stream.append(bytes, to: output) }
    /// What has been taken in comes out, all of it.
    func flush() { stream.flush(to: output) }
    func finish() { stream.finish(to: output) }

    func reset() {
        stream.reset()
        output.removeAll()
    }
}

/// The compressors of a worker. Making one takes longer than compressing a small body, so that some are kept.
final class CompressorPool {
    /// Bodies compressed at once: with `GzipStream.stateBytes` each, 128 MiB. Further ones go as they are.
    static let inUseMax = 1024
    /// Compressors kept for the next responses.
    static let sparesMax = 16

    private let level: Int
    private var spares: [BodyCompressor] = []
    private(set) var inUse = 0
    var spareCount: Int { spares.count }

    init(level: Int) {
        self.level = level
        spares.reserveCapacity(CompressorPool.sparesMax)
    }

    /// Nil: all are in use.
    func take() throws(ZlibError) -> BodyCompressor? {
        guard inUse < CompressorPool.inUseMax else { return nil }
        let compressor = if let spare = spares.popLast() { spare } else { try BodyCompressor(level: level) }
        inUse += 1
        return compressor
    }

    /// Takes one back, whether or not it has finished its body.
    func give(back compressor: BodyCompressor) {
        inUse -= 1
        guard spares.count < CompressorPool.sparesMax else { return }
        compressor.reset()
        spares.append(compressor)
    }
}
