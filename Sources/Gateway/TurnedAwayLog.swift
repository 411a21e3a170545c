// A worker's lines on clients that came to no request: a handshake that failed, a PROXY header that was none.
//
// Anyone can cause them, as fast as connections can be made, so that a scanner or a flood would fill the disk and hide
// what else is told. The first few of a second are written, the others counted, and one line says how many those were.

import Observability
import Reactor

final class TurnedAwayLog: TimerHandler {
    private let log: EventLog
    private let loop: EventLoop
    private var allowance = LineAllowance()
    private var timer: TimerID?

    init(_ log: EventLog, on loop: EventLoop) {
        self.log = log
        self.loop = loop
    }

    func log(_ line: @autoclosure () -> String) {
        report()
        if allowance.take(at: loop.now) {
            log.log(.info, line())
            return
        }
        // The line that counts them is not to wait for the next client.
        let timer = timer ?? loop.addTimer(self)
        self.timer = timer
        loop.schedule(timer, at: allowance.periodEnd)
    }

    func timerFired(_ timer: TimerID) { report() }

    /// Tells of what was left out so far.
    func flush() {
        write(leftOut: allowance.takeLeftOut())
        if let held = timer { loop.removeTimer(held) }
        timer = nil
    }

    private func report() {
        if loop.now >= allowance.periodEnd { write(leftOut: allowance.takeLeftOut()) }
    }

    private func write(leftOut count: Int) {
        if count == 0 { return }
        log.log(.info, "\(count) more clients came to no request; \(LineAllowance.linesMax) a second get a line")
    }
}

/// How many lines may be written in a while.
struct LineAllowance {
    static let linesMax = 5
    static let periodNanoseconds: Int64 = 1_000_000_000

    /// When lines may be written again; in monotonic nanoseconds, as all times here.
    private(set) var periodEnd = Int64.min
    private var lines = 0
    private var leftOut = 0

    /// Whether a line may be written at `now`. One that may not is counted.
    mutating func take(at now: Int64) -> Bool {
        if now >= periodEnd {
            periodEnd = now + Self.periodNanoseconds
            lines = 0
        }
        if lines == Self.linesMax {
            leftOut += 1
            return false
        }
        lines += 1
        return true
    }

    /// The lines that were left out since this was asked last.
    mutating func takeLeftOut() -> Int {
        defer { leftOut = 0 }
        return leftOut
    }
}
