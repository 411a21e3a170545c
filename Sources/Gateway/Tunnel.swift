// Two connections joined after a switch of protocols (RFC 9110 §7.8): bytes pass both ways, unread.
//
// A direction holds at most what two reads brought, and its source is not read while its sink takes nothing. When a source
// ends, what came before is sent on and the sink is told; the other direction goes on by itself, as TCP has it.

import Bytes
import Reactor

/// One direction of a tunnel.
struct TunnelDirection {
    enum Progress {
        case moved
        case blocked
        /// One of the two connections is broken, and what was under way is lost.
        case failed
    }

    private enum Phase {
        case open
        /// The source has ended; what it sent is still on its way to the sink.
        case ending
        /// The sink has all of it, and was told that there is no more.
        case ended
    }

    private var phase = Phase.open
    private(set) var bytesMoved: UInt64 = 0

    var hasEnded: Bool { phase == .ended }

    /// Moves bytes until one side has to wait, or for as many turns as there are.
    mutating func carry(
        from source: SocketStream, _ input: ByteBuffer, to sink: SocketStream, _ output: ByteBuffer, turnsMax: Int
    ) -> Progress {
        if phase == .ended { return .blocked }
        var progress = Progress.blocked
        for _ in 0..<turnsMax {
            if output.isEmpty, !input.isEmpty {
                bytesMoved += UInt64(input.count)
                input.exchangeContents(with: output)
            }
            let held = output.count
            if case .failed = sink.flush(output) { return .failed }
            if output.count < held { progress = .moved }
            guard output.isEmpty else { return progress }
            if phase == .ending, input.isEmpty {
                sink.finishWriting()
                phase = .ended
                return .moved
            }
            guard phase == .open, source.canRead else {
                guard input.isEmpty else { continue }
                input.giveBack()
                output.giveBack()
                return progress
            }
            if input.writableCount == 0 { input.reserve(1) }
            switch source.fill(input) {
            case .moved: progress = .moved
            case .blocked: break
            case .ended: phase = .ending
            case .failed: return .failed
            }
        }
        return .moved
    }
}
